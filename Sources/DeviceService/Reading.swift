// What the methods that only read have in common.

internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import NIOCore
internal import ProtobufC
internal import RPC

extension DeviceService {
    /// A method that answers at once, from what the registry holds of a project.
    ///
    /// - Parameter answer: Writes the reply for a request; throws to refuse it.
    func reading<Message: ScopedRequest>(
        _ name: MethodName,
        _ type: MessageType<Message>,
        _ answer: @escaping @Sendable (UnsafePointer<Message>, Arena, inout ByteBuffer) throws -> Void
    ) -> Method {
        let gate = self.gate(name)
        return Method(
            name,
            .immediate { (context, bytes, reply: inout ByteBuffer) throws(Status) in
                let peer = context.peer
                try self.decode(type, bytes, of: peer, gate) { message, arena in try answer(message, arena, &reply) }
            }
        )
    }

    /// A method that answers at once what belongs to no project.
    ///
    /// - Parameter answer: Writes the reply for a request, who made it being the third argument; throws to refuse it.
    func readingServer<Message>(
        _ name: MethodName,
        _ type: MessageType<Message>,
        _ answer: @escaping @Sendable (UnsafePointer<Message>, Arena, Peer, inout ByteBuffer) throws -> Void
    ) -> Method {
        Method(
            name,
            .immediate { (context, bytes, reply: inout ByteBuffer) throws(Status) in
                let peer = context.peer
                try self.decode(type, bytes) { message, arena in try answer(message, arena, peer, &reply) }
            }
        )
    }

    /// A method that answers at once where that takes but a moment, and in slices on another thread where it takes longer; where
    /// the event loop is busy as it is, on the other thread in any case.
    ///
    /// - Parameters:
    ///   - request: Reads a request.
    ///   - answer: Writes the reply, or returns false where the query is a long one and nothing is written.
    ///   - begin: Makes the long query.
    ///   - advance: Goes on with the long query, and writes the reply once it is through; false until then.
    func querying<Message: ScopedRequest, Request: QueryRequest>(
        _ name: MethodName,
        _ type: MessageType<Message>,
        request: @escaping @Sendable (UnsafePointer<Message>) -> Request,
        answer: @escaping @Sendable (Request, borrowing RegistryIndex, ProjectID, inout ByteBuffer) throws -> Bool,
        begin: @escaping @Sendable (Request, borrowing RegistryIndex, ProjectID) throws -> LongQuery,
        advance: @escaping @Sendable (Request, LongQuery, borrowing RegistryIndex, inout ByteBuffer) throws -> Bool
    ) -> Method {
        let gate = self.gate(name)
        return Method(
            name,
            .adaptive { (context, bytes, reply: inout ByteBuffer) throws(Status) -> Method.Postponed? in
                let peer = context.peer
                let isLoopBusy = context.isLoopBusy
                let (request, isAnswered) = try self.decode(type, bytes, of: peer, gate) { message, _ in
                    let request = request(message)
                    try self.check(request)
                    let isAnswered =
                        try !isLoopBusy
                        && self.read(project: request.project) { index, project in
                            let isAnswered = try answer(request, index, project.id, &reply)
                            self.buildWanted(index, project.id)
                            return isAnswered
                        }
                    return (request, isAnswered)
                }
                if isAnswered { return nil }
                // What others were given meanwhile may have been too much already.
                let admitted = { @Sendable (index: borrowing RegistryIndex) throws -> ProjectID in
                    if let status = self.refusalOfLongAnswers(peer.userID) { throw status }
                    return try self.project(request.project, of: index).id
                }
                let short = { @Sendable (index: borrowing RegistryIndex) throws -> ByteBuffer? in
                    var reply = ByteBuffer()
                    let project = try admitted(index)
                    let isAnswered = try answer(request, index, project, &reply)
                    self.buildWanted(index, project)
                    return isAnswered ? reply : nil
                }
                return { sink in
                    self.registry.answerInSlices(
                        answer: isLoopBusy ? short : nil,
                        begin: { index in try begin(request, index, admitted(index)) },
                        isWanted: { !sink.claim.isAbandoned },
                        advance: { (query: LongQuery, index: borrowing RegistryIndex) throws -> ByteBuffer? in
                            var reply = ByteBuffer()
                            guard try advance(request, query, index, &reply) else { return nil }
                            self.buildWanted(index, query.project)
                            return reply
                        },
                        completion: { result in
                            switch result {
                            case .success(let message): sink.succeed { $0.writeImmutableBuffer(message) }
                            case .failure(let error): sink.fail(Status(reporting: error))
                            }
                        }
                    )
                }
            }
        )
    }

    /// Has an index built that queries of a project have missed for long enough, if there is one.
    @inline(__always)
    private func buildWanted(_ index: borrowing RegistryIndex, _ project: ProjectID) {
        if let wanted = index.takeWanted(in: project) { self.registry.build(wanted) }
    }

    /// Refuses a query whose request is not in order, naming what only the fleet can tell together with the rest.
    func check(_ request: some QueryRequest) throws(InvalidFields) {
        guard !request.violations.isEmpty else { return }
        let others = self.registry.read { index in
            index.project(slug: request.project).map { request.violations(in: $0.id, of: index) } ?? []
        }
        throw InvalidFields(request.violations + others)
    }

    /// Decodes a request in the thread's arena and runs `body` on it; whatever goes wrong becomes a status.
    ///
    /// - Complexity: no allocation of its own where the request is well-formed.
    @inline(__always)
    func decode<Message, R>(
        _ type: MessageType<Message>,
        _ bytes: UnsafeRawBufferPointer,
        _ body: (_ message: UnsafePointer<Message>, _ arena: Arena) throws -> R
    ) throws(Status) -> R {
        let arena = Arena.current
        do {
            return try arena.decode(type, from: bytes) { try body(UnsafePointer($0), arena) }
        } catch {
            throw Status(reporting: error)
        }
    }

    /// Decodes a request that is about a project, and runs `body` on it where its caller may make it.
    ///
    /// - Throws: PERMISSION_DENIED where it may not.
    @inline(__always)
    func decode<Message: ScopedRequest, R>(
        _ type: MessageType<Message>,
        _ bytes: UnsafeRawBufferPointer,
        of peer: Peer,
        _ gate: AccessGate,
        _ body: (_ message: UnsafePointer<Message>, _ arena: Arena) throws -> R
    ) throws(Status) -> R {
        try self.decode(type, bytes) { message, arena in
            try gate.admit(peer, message)
            return try body(message, arena)
        }
    }

    /// Runs `body` on a project that must exist, under the registry's shared lock.
    ///
    /// - Throws: what `body` throws; `RegistryError` where there is no such project.
    func read<R>(
        project slug: String,
        _ body: (_ index: borrowing RegistryIndex, _ project: ProjectRecord) throws -> R
    ) throws -> R {
        try self.registry.read { (index: borrowing RegistryIndex) throws -> R in
            try body(index, self.project(slug, of: index))
        }
    }

    private func project(_ slug: String, of index: borrowing RegistryIndex) throws -> ProjectRecord {
        guard let project = index.project(slug: slug) else { throw RegistryError.projectNotFound(slug) }
        return project
    }
}

/// What a query asks for, once its request is read.
protocol QueryRequest: Sendable {
    /// Slug of the project.
    var project: String { get }
    /// Every bad field, as far as it can be told without the devices.
    var violations: [FieldViolation] { get }

    /// The bad fields that only a fleet can tell: a filter's text, and attributes that it does not have.
    func violations(in project: ProjectID, of index: borrowing RegistryIndex) -> [FieldViolation]
}
