// rollcall.v1.Projects/ListProjects

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// A page of the projects, by id.
    var listProjects: Method {
        self.reading(.projects("ListProjects"), Messages.listProjectsRequest) { message, arena, _, reply in
            let message = message.pointee
            var check = FieldCheck()
            let (size, position) = check.page(
                size: message.page_size, token: message.page_token, number: message.page, limits: self.registry.limits)
            try check.finish()
            let storeID = self.registry.storeID
            let page = try CatalogPage(size: size, position: position, of: .projects, storeID: storeID)
            let (records, totalCount) = self.registry.read { index in
                let totalCount = index.projectCount
                let after = page.after.map { ProjectID(rawValue: $0) }
                let limit = page.readCount(listCount: totalCount)
                return (index.projects(after: after, limit: limit), totalCount)
            }
            let (items, token) = page.cut(records, of: .projects, storeID: storeID) { $0.id.rawValue }
            for record in items {
                _ = reply.append(arena.message(Project(record)), asElementOf: 1)
            }
            // The fields after the list, by a message whose list is empty.
            let rest = arena.make(Messages.listProjectsResponse)
            rest.pointee.next_page_token = arena.text(token)
            rest.pointee.total_count = message.include_total != 0 ? Int64(totalCount) : 0
            reply.append(rest)
        }
    }
}
