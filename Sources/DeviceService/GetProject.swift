// rollcall.v1.Projects/GetProject

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// One project by its slug.
    var getProject: Method {
        self.reading(.projects("GetProject"), Messages.getProjectRequest) { message, arena, reply in
            var check = FieldCheck()
            let slug = check.project(message.pointee.project)
            try check.finish()
            let record = try self.read(project: slug) { _, record in record }
            reply.append(arena.message(Project(record)))
        }
    }
}
