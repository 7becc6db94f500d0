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
            reply.pointee.groups[index] = self.message(self.borrowed(group, of: count))
        }
        reply.pointee.other_count = count.otherCount
        reply.pointee.explanation = count.explanation.map { self.message($0) }
        return reply
    }

    /// A group as an index shows it, whose texts are in the arena.
    private func borrowed(_ group: DeviceGroup, of count: DeviceCount) -> BorrowedGroup {
        let values = group.values.map { self.borrowed($0) }
        return BorrowedGroup(
            first: values[0], second: values.count > 1 ? values[1] : nil, count: group.count, totalCount: count.count)
    }

    private func borrowed(_ value: GroupValue) -> BorrowedGroupValue {
        switch value {
        case .none: return .none
        case .text(let text):
            let copy = self.text(text)
            return .text(UnsafeRawBufferPointer(start: copy.data, count: copy.len))
        case .int(let number): return .int(number)
        case .float(let number): return .float(number)
        case .bool(let isTrue): return .bool(isTrue)
        case .activity(let activity): return .activity(activity)
        }
    }
}
