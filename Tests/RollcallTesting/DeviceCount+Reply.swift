// A count as a server replies with it.

package import CRollcallProto
package import DeviceModel
internal import DeviceWire
package import ProtobufC

extension Arena {
    /// A count as a whole reply.
    package func reply(_ count: DeviceCount) -> UnsafeMutablePointer<Rollcall__V1__CountDevicesResponse> {
        let reply = self.make(Messages.countDevicesResponse)
        reply.pointee.count = count.count
        reply.pointee.groups = self.makePointerArray(count: count.groups.count)
        reply.pointee.n_groups = count.groups.count
        for (index, group) in count.groups.enumerated() {
            reply.pointee.groups[index] = self.message(group)
        }
        reply.pointee.other_count = count.otherCount
        reply.pointee.explanation = count.explanation.map { self.message($0) }
        return reply
    }

    /// A group of a count's reply.
    package func message(_ group: DeviceGroup) -> UnsafeMutablePointer<Rollcall__V1__DeviceGroup> {
        let message = self.make(Messages.deviceGroup)
        message.pointee.values = self.makePointerArray(count: group.values.count)
        message.pointee.n_values = group.values.count
        for (index, value) in group.values.enumerated() { message.pointee.values[index] = self.message(value) }
        message.pointee.count = group.count
        return message
    }

    /// `value` as a message, with nothing set where there is none.
    private func message(_ value: GroupValue) -> UnsafeMutablePointer<Rollcall__V1__GroupValue> {
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
