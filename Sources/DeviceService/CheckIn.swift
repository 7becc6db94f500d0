// rollcall.v1.Devices/CheckIn

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Records that a device was seen, and with which release and attributes.
    var checkIn: Method {
        let limits = self.registry.limits
        return self.mutating(.devices("CheckIn"), Messages.checkInRequest) { message, check in
            let message = message.pointee
            let project = check.project(message.project)
            let checkIn = check.checkIn(message, limits: limits)
            return Draft(project: project, mutation: .checkIn(checkIn))
        }
    }
}

extension FieldCheck {
    /// What a request reports.
    mutating func checkIn(_ message: Rollcall__V1__CheckInRequest, limits: Limits) -> CheckIn {
        var checkIn = CheckIn(
            serial: message.device_serial.string,
            time: self.timestamp(message.time, field: "time"),
            hardwareVersion: message.hardware_version.string,
            attributes: self.attributeUpdates(message.attributes, count: message.n_attributes, limits: limits),
            createMissing: message.create_missing != 0
        )
        self.serial(checkIn.serial, field: "device_serial")
        if let release = message.release?.pointee {
            let name = ReleaseName(version: release.version.string, revision: release.revision.string)
            self.releaseVersion(name.version, field: "release.version")
            self.releaseRevision(name.revision, field: "release.revision")
            checkIn.release = name
        }
        // Whether it is required depends on the device's existence, which the writer knows.
        if !checkIn.hardwareVersion.isEmpty {
            self.hardwareVersion(checkIn.hardwareVersion, field: "hardware_version")
        }
        return checkIn
    }
}
