// rollcall.v1.Devices/ExportDevices

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Every device that matches, by id.
    var exportDevices: Method {
        let name = MethodName.devices("ExportDevices")
        let gate = self.gate(name)
        return Method(
            name,
            .stream(.server) { context, requests, responses in
                do {
                    let bytes = try await self.onlyMessage(of: requests)
                    let request = try bytes.withUnsafeReadableBytes { bytes in
                        try self.decode(Messages.exportDevicesRequest, bytes, of: context.peer, gate) { message, _ in
                            ExportDevicesRequest(message, limits: self.registry.limits)
                        }
                    }
                    let admission = Admission(gate: gate, peer: context.peer, project: request.project)
                    try await self.untilDrained { try await self.export(request, admission, to: responses) }
                } catch is CancellationError {
                    throw Status.cancelled("The export was given up.")
                } catch {
                    throw Status(reporting: error)
                }
            }
        )
    }

    private func export(
        _ request: ExportDevicesRequest, _ admission: Admission, to responses: ResponseWriter
    ) async throws {
        let walk = try self.walk(request)
        let byteCountMin = self.registry.limits.exportMessageByteCount
        var message = ByteBuffer()
        var progress = DeviceWalk.Progress.unfinished
        while progress == .unfinished {
            // Between two slices whoever waits has its turn, with the index as with the thread.
            await Task.yield()
            try Task.checkCancellation()
            if message.readableBytes == 0 { try await responses.waitForRoom() }
            try admission.renew()
            progress = self.registry.read { index in
                walk.advance(index) { device in
                    guard message.readableBytes < byteCountMin else { return false }
                    return message.append(device, request.view, storeTag: self.registry.storeTag, asElementOf: 1)
                }
            }
            guard progress != .projectGone else { throw RegistryError.projectNotFound(request.project) }
            if message.readableBytes >= byteCountMin || (progress == .finished && message.readableBytes > 0) {
                try await responses.write(message)
                message = ByteBuffer()
            }
        }
    }

    /// - Throws: every bad field of the request at once; `RegistryError` where there is no such project.
    private func walk(_ request: ExportDevicesRequest) throws -> DeviceWalk {
        try self.check(request)
        let now = self.registry.now()
        return try self.read(project: request.project) { index, project in
            try DeviceWalk(request.filter, in: project.id, of: index, now: now)
        }
    }
}

/// What a request asks for.
private struct ExportDevicesRequest: QueryRequest {
    let project: String
    let filter: DeviceFilter
    let view: DeviceView
    let violations: [FieldViolation]

    init(_ message: UnsafePointer<Rollcall__V1__ExportDevicesRequest>, limits: Limits) {
        var check = FieldCheck()
        self.project = check.project(message.pointee.project)
        self.filter = check.exportFilter(message)
        let isViewGiven = message.pointee.view != ROLLCALL__V1__DEVICE_VIEW__DEVICE_VIEW_UNSPECIFIED
        self.view = isViewGiven ? check.view(message.pointee.view) : .full
        check.filter(self.filter, valueCountMax: limits.filterValueCountMax)
        self.violations = check.violations
    }

    func violations(in project: ProjectID, of index: borrowing RegistryIndex) -> [FieldViolation] {
        index.violations(of: self.filter, in: project)
    }
}
