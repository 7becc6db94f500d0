// rollcall.v1.Devices/BatchCreateDevices

internal import CRollcallProto
internal import DeviceRegistry
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Registers devices, all or none.
    var batchCreateDevices: Method {
        self.batching(
            .devices("BatchCreateDevices"), Messages.batchCreateDevicesRequest, { $1.creation($0) },
            { .createDevices($0) })
    }
}
