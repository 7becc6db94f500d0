// rollcall.v1.Devices/BatchUpdateDevices

internal import CRollcallProto
internal import DeviceRegistry
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Changes devices, all or none.
    var batchUpdateDevices: Method {
        self.batching(
            .devices("BatchUpdateDevices"), Messages.batchUpdateDevicesRequest, { $1.update($0) },
            { .updateDevices($0) })
    }
}
