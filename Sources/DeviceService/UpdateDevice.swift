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
            guard let update = check.update(message) else { return nil }
            return Draft(
                project: project,
                mutation: .updateDevice(update),
                validateOnly: message.validate_only != 0,
                requestID: message.request_id
            )
        }
    }
}

extension FieldCheck {
    /// What a request asks to change; nil where it has no device.
    mutating func update(_ message: Rollcall__V1__UpdateDeviceRequest) -> DeviceUpdate? {
        let mask = self.updateMask(message.update_mask, known: ["owner_ref", "hardware_version", "cohort"])
        guard let device = self.required(message.device, "device") else { return nil }
        let creation = DeviceCreation(device)
        var update = DeviceUpdate(
            serial: creation.serial,
            etag: device.etag.bytes.isEmpty ? nil : device.etag.string
        )
        self.serial(update.serial, field: "device.device_serial")
        if mask.includes("owner_ref", isPopulated: !creation.ownerRef.isEmpty) {
            self.ownerRef(creation.ownerRef, field: "device.owner_ref")
            update.ownerRef = creation.ownerRef
        }
        if mask.includes("hardware_version", isPopulated: !creation.hardwareVersion.isEmpty) {
            self.hardwareVersion(creation.hardwareVersion, field: "device.hardware_version")
            update.hardwareVersion = creation.hardwareVersion
        }
        if mask.includes("cohort", isPopulated: creation.cohort != nil) {
            // Named and left empty, a field takes its default.
            let cohort = creation.cohort ?? Cohort.defaultSlug
            self.slug(cohort, field: "device.cohort.slug")
            update.cohort = cohort
        }
        if message.allow_missing != 0 {
            // The mask is about a device that is there: one that is not is made of all that is populated (AIP-134).
            update.creation = creation
        }
        return update
    }
}
