// rollcall.v1.Devices/ListDevices

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// A page of the devices that match.
    var listDevices: Method {
        self.reading(.devices("ListDevices"), Messages.listDevicesRequest) { message, arena, _, reply in
            var check = FieldCheck()
            let project = check.project(message.pointee.project)
            let query = check.listQuery(message, limits: self.registry.limits)
            let view = check.view(message.pointee.view)
            // The engine checks the filter too; asked here, it names what is wrong together with the rest. The token is its
            // own to check: it means something only next to a filter and a sort that are in order.
            check.filter(query.filter, limits: self.registry.limits)
            try check.finish()
            let page = try self.read(project: project) { index, project in
                try self.append(query, of: project.id, in: index, view: view, to: &reply, arena)
            }
            // The fields after the list, by a message whose list is empty.
            let rest = arena.make(Messages.listDevicesResponse)
            rest.pointee.next_page_token = arena.text(page.nextPageToken)
            rest.pointee.total_count = page.totalCount ?? 0
            reply.append(rest)
        }
    }

    /// Writes the page's devices as elements of the reply while the index walks them, so that nothing is collected.
    private func append(
        _ query: ListQuery,
        of project: ProjectID,
        in index: borrowing RegistryIndex,
        view: DeviceView,
        to reply: inout ByteBuffer,
        _ arena: Arena
    ) throws(InvalidFields) -> ListPage {
        let byteCountMax = reply.readableBytes + self.registry.limits.pageByteCountMax
        let storeTag = self.registry.storeTag
        var isFirst = true
        return try index.list(query, in: project, now: self.registry.now()) { device in
            // The first device is taken whatever its size: a page without one would not lead on.
            let byteCountMax = isFirst ? .max : byteCountMax
            isFirst = false
            switch view {
            case .basic:
                return reply.append(
                    DeviceSource(device, storeTag: storeTag), asElementOf: 1, byteCountMax: byteCountMax)
            case .full:
                return arena.scope { arena in
                    reply.append(
                        arena.fullMessage(device, storeTag: storeTag), asElementOf: 1, byteCountMax: byteCountMax)
                }
            }
        }
    }
}
