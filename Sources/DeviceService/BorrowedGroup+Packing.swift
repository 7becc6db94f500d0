// A group of a count straight into its bytes, as a device is: there may be thousands of them in a reply.

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceWire

extension BorrowedGroup {
    /// The field numbers of `rollcall.v1.DeviceGroup`, each with its wire type.
    private enum Tag {
        static let values: UInt8 = 1 << 3 | 2
        static let count: UInt8 = 2 << 3
    }

    /// How many bytes ``pack(into:)`` writes.
    var packedByteCount: Int {
        var byteCount = PackedSize.bytes(self.first.packedByteCount) + PackedSize.number(self.count)
        if let second = self.second { byteCount += PackedSize.bytes(second.packedByteCount) }
        return byteCount
    }

    /// Writes the group to the front of `buffer`, and returns how many bytes that took.
    ///
    /// - Precondition: `buffer` has room for ``packedByteCount`` bytes.
    func pack(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var output = PackedOutput(buffer)
        output.header(Tag.values, self.first.packedByteCount)
        self.first.pack(to: &output)
        if let second = self.second {
            output.header(Tag.values, second.packedByteCount)
            second.pack(to: &output)
        }
        output.number(Tag.count, self.count)
        return output.byteCount
    }
}

extension BorrowedGroupValue {
    /// The field numbers of `rollcall.v1.GroupValue`, each with its wire type. One that is set is written even where it is zero.
    private enum Tag {
        static let text: UInt8 = 1 << 3 | 2
        static let int: UInt8 = 2 << 3
        static let float: UInt8 = 3 << 3 | 1
        static let bool: UInt8 = 4 << 3
        static let activity: UInt8 = 5 << 3
    }

    fileprivate var packedByteCount: Int {
        switch self {
        case .none: 0
        case .text(let text): PackedSize.bytes(text.count)
        case .int(let number): 1 + PackedSize.varint(UInt64(bitPattern: number))
        case .float: 1 + 8
        case .bool: 1 + 1
        case .activity(let activity): 1 + PackedSize.varint(UInt64(activity.wire.rawValue))
        }
    }

    fileprivate func pack(to output: inout PackedOutput) {
        switch self {
        case .none:
            break
        case .text(let text):
            output.bytes(Tag.text, text)
        case .int(let number):
            output.byte(Tag.int)
            output.varint(UInt64(bitPattern: number))
        case .float(let number):
            output.byte(Tag.float)
            output.fixed(number.bitPattern)
        case .bool(let isTrue):
            output.byte(Tag.bool)
            output.byte(isTrue ? 1 : 0)
        case .activity(let activity):
            output.byte(Tag.activity)
            output.varint(UInt64(activity.wire.rawValue))
        }
    }
}
