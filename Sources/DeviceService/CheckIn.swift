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
            var checkIn = CheckIn(
                serial: message.device_serial.string,
                time: check.timestamp(message.time, field: "time"),
                hardwareVersion: message.hardware_version.string,
                attributes: check.attributeUpdates(message.attributes, count: message.n_attributes, limits: limits),
                createMissing: message.create_missing != 0
            )
            check.serial(checkIn.serial, field: "device_serial")
            if let release = message.release?.pointee {
                let name = ReleaseName(version: release.version.string, revision: release.revision.string)
                check.releaseVersion(name.version, field: "release.version")
                check.releaseRevision(name.revision, field: "release.revision")
                checkIn.release = name
            }
            // Whether it is required depends on the device's existence, which the writer knows.
            if !checkIn.hardwareVersion.isEmpty {
                check.hardwareVersion(checkIn.hardwareVersion, field: "hardware_version")
            }
            return Draft(project: project, mutation: .checkIn(checkIn))
        }
    }
}
