// rollcall.v1.Projects/DeleteCohort

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Deletes a cohort without devices.
    var deleteCohort: Method {
        self.mutating(.projects("DeleteCohort"), Messages.deleteCohortRequest) { message, check in
            let message = message.pointee
            let project = check.project(message.project)
            let slug = message.cohort.string
            check.slug(slug, field: "cohort")
            return Draft(
                project: project,
                mutation: .deleteCohort(slug: slug, allowMissing: message.allow_missing != 0),
                requestID: message.request_id
            )
        }
    }
}
