// rollcall.v1.Devices/DeleteDevice

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Deletes a device with its attributes.
    var deleteDevice: Method {
        self.mutating(.devices("DeleteDevice"), Messages.deleteDeviceRequest) { message, check in
            let message = message.pointee
            let project = check.project(message.project)
            let deletion = check.deletion(message)
            return Draft(project: project, mutation: .deleteDevice(deletion), requestID: message.request_id)
        }
    }
}

extension FieldCheck {
    /// What a request asks to delete.
    mutating func deletion(_ message: Rollcall__V1__DeleteDeviceRequest) -> DeviceDeletion {
        let deletion = DeviceDeletion(
            serial: message.device_serial.string,
            etag: message.etag.bytes.isEmpty ? nil : message.etag.string,
            allowMissing: message.allow_missing != 0
        )
        self.serial(deletion.serial, field: "device_serial")
        return deletion
    }
}
