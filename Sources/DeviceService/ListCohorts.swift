// rollcall.v1.Projects/ListCohorts

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// A page of a project's cohorts, by id.
    var listCohorts: Method {
        self.reading(.projects("ListCohorts"), Messages.listCohortsRequest) { message, arena, _, reply in
            let message = message.pointee
            var check = FieldCheck()
            let project = check.project(message.project)
            let (size, position) = check.page(
                size: message.page_size, token: message.page_token, number: message.page, limits: self.registry.limits)
            try check.finish()
            let storeID = self.registry.storeID
            let (cohorts, token, totalCount) = try self.read(project: project) { index, record in
                let list = CatalogList.cohorts(record.id)
                let page = try CatalogPage(size: size, position: position, of: list, storeID: storeID)
                let totalCount = index.cohortCount(in: record.id)
                let read = index.cohorts(
                    in: record.id,
                    after: page.after.map { CohortID(rawValue: $0) },
                    limit: page.readCount(listCount: totalCount)
                )
                let (items, token) = page.cut(read, of: list, storeID: storeID) { $0.0.id.rawValue }
                return (items.map { Cohort($0.0, deviceCount: $0.deviceCount) }, token, totalCount)
            }
            for cohort in cohorts {
                _ = reply.append(arena.message(cohort), asElementOf: 1)
            }
            // The fields after the list, by a message whose list is empty.
            let rest = arena.make(Messages.listCohortsResponse)
            rest.pointee.next_page_token = arena.text(token)
            rest.pointee.total_count = message.include_total != 0 ? Int64(totalCount) : 0
            reply.append(rest)
        }
    }
}
