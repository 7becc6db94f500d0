// rollcall.v1.Devices/UpdateDevice

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Changes the owner, hardware version or cohort of a device.
    var updateDevice: Method {
        self.mutating(.devices("UpdateDevice"), Messages.updateDeviceRequest) { message, check in
            let message = message.pointee
            let project = check.project(message.project)
            let mask = check.updateMask(message.update_mask, known: ["owner_ref", "hardware_version", "cohort"])
            guard let device = check.required(message.device, "device") else { return nil }
            var update = DeviceUpdate(
                serial: device.device_serial.string,
                etag: device.etag.bytes.isEmpty ? nil : device.etag.string,
                allowMissing: message.allow_missing != 0
            )
            check.serial(update.serial, field: "device.device_serial")
            if mask.includes("owner_ref", isPopulated: !device.owner_ref.bytes.isEmpty) {
                let ownerRef = device.owner_ref.string
                check.ownerRef(ownerRef, field: "device.owner_ref")
                update.ownerRef = ownerRef
            }
            if mask.includes("hardware_version", isPopulated: !device.hardware_version.bytes.isEmpty) {
                let hardwareVersion = device.hardware_version.string
                check.hardwareVersion(hardwareVersion, field: "device.hardware_version")
                update.hardwareVersion = hardwareVersion
            }
            let cohort = check.cohort(device.cohort)
            if mask.includes("cohort", isPopulated: cohort != nil) {
                // Named and left empty, a field takes its default.
                update.cohort = cohort ?? Cohort.defaultSlug
            }
            return Draft(
                project: project,
                mutation: .updateDevice(update),
                validateOnly: message.validate_only != 0,
                requestID: message.request_id
            )
        }
    }
}
