// From a group where its texts lie in the index to a reply.

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceWire
internal import ProtobufC

extension Arena {
    /// `group` as a message, whose texts it borrows.
    func message(_ group: BorrowedGroup) -> UnsafeMutablePointer<Rollcall__V1__DeviceGroup> {
        let message = self.make(Messages.deviceGroup)
        let values: UnsafeMutablePointer<UnsafeMutablePointer<Rollcall__V1__GroupValue>?> = self.makePointerArray(
            count: Limits.groupKeyCountMax)
        values[0] = self.message(group.first)
        values[1] = group.second.map { self.message($0) }
        message.pointee.values = values
        message.pointee.n_values = group.second == nil ? 1 : 2
        message.pointee.count = group.count
        return message
    }

    /// `value` as a message, with nothing set where there is none.
    private func message(_ value: BorrowedGroupValue) -> UnsafeMutablePointer<Rollcall__V1__GroupValue> {
        let message = self.make(Messages.groupValue)
        switch value {
        case .none:
            break
        case .text(let text):
            message.pointee.kind_case = ROLLCALL__V1__GROUP_VALUE__KIND_STRING_VALUE
            message.pointee.string_value = self.text(text)
        case .int(let number):
            message.pointee.kind_case = ROLLCALL__V1__GROUP_VALUE__KIND_INT_VALUE
            message.pointee.int_value = number
        case .float(let number):
            message.pointee.kind_case = ROLLCALL__V1__GROUP_VALUE__KIND_FLOAT_VALUE
            message.pointee.float_value = number
        case .bool(let isTrue):
            message.pointee.kind_case = ROLLCALL__V1__GROUP_VALUE__KIND_BOOL_VALUE
            message.pointee.bool_value = isTrue ? 1 : 0
        case .activity(let activity):
            message.pointee.kind_case = ROLLCALL__V1__GROUP_VALUE__KIND_ACTIVITY_VALUE
            message.pointee.activity_value = activity.wire
        }
        return message
    }
}
