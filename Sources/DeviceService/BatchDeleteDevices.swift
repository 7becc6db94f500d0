// rollcall.v1.Devices/BatchDeleteDevices

internal import CRollcallProto
internal import DeviceRegistry
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Deletes devices, all or none.
    var batchDeleteDevices: Method {
        self.batching(
            .devices("BatchDeleteDevices"), Messages.batchDeleteDevicesRequest, { $1.deletion($0) },
            { .deleteDevices($0) })
    }
}
