// What the methods that change something have in common.

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceWire
internal import FoundationEssentials
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// What a request asks the writer to do.
    struct Draft {
        var project: String
        var mutation: Mutation
        var validateOnly = false
        /// The field `request_id`; empty = none.
        var requestID = ProtobufCBinaryData()
    }

    /// A method that checks a request's fields, queues the mutation, and answers once it is durable.
    ///
    /// - Parameter draft: Reads a request, reporting every bad field; nil where what is left of it makes no mutation.
    func mutating<Message: ScopedRequest>(
        _ name: MethodName,
        _ type: MessageType<Message>,
        _ draft: @escaping @Sendable (_ message: UnsafePointer<Message>, _ check: inout FieldCheck) -> Draft?
    ) -> Method {
        let methodName = name.description
        let gate = self.gate(name)
        return Method(
            name,
            .deferred { context, bytes, reply in
                var reply = reply
                do throws(Status) {
                    let request = try self.decode(type, bytes, of: context.peer, gate) { message, _ in
                        reply = gate.recording(reply, context.peer, message.pointee)
                        return try Self.request(bytes, of: context.peer, method: methodName) { draft(message, &$0) }
                    }
                    self.registry.submit(request, claim: { [reply] in reply.claim.take() }) { [reply] result in
                        switch result {
                        case .success(let outcome):
                            reply.succeed { $0.append(outcome) }
                        case .failure(let error):
                            reply.fail(Status(error))
                        }
                    }
                } catch {
                    reply.fail(error)
                }
            })
    }

    private static func request(
        _ bytes: UnsafeRawBufferPointer,
        of peer: Peer,
        method: String,
        _ draft: (inout FieldCheck) -> Draft?
    ) throws(InvalidFields) -> MutationRequest {
        var check = FieldCheck()
        let draft = draft(&check)
        let requestID = draft.flatMap { check.requestID($0.requestID) }
        if !check.violations.isEmpty {
            // What is wrong with the items of a batch is the writer's to tell, which this request does not reach.
            for violation in draft?.mutation.itemViolations ?? [] {
                check.refuse(violation.field, violation.description)
            }
        }
        try check.finish()
        guard let draft else {
            preconditionFailure("A request that makes no mutation has a bad field that says why.")
        }
        var request = MutationRequest(
            project: draft.project,
            mutation: draft.mutation,
            validateOnly: draft.validateOnly,
            byteCount: bytes.count
        )
        // A call that changes nothing has no outcome to remember, and leaves its id to the one that does.
        if let requestID, !draft.validateOnly {
            request.identity = MutationRequest.Identity(
                requestID, of: peer, project: draft.project, method: method, bodyDigest: draft.mutation.digest)
        }
        return request
    }
}

extension MutationRequest.Identity {
    /// A request as its caller named it.
    init(_ requestID: UUID, of peer: Peer, project: String, method: String, bodyDigest: UInt64) {
        let key = RememberedRequest.Key(
            userID: peer.userID, project: project, method: method, requestID: requestID)
        self.init(key: key, bodyDigest: bodyDigest)
    }
}

extension FieldCheck {
    /// The UUID in `request_id`; nil where there is none or a bad one.
    mutating func requestID(_ text: ProtobufCBinaryData) -> UUID? {
        guard !text.bytes.isEmpty else { return nil }
        if text.bytes.count == 36, let id = UUID(uuidString: text.string) { return id }
        self.refuse("request_id", "must be a UUID, such as 0b4a9c1e-5d2f-4c7b-9a58-3e1f6d7c8b90")
        return nil
    }

    /// A sub-message that a request must give.
    mutating func required<Message>(_ message: UnsafeMutablePointer<Message>?, _ field: String) -> Message? {
        if message == nil {
            self.refuse(field, "must be given")
        }
        return message?.pointee
    }
}

extension ByteBuffer {
    /// The reply to a mutation: its resource, or an empty message where that is gone.
    fileprivate mutating func append(_ outcome: MutationOutcome) {
        Arena.current.scope { arena in
            switch outcome {
            case .device(let device): self.append(arena.message(device))
            case .devices(let devices):
                for device in devices {
                    _ = arena.scope { self.append($0.message(device), asElementOf: 1) }
                }
            case .project(let project): self.append(arena.message(project))
            case .cohort(let cohort): self.append(arena.message(cohort))
            case .attributes(let attributes, let etag):
                let message = arena.make(Messages.updateDeviceAttributesResponse)
                message.pointee.n_attributes = attributes.count
                message.pointee.attributes = arena.messages(attributes)
                message.pointee.etag = arena.text(etag)
                self.append(message)
            case .imported, .deleted, .purged:
                break
            }
        }
    }
}
