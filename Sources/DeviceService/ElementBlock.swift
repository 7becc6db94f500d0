// Values of a repeated field, gathered before they go to a reply.

internal import DeviceModel
internal import DeviceQuery
internal import NIOCore
internal import ProtobufC

/// Short values of a repeated field on their way to a reply: touching the memory of a reply takes about as long as writing a
/// device, so it is touched once for many.
///
/// What is in the block is in the reply after ``flush(to:)``, and not before.
///
/// Invariant: `byteCount` is at most that of `memory`, which belongs to the scope of the arena that was open when the block was
/// made; whoever makes one is done with it before that scope ends.
struct ElementBlock: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer
    private var byteCount = 0

    private static let memoryByteCount = 4_096

    init(_ arena: Arena) {
        self.memory = arena.bytes(count: Self.memoryByteCount)
    }

    /// Moves what is in the block to the end of `reply`.
    mutating func flush(to reply: inout ByteBuffer) {
        if self.byteCount > 0 { reply.writeBytes(UnsafeRawBufferPointer(rebasing: self.memory[..<self.byteCount])) }
        self.byteCount = 0
    }

    /// Packs as much of a device as a view has as a value of the repeated field `number`.
    ///
    /// - Parameter byteCountMax: how many readable bytes `reply` may have together with what is in the block.
    /// - Returns: False, with nothing written, where the value would take the reply past `byteCountMax`.
    @inline(__always)
    mutating func append(
        _ device: BorrowedDevice, _ view: DeviceView, storeTag: UInt32, asElementOf number: UInt32,
        of reply: inout ByteBuffer, byteCountMax: Int
    ) -> Bool {
        guard !device.showsAttributes(in: view) else {
            self.flush(to: &reply)
            return reply.append(
                device, view, storeTag: storeTag, asElementOf: number, byteCountMax: byteCountMax)
        }
        let record = device.record
        return self.append(number, upTo: record.packedByteCountMax, of: &reply, byteCountMax: byteCountMax) {
            record.pack(into: $0, storeTag: storeTag)
        }
    }

    /// Packs a group of a count as a value of the repeated field `number`, under the same limit.
    @inline(__always)
    mutating func append(
        _ group: BorrowedGroup, asElementOf number: UInt32, of reply: inout ByteBuffer, byteCountMax: Int
    ) -> Bool {
        self.append(number, upTo: group.packedByteCount, of: &reply, byteCountMax: byteCountMax) {
            group.pack(into: $0)
        }
    }

    /// - Parameter valueByteCountMax: how many bytes `write` writes at most.
    @inline(__always)
    private mutating func append(
        _ number: UInt32, upTo valueByteCountMax: Int, of reply: inout ByteBuffer, byteCountMax: Int,
        _ write: (UnsafeMutableRawBufferPointer) -> Int
    ) -> Bool {
        let room = PackedSize.element(number, valueByteCountMax)
        if room > self.memory.count - self.byteCount {
            self.flush(to: &reply)
            // What no block has room for goes to the reply itself.
            guard room <= self.memory.count else {
                return reply.appendElement(
                    number, 0...valueByteCountMax, byteCountMax: byteCountMax, write)
            }
        }
        let allowedByteCount = byteCountMax - reply.readableBytes - self.byteCount
        let rest = UnsafeMutableRawBufferPointer(rebasing: self.memory[self.byteCount...])
        let byteCount = PackedOutput.element(
            number, upTo: valueByteCountMax, allowedByteCount: allowedByteCount, into: rest, write)
        self.byteCount += byteCount
        return byteCount > 0
    }
}
