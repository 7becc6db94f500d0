// rollcall.v1.Devices/GetDeviceAttributes

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// A device's attributes, all of them or those whose key matches.
    var getDeviceAttributes: Method {
        self.reading(.devices("GetDeviceAttributes"), Messages.getDeviceAttributesRequest) { message, arena, reply in
            var check = FieldCheck()
            let project = check.project(message.pointee.project)
            let serial = message.pointee.device_serial
            check.serial(serial.string, field: "device_serial")
            let patternByteCount = message.pointee.key_pattern.bytes.count
            if patternByteCount > KeyPattern.byteCountMax {
                check.refuse(
                    "key_pattern", "must be at most \(KeyPattern.byteCountMax) bytes long, not \(patternByteCount)")
            }
            try check.finish()
            let pattern = KeyPattern(message.pointee.key_pattern.string)
            let etag = try self.read(project: project) { index, record in
                guard let device = index.device(serial: serial.bytes, in: record.id) else {
                    throw RegistryError.deviceNotFound(serial.string, project: project)
                }
                device.forEachAttribute { key, state in
                    guard pattern.matches(key.metric.stringKey) else { return }
                    arena.scope { arena in
                        _ = reply.append(arena.message(key.metric, state), asElementOf: 1)
                    }
                }
                return Etag(storeTag: self.registry.storeTag, revision: device.etagRevision)
            }
            let rest = arena.make(Messages.getDeviceAttributesResponse)
            rest.pointee.etag = arena.text(etag)
            reply.append(rest)
        }
    }
}
