// rollcall.v1.Projects/ListCohorts

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// A page of a project's cohorts, by id.
    var listCohorts: Method {
        self.listing(
            .projects("ListCohorts"), Messages.listCohortsRequest, Messages.listCohortsResponse,
            count: { index, project in index.cohortCount(in: project) },
            items: { index, project, after, limit in index.cohorts(in: project, after: after, limit: limit) },
            place: { $0.record.id },
            message: { arena, cohort in arena.message(Cohort(cohort.record, deviceCount: cohort.deviceCount)) }
        )
    }
}
