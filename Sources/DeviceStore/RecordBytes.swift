// The primitives of stored records: variable-length integers, texts and times.

internal import DeviceModel

/// Appends a record's parts to a buffer that is used again and again.
struct RecordWriter {
    private(set) var bytes: [UInt8] = []

    /// Empties the buffer, keeping its memory.
    mutating func reset() {
        self.bytes.removeAll(keepingCapacity: true)
    }

    mutating func byte(_ value: UInt8) {
        self.bytes.append(value)
    }

    /// Seven bits a byte, lowest first, the top bit set on all but the last (LEB128).
    mutating func unsigned(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Zigzag: small magnitudes are short, whatever their sign.
    mutating func signed(_ value: Int64) {
        self.unsigned(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// Eight bytes, lowest first.
    mutating func fixed(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { self.bytes.append(contentsOf: $0) }
    }

    mutating func time(_ value: Timestamp) {
        self.signed(value.microseconds)
    }

    mutating func text(_ value: String) {
        var value = value
        value.withUTF8 { bytes in
            self.unsigned(UInt64(bytes.count))
            self.bytes.append(contentsOf: bytes)
        }
    }
}

/// Why bytes are not a record.
struct MalformedRecord: Error, Hashable, CustomStringConvertible {
    /// Where reading stopped.
    var offset: Int
    var reason: String

    var description: String {
        "\(self.reason) at byte \(self.offset)"
    }
}

/// Reads a record's parts and trusts none of them.
struct RecordReader {
    /// Borrowed from the row; a reader lives only as long as the call that made it.
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var isAtEnd: Bool {
        self.offset == self.bytes.count
    }

    func malformed(_ reason: String) -> MalformedRecord {
        MalformedRecord(offset: self.offset, reason: reason)
    }

    mutating func byte() throws(MalformedRecord) -> UInt8 {
        guard self.offset < self.bytes.count else { throw self.malformed("the record is cut off") }
        defer { self.offset += 1 }
        return self.bytes[self.offset]
    }

    mutating func unsigned() throws(MalformedRecord) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try self.byte()
            let bits = UInt64(byte & 0x7F)
            guard shift < 63 || (shift == 63 && bits <= 1) else { throw self.malformed("a number is too long") }
            value |= bits << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    mutating func signed() throws(MalformedRecord) -> Int64 {
        let value = try self.unsigned()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func fixed() throws(MalformedRecord) -> UInt64 {
        guard self.bytes.count - self.offset >= 8 else { throw self.malformed("the record is cut off") }
        defer { self.offset += 8 }
        return UInt64(littleEndian: self.bytes.loadUnaligned(fromByteOffset: self.offset, as: UInt64.self))
    }

    mutating func time() throws(MalformedRecord) -> Timestamp {
        guard let time = Timestamp(microseconds: try self.signed()) else {
            throw self.malformed("a time is out of range")
        }
        return time
    }

    mutating func text() throws(MalformedRecord) -> String {
        let count = try self.unsigned()
        guard count <= UInt64(self.bytes.count - self.offset) else { throw self.malformed("a text is cut off") }
        let end = self.offset + Int(count)
        guard let text = String(validating: self.bytes[self.offset..<end], as: UTF8.self) else {
            throw self.malformed("a text is not UTF-8")
        }
        self.offset = end
        return text
    }
}
