// Values of a repeated field, gathered before they go to a reply.

internal import DeviceModel
internal import DeviceQuery
internal import NIOCore
internal import ProtobufC

/// Short values of a repeated field on their way to a reply: touching the memory of a reply takes about as long as writing a
/// device, so it is touched once for many.
///
/// What is in the block is in the reply after ``flush(to:)``, and not before.
struct ElementBlock: ~Copyable {
    private let block: UnsafeMutableRawBufferPointer
    private var byteCount = 0

    private static let byteCountMax = 4_096

    /// - Parameter arena: has the block's memory, for as long as the scope lasts in which it is made.
    init(_ arena: Arena) {
        self.block = arena.bytes(count: Self.byteCountMax)
    }

    /// Moves what is in the block to the end of `reply`.
    mutating func flush(to reply: inout ByteBuffer) {
        if self.byteCount > 0 { reply.writeBytes(UnsafeRawBufferPointer(rebasing: self.block[..<self.byteCount])) }
        self.byteCount = 0
    }

    /// Packs as much of a device as a view has as a value of the repeated field `number`.
    ///
    /// - Parameter byteCountMax: how many readable bytes `reply` may have with all that is in the block.
    /// - Returns: False, with nothing written, where the value would take the reply past `byteCountMax`.
    @inline(__always)
    mutating func append(
        _ device: BorrowedDevice, _ view: DeviceView, storeTag: UInt32, asElementOf number: UInt32,
        of reply: inout ByteBuffer, byteCountMax: Int
    ) -> Bool {
        guard view == .basic || device.attributeCount == 0 else {
            self.flush(to: &reply)
            return reply.append(
                device, view, storeTag: storeTag, asElementOf: number, byteCountMax: byteCountMax)
        }
        let record = device.record
        return self.append(number, 0...record.packedByteCountMax, of: &reply, byteCountMax: byteCountMax) {
            record.pack(into: $0, storeTag: storeTag)
        }
    }

    /// Packs a group of a count as a value of the repeated field `number`; otherwise as a device is appended.
    @inline(__always)
    mutating func append(
        _ group: BorrowedGroup, asElementOf number: UInt32, of reply: inout ByteBuffer, byteCountMax: Int
    ) -> Bool {
        let byteCount = group.packedByteCount
        return self.append(number, byteCount...byteCount, of: &reply, byteCountMax: byteCountMax) {
            group.pack(into: $0)
        }
    }

    /// See ``PackedOutput/element(_:_:allowed:into:_:)``.
    @inline(__always)
    private mutating func append(
        _ number: UInt32, _ range: ClosedRange<Int>, of reply: inout ByteBuffer, byteCountMax: Int,
        _ write: (UnsafeMutableRawBufferPointer) -> Int
    ) -> Bool {
        let room = PackedSize.element(number, range.upperBound)
        if room > self.block.count - self.byteCount {
            self.flush(to: &reply)
            // What no block has room for goes to the reply itself.
            guard room <= self.block.count else {
                return reply.appendElement(number, range, byteCountMax: byteCountMax, write)
            }
        }
        let allowed = byteCountMax - reply.readableBytes - self.byteCount
        let rest = UnsafeMutableRawBufferPointer(rebasing: self.block[self.byteCount...])
        let byteCount = PackedOutput.element(number, range, allowed: allowed, into: rest, write)
        self.byteCount += byteCount
        return byteCount > 0
    }
}
