// Messages straight into a reply's buffer.

internal import DeviceQuery
internal import NIOCore
internal import ProtobufC

extension ByteBuffer {
    /// Packs a message into the buffer's own memory.
    mutating func append<Message>(_ message: UnsafeMutablePointer<Message>) {
        let byteCount = Encoding.packedByteCount(of: UnsafePointer(message))
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: byteCount) { buffer in
            Encoding.pack(UnsafePointer(message), into: buffer)
        }
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
        return self.appendElement(number, byteCount...byteCount, byteCountMax: byteCountMax) {
            Encoding.pack(UnsafePointer(message), into: $0)
        }
    }

    /// Appends an encoded message as the value of field `number`.
    mutating func append(_ message: ByteBuffer, asElementOf number: UInt32) {
        _ = self.appendElement(
            number, message.readableBytes...message.readableBytes, byteCountMax: .max
        ) { buffer in
            message.withUnsafeReadableBytes { bytes in
                buffer.copyMemory(from: bytes)
                return bytes.count
            }
        }
    }

    /// Packs a device without its attributes.
    mutating func append(_ device: BorrowedRecord, storeTag: UInt32) {
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: device.packedByteCountMax) {
            device.pack(into: $0, storeTag: storeTag)
        }
    }

    /// Packs a device without its attributes as a value of the repeated field `number`, as a message is.
    mutating func append(
        _ device: BorrowedRecord, storeTag: UInt32, asElementOf number: UInt32, byteCountMax: Int = .max
    ) -> Bool {
        self.appendElement(number, 0...device.packedByteCountMax, byteCountMax: byteCountMax) {
            device.pack(into: $0, storeTag: storeTag)
        }
    }

    /// Packs a device as a value of the repeated field `number`, with the fields of `rest` after those that every view has.
    mutating func append<Message>(
        _ device: BorrowedRecord, storeTag: UInt32, followedBy rest: UnsafeMutablePointer<Message>,
        asElementOf number: UInt32, byteCountMax: Int = .max
    ) -> Bool {
        let restByteCount = Encoding.packedByteCount(of: UnsafePointer(rest))
        let range = restByteCount...(device.packedByteCountMax + restByteCount)
        return self.appendElement(number, range, byteCountMax: byteCountMax) { buffer in
            let byteCount = device.pack(into: buffer, storeTag: storeTag)
            let end = UnsafeMutableRawBufferPointer(rebasing: buffer[byteCount...])
            return byteCount + Encoding.pack(UnsafePointer(rest), into: end)
        }
    }

    /// Writes a value of field `number` with what stands before it, unless the buffer would then have more than `byteCountMax`
    /// readable bytes.
    ///
    /// - Parameters:
    ///   - range: how many bytes `write` writes, as far as that is known: what goes too far even with the fewest takes no room.
    ///   - write: writes the value to the front of a buffer, and tells how many bytes that took.
    @inline(__always)
    mutating func appendElement(
        _ number: UInt32, _ range: ClosedRange<Int>, byteCountMax: Int,
        _ write: (UnsafeMutableRawBufferPointer) -> Int
    ) -> Bool {
        let allowedByteCount = byteCountMax - self.readableBytes
        guard range.lowerBound <= allowedByteCount else { return false }
        let room = PackedSize.element(number, range.upperBound)
        return self.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { buffer in
            PackedOutput.element(
                number, upTo: range.upperBound, allowedByteCount: allowedByteCount, into: buffer, write)
        } > 0
    }
}
