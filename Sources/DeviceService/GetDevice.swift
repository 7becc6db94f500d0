// rollcall.v1.Devices/GetDevice

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// One device by its serial.
    ///
    /// The call that is made most: names stay bytes from the request to the index and texts from the index to the reply. A
    /// serial that is found is valid, so its characters are looked at only where it is not.
    var getDevice: Method {
        self.reading(.devices("GetDevice"), Messages.getDeviceRequest) { message, _, reply in
            let found = self.findDevice(
                message.pointee.device_serial.bytes,
                project: message.pointee.project.bytes,
                view: DeviceView(message.pointee.view)
            ) { device, view in
                reply.append(device, view, storeTag: self.registry.storeTag)
            }
            guard found == .device else {
                throw try Self.refusal(of: message, found: found)
            }
        }
    }

    private enum Found {
        case device, noDevice, noProject, noView
    }

    @inline(__always)
    private func findDevice(
        _ serial: UnsafeRawBufferPointer,
        project slug: UnsafeRawBufferPointer,
        view: DeviceView?,
        _ body: (BorrowedDevice, DeviceView) -> Void
    ) -> Found {
        guard let view else { return .noView }
        return self.registry.read { index in
            guard let project: ProjectID = index.project(slug: slug) else { return .noProject }
            guard let device = index.device(serial: serial, in: project) else { return .noDevice }
            body(device, view)
            return .device
        }
    }

    /// Why there is no answer.
    ///
    /// - Throws: `InvalidFields` where the request could not have had one.
    private static func refusal(
        of message: UnsafePointer<Rollcall__V1__GetDeviceRequest>, found: Found
    ) throws(InvalidFields) -> RegistryError {
        var check = FieldCheck()
        let project = check.project(message.pointee.project)
        let serial = message.pointee.device_serial.string
        check.serial(serial, field: "device_serial")
        _ = check.view(message.pointee.view)
        try check.finish()
        return found == .noProject ? .projectNotFound(project) : .deviceNotFound(serial, project: project)
    }
}
