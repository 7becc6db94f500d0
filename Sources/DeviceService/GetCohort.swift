// rollcall.v1.Projects/GetCohort

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// One cohort by its slug, with its number of devices.
    var getCohort: Method {
        self.reading(.projects("GetCohort"), Messages.getCohortRequest) { message, arena, reply in
            var check = FieldCheck()
            let project = check.project(message.pointee.project)
            let slug = message.pointee.cohort.string
            check.slug(slug, field: "cohort")
            try check.finish()
            let cohort = try self.read(project: project) { index, record in
                guard let cohort = index.cohort(slug: slug, in: record.id) else {
                    throw RegistryError.cohortNotFound(slug, project: project)
                }
                return Cohort(cohort, deviceCount: index.deviceCount(inCohort: cohort.id, project: record.id))
            }
            reply.append(arena.message(cohort))
        }
    }
}
