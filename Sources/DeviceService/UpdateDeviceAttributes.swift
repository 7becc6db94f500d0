// rollcall.v1.Devices/UpdateDeviceAttributes

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Writes attributes of a device, all or nothing.
    var updateDeviceAttributes: Method {
        let limits = self.registry.limits
        return self.mutating(.devices("UpdateDeviceAttributes"), Messages.updateDeviceAttributesRequest) {
            message, check in
            let message = message.pointee
            let project = check.project(message.project)
            let mode = check.updateMode(message.mode)
            let update = AttributesUpdate(
                serial: message.device_serial.string,
                updates: check.attributeUpdates(message.attributes, count: message.n_attributes, limits: limits),
                mode: mode,
                etag: message.etag.bytes.isEmpty ? nil : message.etag.string
            )
            check.serial(update.serial, field: "device_serial")
            if message.n_attributes == 0, mode == .merge {
                check.refuse("attributes", "must hold at least one entry unless the mode is REPLACE")
            }
            return Draft(project: project, mutation: .updateAttributes(update), requestID: message.request_id)
        }
    }
}

extension FieldCheck {
    fileprivate mutating func updateMode(_ mode: Rollcall__V1__UpdateMode) -> AttributesUpdate.Mode {
        switch mode {
        case ROLLCALL__V1__UPDATE_MODE__UPDATE_MODE_UNSPECIFIED, ROLLCALL__V1__UPDATE_MODE__UPDATE_MODE_MERGE:
            return .merge
        case ROLLCALL__V1__UPDATE_MODE__UPDATE_MODE_REPLACE:
            return .replace
        default:
            self.refuse("mode", "is \(mode.rawValue), which is not a mode; it takes MERGE (1) or REPLACE (2)")
            return .merge
        }
    }
}
