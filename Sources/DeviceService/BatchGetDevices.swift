// rollcall.v1.Devices/BatchGetDevices

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Devices by their serials, in the order asked.
    var batchGetDevices: Method {
        self.reading(.devices("BatchGetDevices"), Messages.batchGetDevicesRequest) { message, _, reply in
            let limits = self.registry.limits
            let request = try BatchGetDevicesRequest(message, limits: limits)
            var faults = request.faults
            let byteCountMax = reply.readableBytes + limits.messageByteCountMax
            try self.read(project: request.project) { index, project in
                for (place, serial) in request.serials {
                    guard let device = index.device(serial: serial, in: project.id) else {
                        let violation = FieldViolation(
                            field: "", description: "must be of a device; there is no \(quoted(serial.text))")
                        faults.refuse(place, [violation], .notFound, .deviceNotFound)
                        continue
                    }
                    let isAppended = reply.append(
                        device, request.view, storeTag: self.registry.storeTag, asElementOf: 1,
                        byteCountMax: byteCountMax)
                    guard isAppended else {
                        throw Status.limitExceeded(
                            "The devices take more than the \(limits.messageByteCountMax) bytes that a reply may have; ask for fewer at once."
                        )
                    }
                }
            }
            try faults.finish()
        }
    }
}

/// What a request asks for.
private struct BatchGetDevicesRequest {
    let project: String
    let view: DeviceView
    /// Valid serials with their places, none twice; they lie in the message.
    private(set) var serials: [(place: Int, serial: UnsafeRawBufferPointer)] = []
    /// What is wrong with the others.
    private(set) var faults = BatchFaults(list: "device_serials")

    /// - Throws: `InvalidFields` where more than a serial is bad.
    init(_ message: UnsafePointer<Rollcall__V1__BatchGetDevicesRequest>, limits: Limits) throws(InvalidFields) {
        let message = message.pointee
        var check = FieldCheck()
        self.project = check.project(message.project)
        self.view = check.view(message.view)
        check.itemCount(message.n_device_serials, field: "device_serials", limits: limits)
        var seen = SerialSet()
        let texts = UnsafeBufferPointer(start: message.device_serials, count: message.n_device_serials)
        for (place, text) in texts.prefix(limits.batchItemCountMax).enumerated() {
            let serial = text.string
            var itemCheck = FieldCheck()
            itemCheck.serial(serial, field: "")
            self.faults.refuse(place, itemCheck.violations)
            guard itemCheck.violations.isEmpty else { continue }
            if let earlier = seen.insert(serial, index: place) {
                self.faults.refuse(place, [.repeatedSerial(serial, "", of: "device_serials[\(earlier)]")])
            } else {
                self.serials.append((place, text.bytes))
            }
        }
        guard !check.violations.isEmpty else { return }
        for violation in self.faults.violations {
            check.refuse(violation.field, violation.description)
        }
        try check.finish()
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes as text.
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
