// rollcall.v1.Projects/ListHardwareVersions

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// A page of the hardware versions of a project's devices, by their bytes.
    var listHardwareVersions: Method {
        self.listing(
            .projects("ListHardwareVersions"), Messages.listHardwareVersionsRequest,
            Messages.listHardwareVersionsResponse,
            count: { index, project in index.hardwareVersionCount(in: project) },
            items: { index, project, after, limit in index.hardwareVersions(in: project, after: after, limit: limit) },
            place: { $0.text },
            message: { arena, version in
                arena.message(
                    HardwareVersion(hardwareVersion: version.text, deviceCount: Int64(version.deviceCount)))
            }
        )
    }
}
