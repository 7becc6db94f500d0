// rollcall.v1.Devices/CreateDevice

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Registers a device.
    var createDevice: Method {
        self.mutating(.devices("CreateDevice"), Messages.createDeviceRequest) { message, check in
            let message = message.pointee
            let project = check.project(message.project)
            guard let creation = check.creation(message) else { return nil }
            return Draft(
                project: project,
                mutation: .createDevice(creation),
                validateOnly: message.validate_only != 0,
                requestID: message.request_id
            )
        }
    }
}

extension FieldCheck {
    /// What a request asks to create; nil where it has no device.
    mutating func creation(_ message: Rollcall__V1__CreateDeviceRequest) -> DeviceCreation? {
        guard let device = self.required(message.device, "device") else { return nil }
        let creation = DeviceCreation(device)
        self.creation(creation)
        return creation
    }
}

extension DeviceCreation {
    /// What a request's device holds of the fields that a caller sets, as yet unchecked.
    init(_ device: Rollcall__V1__Device) {
        let cohort = device.cohort?.pointee.slug.string ?? ""
        self.init(
            serial: device.device_serial.string,
            ownerRef: device.owner_ref.string,
            hardwareVersion: device.hardware_version.string,
            cohort: cohort.isEmpty ? nil : cohort
        )
    }
}
