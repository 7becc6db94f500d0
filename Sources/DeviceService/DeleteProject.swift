// rollcall.v1.Projects/DeleteProject

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Deletes a project without devices.
    var deleteProject: Method {
        self.mutating(.projects("DeleteProject"), Messages.deleteProjectRequest) { message, check in
            Draft(
                project: check.project(message.pointee.project),
                mutation: .deleteProject(allowMissing: message.pointee.allow_missing != 0),
                requestID: message.pointee.request_id
            )
        }
    }
}
