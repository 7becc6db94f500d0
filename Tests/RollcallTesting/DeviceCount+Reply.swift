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

    private func message(_ group: DeviceGroup) -> UnsafeMutablePointer<Rollcall__V1__DeviceGroup> {
        let message = self.make(Messages.deviceGroup)
        message.pointee.values = self.makePointerArray(count: group.values.count)
        message.pointee.n_values = group.values.count
        for (index, value) in group.values.enumerated() { message.pointee.values[index] = self.message(value) }
        message.pointee.count = group.count
        return message
    }
}
