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
            guard let device = check.required(message.device, "device") else { return nil }
            let creation = DeviceCreation(
                serial: device.device_serial.string,
                ownerRef: device.owner_ref.string,
                hardwareVersion: device.hardware_version.string,
                cohort: check.cohort(device.cohort)
            )
            check.serial(creation.serial, field: "device.device_serial")
            check.ownerRef(creation.ownerRef, field: "device.owner_ref")
            check.hardwareVersion(creation.hardwareVersion, field: "device.hardware_version")
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
    /// The slug of the cohort that a request's device is to be in; nil where it names none.
    mutating func cohort(_ message: UnsafeMutablePointer<Rollcall__V1__Cohort>?) -> String? {
        guard let slug = message?.pointee.slug, !slug.bytes.isEmpty else { return nil }
        let text = slug.string
        self.slug(text, field: "device.cohort.slug")
        return text
    }
}
