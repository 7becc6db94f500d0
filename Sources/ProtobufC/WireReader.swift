/// Reads the protobuf wire format from the front, never past its end.
///
/// It accepts no more than protobuf-c does, so that both see the same fields in the same bytes.
struct WireReader {
    /// Where the next read begins.
    private(set) var position: UnsafePointer<UInt8>
    /// Where the bytes end.
    private let end: UnsafePointer<UInt8>

    /// Starts at the front of `bytes`, which must outlive the reader.
    @inline(__always)
    init(_ start: UnsafePointer<UInt8>, count: Int) {
        self.position = start
        self.end = start + count
    }

    /// Bytes left.
    @inline(__always) var count: Int { self.end - self.position }

    /// The next varint; nil if it has more than `byteCountMax` bytes or does not end.
    @inline(__always)
    mutating func readVarint(byteCountMax: Int) -> UInt64? {
        guard self.position < self.end else { return nil }
        let byte = self.position.pointee
        if byte < 0x80 {
            self.position += 1
            return UInt64(byte)
        }
        return self.readLongVarint(byteCountMax: byteCountMax)
    }

    @inline(never)
    private mutating func readLongVarint(byteCountMax: Int) -> UInt64? {
        var value: UInt64 = 0
        for index in 0..<min(byteCountMax, self.count) {
            let byte = self.position[index]
            // Bits of the tenth byte beyond the 64th are dropped, as everywhere.
            value |= UInt64(byte & 0x7F) &<< UInt64(7 &* index)
            if byte < 0x80 {
                self.position += index + 1
                return value
            }
        }
        return nil
    }

    /// Steps over `count` bytes and returns where they begin; nil if there are fewer.
    @inline(__always)
    mutating func skip(_ count: Int) -> UnsafePointer<UInt8>? {
        guard count <= self.count else { return nil }
        let start = self.position
        self.position += count
        return start
    }

    /// The next bytes that have their length before them; nil if there are fewer.
    @inline(__always)
    mutating func readLengthPrefixed() -> UnsafeBufferPointer<UInt8>? {
        guard let length = self.readVarint(byteCountMax: 5), length <= UInt64(self.count),
            let start = self.skip(Int(truncatingIfNeeded: length))
        else { return nil }
        return UnsafeBufferPointer(start: start, count: Int(truncatingIfNeeded: length))
    }
}
