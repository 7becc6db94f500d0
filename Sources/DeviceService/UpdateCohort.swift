// rollcall.v1.Projects/UpdateCohort

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Renames a cohort.
    var updateCohort: Method {
        self.mutating(.projects("UpdateCohort"), Messages.updateCohortRequest) { message, check in
            let message = message.pointee
            let project = check.project(message.project)
            // The name is all there is to change: whether the mask names it or leaves it to what is populated, it must be there.
            _ = check.updateMask(message.update_mask, known: ["name"])
            guard let cohort = check.required(message.cohort, "cohort") else { return nil }
            let slug = cohort.slug.string
            check.slug(slug, field: "cohort.slug")
            let name = cohort.name.string
            check.name(name, field: "cohort.name")
            return Draft(
                project: project,
                mutation: .renameCohort(slug: slug, name: name),
                validateOnly: message.validate_only != 0,
                requestID: message.request_id
            )
        }
    }
}
