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

    private func message(_ value: BorrowedGroupValue) -> UnsafeMutablePointer<Rollcall__V1__GroupValue> {
        switch value {
        case .text(let text): self.groupValue(self.text(text))
        case .plain(let value): self.message(value)
        }
    }
}
