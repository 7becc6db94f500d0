// Fields of messages, written one after another without a message.

internal import DeviceModel

/// How long fields are whose number is below 16, so that a tag is one byte. A zero and an empty text are left out.
enum PackedSize {
    @inline(__always)
    static func varint(_ value: UInt64) -> Int {
        // Seven bits a byte; zero takes one.
        (70 - (value | 1).leadingZeroBitCount) / 7
    }

    @inline(__always)
    static func number(_ value: Int64) -> Int {
        value == 0 ? 0 : 1 + Self.varint(UInt64(bitPattern: value))
    }

    @inline(__always)
    static func text(_ byteCount: Int) -> Int {
        byteCount == 0 ? 0 : Self.bytes(byteCount)
    }

    /// Of a message, or of a text that is written even where it is empty.
    @inline(__always)
    static func bytes(_ byteCount: Int) -> Int {
        1 + Self.varint(UInt64(byteCount)) + byteCount
    }

    /// Of a value of the repeated field `number`, whatever the number.
    @inline(__always)
    static func element(_ number: UInt32, _ byteCount: Int) -> Int {
        Self.varint(UInt64(number) << 3) + Self.varint(UInt64(byteCount)) + byteCount
    }
}

/// Writes fields one after another.
///
/// Invariant: `byteCount` is at most that of `buffer`. Whoever writes has made room for everything; debug builds check it.
struct PackedOutput {
    private let buffer: UnsafeMutableRawBufferPointer
    private(set) var byteCount = 0

    @inline(__always)
    init(_ buffer: UnsafeMutableRawBufferPointer) {
        self.buffer = buffer
    }

    /// What has not been written yet.
    @inline(__always)
    private var rest: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: self.buffer[self.byteCount...])
    }

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        self.buffer[self.byteCount] = value
        self.byteCount += 1
    }

    @inline(__always)
    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.byte(UInt8(truncatingIfNeeded: rest))
    }

    /// Eight bytes, the lowest first.
    @inline(__always)
    mutating func fixed(_ value: UInt64) {
        self.rest.storeBytes(of: value.littleEndian, as: UInt64.self)
        self.byteCount += 8
    }

    @inline(__always)
    mutating func number(_ tag: UInt8, _ value: Int64) {
        guard value != 0 else { return }
        self.byte(tag)
        self.varint(UInt64(bitPattern: value))
    }

    /// A text, left out where it is empty.
    @inline(__always)
    mutating func text(_ tag: UInt8, _ text: UnsafeRawBufferPointer) {
        if text.count > 0 { self.bytes(tag, text) }
    }

    @inline(__always)
    mutating func bytes(_ tag: UInt8, _ bytes: UnsafeRawBufferPointer) {
        self.header(tag, bytes.count)
        precondition(bytes.count <= self.buffer.count - self.byteCount, "What is packed has room for its texts.")
        self.rest.copyMemory(from: bytes)
        self.byteCount += bytes.count
    }

    /// What stands before a message of so many bytes.
    @inline(__always)
    mutating func header(_ tag: UInt8, _ byteCount: Int) {
        self.byte(tag)
        self.varint(UInt64(byteCount))
    }

    /// A text of less than 128 bytes that `write` writes to the front of a buffer, and whose length it tells.
    @inline(__always)
    mutating func shortText(_ tag: UInt8, _ write: (UnsafeMutableRawBufferPointer) -> Int) {
        self.byte(tag)
        let length = self.byteCount
        self.byte(0)
        self.byteCount += write(self.rest)
        self.buffer[length] = UInt8(self.byteCount - length - 1)
    }

    @inline(__always)
    mutating func timestamp(_ tag: UInt8, _ time: Timestamp, _ secondsTag: UInt8, _ nanosecondsTag: UInt8) {
        self.byte(tag)
        let length = self.byteCount
        self.byte(0)
        self.number(secondsTag, time.seconds)
        self.number(nanosecondsTag, Int64(time.nanoseconds))
        self.buffer[length] = UInt8(self.byteCount - length - 1)
    }

    /// Writes a value of the repeated field `number` to the front of `buffer`, with what stands before it.
    ///
    /// - Parameters:
    ///   - valueByteCountMax: how many bytes `write` writes at most.
    ///   - allowedByteCount: how many bytes the whole may take.
    ///   - write: writes the value to the front of a buffer, and tells how many bytes that took.
    /// - Returns: how many bytes it took; none where they would be more than are allowed.
    /// - Precondition: `buffer` has room for ``PackedSize/element(_:_:)`` of the most that `write` writes.
    @inline(__always)
    static func element(
        _ number: UInt32, upTo valueByteCountMax: Int, allowedByteCount: Int,
        into buffer: UnsafeMutableRawBufferPointer, _ write: (UnsafeMutableRawBufferPointer) -> Int
    ) -> Int {
        // How long the value is comes to light with the writing: its length is put before it afterwards.
        let headerByteCountMax = PackedSize.element(number, valueByteCountMax) - valueByteCountMax
        let value = UnsafeMutableRawBufferPointer(rebasing: buffer[headerByteCountMax...])
        let byteCount = write(value)
        let allByteCount = PackedSize.element(number, byteCount)
        guard allByteCount <= allowedByteCount else { return 0 }
        let headerByteCount = allByteCount - byteCount
        if headerByteCount < headerByteCountMax {
            // The length takes fewer bytes than that of the longest value that it might have been.
            UnsafeMutableRawBufferPointer(rebasing: buffer[headerByteCount...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: value[..<byteCount]))
        }
        var header = PackedOutput(buffer)
        header.varint(UInt64(number) << 3 | 2)
        header.varint(UInt64(byteCount))
        return allByteCount
    }
}
