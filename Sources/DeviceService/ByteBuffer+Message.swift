// Messages straight into a reply's buffer.

internal import DeviceWire
internal import NIOCore
internal import ProtobufC

extension ByteBuffer {
    /// Packs a message into the buffer's own memory.
    mutating func append<Message>(_ message: UnsafeMutablePointer<Message>) {
        self.pack(message, byteCount: Encoding.packedByteCount(of: UnsafePointer(message)))
    }

    /// Packs a message as a value of the repeated field `number`.
    ///
    /// An encoded message is its encoded fields in a row, so a reply can be written one element at a time, and the fields
    /// that follow the list after it.
    /// - Parameter byteCountMax: The length that the buffer's readable bytes may have afterwards.
    /// - Returns: False, with nothing written, where the value would take the buffer past `byteCountMax`.
    mutating func append<Message>(
        _ message: UnsafeMutablePointer<Message>, asElementOf number: UInt32, byteCountMax: Int = .max
    ) -> Bool {
        let byteCount = Encoding.packedByteCount(of: UnsafePointer(message))
        guard self.beginElement(number, byteCount: byteCount, byteCountMax: byteCountMax) else { return false }
        self.pack(message, byteCount: byteCount)
        return true
    }

    /// Appends an encoded message as the value of field `number`.
    mutating func append(_ message: ByteBuffer, asElementOf number: UInt32) {
        _ = self.beginElement(number, byteCount: message.readableBytes, byteCountMax: .max)
        self.writeImmutableBuffer(message)
    }

    /// Packs a device without its attributes.
    mutating func append(_ device: DeviceSource) {
        self.pack(device, byteCount: device.packedByteCount)
    }

    /// Packs a device without its attributes as a value of the repeated field `number`, as a message is.
    mutating func append(_ device: DeviceSource, asElementOf number: UInt32, byteCountMax: Int = .max) -> Bool {
        let byteCount = device.packedByteCount
        guard self.beginElement(number, byteCount: byteCount, byteCountMax: byteCountMax) else { return false }
        self.pack(device, byteCount: byteCount)
        return true
    }

    /// Packs a device as a value of the repeated field `number`, with the fields of `rest` after those that every view has.
    mutating func append<Message>(
        _ device: DeviceSource, followedBy rest: UnsafeMutablePointer<Message>, asElementOf number: UInt32,
        byteCountMax: Int = .max
    ) -> Bool {
        let (byteCount, restByteCount) = (device.packedByteCount, Encoding.packedByteCount(of: UnsafePointer(rest)))
        guard self.beginElement(number, byteCount: byteCount + restByteCount, byteCountMax: byteCountMax) else {
            return false
        }
        self.pack(device, byteCount: byteCount)
        self.pack(rest, byteCount: restByteCount)
        return true
    }

    /// Writes what stands before a value of `byteCount` bytes, unless the value would go past `byteCountMax`.
    private mutating func beginElement(_ number: UInt32, byteCount: Int, byteCountMax: Int) -> Bool {
        let tag = UInt64(number) << 3 | 2
        let total = Self.varintByteCount(tag) + Self.varintByteCount(UInt64(byteCount)) + byteCount
        guard total <= byteCountMax - self.readableBytes else { return false }
        self.writeVarint(tag)
        self.writeVarint(UInt64(byteCount))
        return true
    }

    private mutating func pack(_ device: DeviceSource, byteCount: Int) {
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: byteCount) { device.pack(into: $0) }
    }

    private mutating func pack<Message>(_ message: UnsafeMutablePointer<Message>, byteCount: Int) {
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: byteCount) { buffer in
            Encoding.pack(UnsafePointer(message), into: buffer)
        }
    }

    private mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.writeInteger(UInt8(truncatingIfNeeded: rest))
    }

    private static func varintByteCount(_ value: UInt64) -> Int {
        Swift.max(1, (UInt64.bitWidth - value.leadingZeroBitCount + 6) / 7)
    }
}
