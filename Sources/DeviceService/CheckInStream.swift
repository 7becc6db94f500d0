// rollcall.v1.Devices/CheckInStream

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// Check-ins at a high rate, each acknowledged in its turn.
    ///
    /// Reading goes on while earlier check-ins are under way, so that a group of the writer takes many of them.
    var checkInStream: Method {
        let name = MethodName.devices("CheckInStream")
        let gate = self.gate(name)
        return Method(
            name,
            .stream(.bidirectional) { context, requests, responses in
                let window = CheckInWindow(countMax: self.registry.limits.checkInCountMaxPerStream)
                try await self.answering(
                    requests, read: { await self.begin(requests, of: context.peer, gate, window) },
                    close: { window.close() }
                ) {
                    while let (position, outcome) = try await window.next() {
                        try await responses.write(Self.acknowledgement(position, outcome))
                    }
                }
            })
    }

    private typealias CheckInWindow = OutcomeWindow<Result<Device, Status>>

    /// Begins every check-in of a stream, until its end.
    private func begin(
        _ requests: RequestMessages, of peer: Peer, _ gate: AccessGate, _ window: CheckInWindow
    ) async {
        do {
            for try await request in requests {
                guard let position = await window.begin() else { return }
                await self.begin(request, of: peer, gate, position, window)
            }
            window.finish()
        } catch {
            window.finish(error as? Status ?? .cancelled("The call is over."))
        }
    }

    /// Hands a check-in to the writer; returns when it waits there with the others.
    private func begin(
        _ request: ByteBuffer, of peer: Peer, _ gate: AccessGate, _ position: Int64, _ window: CheckInWindow
    ) async {
        let mutation: MutationRequest
        do {
            mutation = try request.withUnsafeReadableBytes { try self.checkIn($0, of: peer, gate) }
        } catch {
            return window.complete(position, .failure(Status(reporting: error)))
        }
        await withCheckedContinuation { continuation in
            self.registry.submitInTurn(
                mutation,
                claim: { window.isOpen },
                queued: { continuation.resume() },
                completion: { result in
                    switch result {
                    case .success(.device(let device)): window.complete(position, .success(device))
                    case .success: preconditionFailure("A check-in answers its device.")
                    case .failure(let error): window.complete(position, .failure(Status(error)))
                    }
                }
            )
        }
    }

    private func checkIn(
        _ bytes: UnsafeRawBufferPointer, of peer: Peer, _ gate: AccessGate
    ) throws(Status) -> MutationRequest {
        try self.decode(Messages.checkInRequest, bytes, of: peer, gate) { message, _ in
            var check = FieldCheck()
            let project = check.project(message.pointee.project)
            let checkIn = check.checkIn(message.pointee, limits: self.registry.limits)
            try check.finish()
            return MutationRequest(project: project, mutation: .checkIn(checkIn), byteCount: bytes.count)
        }
    }

    private static func acknowledgement(_ position: Int64, _ outcome: Result<Device, Status>) -> ByteBuffer {
        var buffer = ByteBuffer()
        switch outcome {
        case .success(let device):
            Arena.current.scope { arena in
                let message = arena.make(Messages.checkInStreamResponse)
                message.pointee.position = position
                message.pointee.device = arena.message(device)
                buffer.append(message)
            }
        case .failure(let status):
            buffer.writeBytes(WireWriter(refusalAt: position, status).bytes)
        }
        return buffer
    }
}
