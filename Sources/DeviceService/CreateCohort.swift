// rollcall.v1.Projects/CreateCohort

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Creates a cohort in a project.
    var createCohort: Method {
        self.mutating(.projects("CreateCohort"), Messages.createCohortRequest) { message, check in
            let message = message.pointee
            let project = check.project(message.project)
            guard let cohort = check.required(message.cohort, "cohort") else { return nil }
            let slug = cohort.slug.string
            check.slug(slug, field: "cohort.slug")
            let name = check.name(cohort.name, orSlug: slug, field: "cohort.name")
            return Draft(
                project: project,
                mutation: .createCohort(slug: slug, name: name),
                validateOnly: message.validate_only != 0,
                requestID: message.request_id
            )
        }
    }
}
