// rollcall.v1.Projects/ListProjects

internal import Access
internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// A page of the projects that the caller has a role in, by id.
    var listProjects: Method {
        let name = MethodName.projects("ListProjects")
        return self.readingServer(name, Messages.listProjectsRequest) { request, arena, peer, reply in
            var check = FieldCheck()
            let (size, position, includesTotal) = check.page(request.pointee, limits: self.registry.limits)
            try check.finish()
            let list = CatalogList(method: name, project: nil, storeID: self.registry.storeID)
            let page = try CatalogPage<ProjectID>(size: size, position: position, of: list)
            let visible = VisibleProjects(peer.rights.grants)
            let (records, totalCount) = self.registry.read { index in
                let totalCount = visible.count(in: index)
                return (visible.list(index, after: page.after, page.readCount(listCount: totalCount)), totalCount)
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

/// The projects whose existence a caller may know of.
private struct VisibleProjects {
    /// Nil where it may know of all.
    private let slugs: [String]?

    init(_ grants: Grants) {
        self.slugs = grants.everywhere.isEmpty ? grants.projects.map(\.slug) : nil
    }

    func count(in index: borrowing RegistryIndex) -> Int {
        self.slugs.map { self.records($0, index).count } ?? index.projectCount
    }

    func list(_ index: borrowing RegistryIndex, after: ProjectID?, _ limit: Int) -> [ProjectRecord] {
        guard let slugs = self.slugs else { return index.projects(after: after, limit: limit) }
        let records = self.records(slugs, index).filter { record in after.map { record.id > $0 } ?? true }
        return Array(records.prefix(limit))
    }

    private func records(_ slugs: [String], _ index: borrowing RegistryIndex) -> [ProjectRecord] {
        slugs.compactMap { index.project(slug: $0) }.sorted { $0.id < $1.id }
    }
}
