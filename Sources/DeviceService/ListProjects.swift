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
        let name = MethodName.projects("ListProjects")
        return self.reading(name, Messages.listProjectsRequest) { request, arena, _, reply in
            var check = FieldCheck()
            let (size, position, includesTotal) = check.page(request.pointee, limits: self.registry.limits)
            try check.finish()
            let list = CatalogList(method: name, project: nil, storeID: self.registry.storeID)
            let page = try CatalogPage<ProjectID>(size: size, position: position, of: list)
            let (records, totalCount) = self.registry.read { index in
                let totalCount = index.projectCount
                return (index.projects(after: page.after, limit: page.readCount(listCount: totalCount)), totalCount)
            }
            let part = page.cut(records) { $0.id }
            for record in part.items {
                _ = reply.append(arena.message(Project(record)), asElementOf: 1)
            }
            reply.append(
                arena.pageEnd(
                    Messages.listProjectsResponse, nextPageToken: part.nextPageToken,
                    totalCount: includesTotal ? Int64(totalCount) : nil))
        }
    }
}
