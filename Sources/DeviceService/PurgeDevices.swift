// rollcall.v1.Devices/PurgeDevices

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import FoundationEssentials
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Deletes the devices that match a filter.
    var purgeDevices: Method {
        let name = MethodName.devices("PurgeDevices")
        let methodName = name.description
        let gate = self.gate(name)
        return Method(
            name,
            .deferred { context, bytes, reply in
                var reply = reply
                do throws(Status) {
                    let request = try self.decode(
                        Messages.purgeDevicesRequest, bytes, of: context.peer, gate
                    ) { message, _ in
                        reply = gate.recording(reply, context.peer, message.pointee)
                        let request = PurgeDevicesRequest(message, limits: self.registry.limits)
                        try self.check(request)
                        return request
                    }
                    self.registry.purge(
                        request.purge,
                        in: request.project,
                        identity: request.identity(of: context.peer, method: methodName),
                        onlyCounts: request.onlyCounts,
                        isWanted: { [reply] in !reply.claim.isAbandoned },
                        stop: { stepDuration in
                            if self.drain.isRaised { return Status.draining }
                            // Stopped before its time is over, the call can still say how far it came.
                            let isTooLate = context.deadline - .now() < TimeAmount(stepDuration)
                            return isTooLate ? Status.deadlineExceeded : nil
                        },
                        completion: { [reply] result in
                            switch result {
                            case .success(let count): reply.succeed { $0.append(purgedCount: count) }
                            case .failure(let error): reply.fail(Status(error))
                            }
                        }
                    )
                } catch {
                    reply.fail(error)
                }
            })
    }
}

/// What a request asks for.
private struct PurgeDevicesRequest: QueryRequest {
    let project: String
    let purge: DevicePurge
    let onlyCounts: Bool
    let violations: [FieldViolation]
    private let requestID: UUID?

    init(_ message: UnsafePointer<Rollcall__V1__PurgeDevicesRequest>, limits: Limits) {
        var check = FieldCheck()
        self.project = check.project(message.pointee.project)
        self.purge = DevicePurge(
            filter: check.purgeFilter(message), expectedCount: message.pointee.expected_count?.pointee.count)
        self.onlyCounts = message.pointee.validate_only != 0
        self.requestID = check.requestID(message.pointee.request_id)
        check.filter(self.purge.filter, valueCountMax: limits.filterValueCountMax)
        if self.purge.filter.isEmpty {
            check.refuse("filter", "must be given, or another field that chooses devices; `id > 0` chooses all of them")
        }
        if let count = self.purge.expectedCount, count < 0 {
            check.refuse("expected_count.count", "must not be negative")
        }
        self.violations = check.violations
    }

    func violations(in project: ProjectID, of index: borrowing RegistryIndex) -> [FieldViolation] {
        index.violations(of: self.purge.filter, in: project)
    }

    func identity(of peer: Peer, method: String) -> MutationRequest.Identity? {
        guard let requestID, !self.onlyCounts else { return nil }
        return MutationRequest.Identity(
            requestID, of: peer, project: self.project, method: method, bodyDigest: self.purge.digest)
    }
}

extension Status {
    /// The status of a purge that ended early, with how far it came.
    fileprivate init(_ error: PurgeError) {
        self.init(reporting: error.cause)
        if let progress = error.progress {
            self.message += " \(progress.deletedCount) of \(progress.matchedCount) devices were deleted before that."
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func append(purgedCount count: Int64) {
        Arena.current.scope { arena in
            let message = arena.make(Messages.purgeDevicesResponse)
            message.pointee.count = count
            self.append(message)
        }
    }
}
