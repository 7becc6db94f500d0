// Messages straight into a reply's buffer.

internal import DeviceWire
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
    mutating func append(_ device: DeviceSource) {
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: device.packedByteCountMax) { device.pack(into: $0) }
    }

    /// Packs a device without its attributes as a value of the repeated field `number`, as a message is.
    mutating func append(_ device: DeviceSource, asElementOf number: UInt32, byteCountMax: Int = .max) -> Bool {
        self.appendElement(number, 0...device.packedByteCountMax, byteCountMax: byteCountMax) {
            device.pack(into: $0)
        }
    }

    /// Packs a device as a value of the repeated field `number`, with the fields of `rest` after those that every view has.
    mutating func append<Message>(
        _ device: DeviceSource, followedBy rest: UnsafeMutablePointer<Message>, asElementOf number: UInt32,
        byteCountMax: Int = .max
    ) -> Bool {
        let restByteCount = Encoding.packedByteCount(of: UnsafePointer(rest))
        let range = restByteCount...(device.packedByteCountMax + restByteCount)
        return self.appendElement(number, range, byteCountMax: byteCountMax) { buffer in
            let byteCount = device.pack(into: buffer)
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
    private mutating func appendElement(
        _ number: UInt32, _ range: ClosedRange<Int>, byteCountMax: Int,
        _ write: (UnsafeMutableRawBufferPointer) -> Int
    ) -> Bool {
        let tag = UInt64(number) << 3 | 2
        let tagByteCount = tag.varintByteCount
        let headerByteCountMax = tagByteCount + UInt64(range.upperBound).varintByteCount
        let allowed = byteCountMax - self.readableBytes
        guard range.lowerBound <= allowed else { return false }
        return self.writeWithUnsafeMutableBytes(minimumWritableBytes: headerByteCountMax + range.upperBound) { buffer in
            let value = UnsafeMutableRawBufferPointer(rebasing: buffer[headerByteCountMax...])
            let byteCount = write(value)
            let headerByteCount = tagByteCount + UInt64(byteCount).varintByteCount
            guard headerByteCount + byteCount <= allowed else { return 0 }
            if headerByteCount < headerByteCountMax {
                // Its length takes fewer bytes than those of the most that it might have been.
                UnsafeMutableRawBufferPointer(rebasing: buffer[headerByteCount...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: value[..<byteCount]))
            }
            buffer.storeVarint(tag, at: 0)
            buffer.storeVarint(UInt64(byteCount), at: tagByteCount)
            return headerByteCount + byteCount
        } > 0
    }
}

extension UInt64 {
    /// Seven bits a byte; zero takes one.
    fileprivate var varintByteCount: Int { (70 - (self | 1).leadingZeroBitCount) / 7 }
}

extension UnsafeMutableRawBufferPointer {
    @inline(__always)
    fileprivate func storeVarint(_ value: UInt64, at start: Int) {
        var (rest, place) = (value, start)
        while rest >= 0x80 {
            self[place] = UInt8(truncatingIfNeeded: rest) | 0x80
            rest >>= 7
            place += 1
        }
        self[place] = UInt8(truncatingIfNeeded: rest)
    }
}
