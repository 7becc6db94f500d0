// A method: its name, its kind, and what answers it. Both transports call the same one.

package import NIOCore

/// A method's full name: `rollcall.v1.Devices` and `GetDevice`.
package struct MethodName: Hashable, Sendable, CustomStringConvertible {
    package let service: String
    package let method: String

    package init(service: String, method: String) {
        self.service = service
        self.method = method
    }

    package var description: String {
        "\(self.service)/\(self.method)"
    }
}

/// How many messages go each way in a streaming call.
package enum StreamKind: Hashable, Sendable {
    case client, server, bidirectional
}

/// A method of a service with its handler.
package struct Method: Sendable {
    package let name: MethodName
    package let handler: Handler

    package init(_ name: MethodName, _ handler: Handler) {
        self.name = name
        self.handler = handler
    }

    /// The same method, of which `admit` is asked before each call: what it throws is the call's answer.
    package func guarded(by admit: @escaping @Sendable (borrowing CallContext) throws(Status) -> Void) -> Method {
        switch self.handler {
        case .immediate(let run):
            Method(
                self.name,
                .immediate { (context, request, reply: inout ByteBuffer) throws(Status) in
                    try admit(context)
                    try run(context, request, &reply)
                })
        case .adaptive(let run):
            Method(
                self.name,
                .adaptive { (context, request, reply: inout ByteBuffer) throws(Status) in
                    try admit(context)
                    return try run(context, request, &reply)
                })
        case .deferred(let run):
            Method(
                self.name,
                .deferred { context, request, reply in
                    do throws(Status) {
                        try admit(context)
                    } catch {
                        return reply.fail(error)
                    }
                    run(context, request, reply)
                })
        case .stream(let kind, let run):
            Method(
                self.name,
                .stream(kind) { context, requests, responses in
                    try admit(context)
                    try await run(context, requests, responses)
                })
        }
    }

    package enum Handler: Sendable {
        case immediate(Immediate)
        case adaptive(Adaptive)
        case deferred(Deferred)
        case stream(StreamKind, Stream)
    }

    /// Answers on the caller's event loop before it returns, by appending one encoded message to `reply`.
    ///
    /// It sends no metadata of its own but that of a status: a method that has some goes on elsewhere.
    /// The request's bytes are valid during the call only. What was appended before a throw is discarded by the transport.
    package typealias Immediate =
        @Sendable (
            _ context: borrowing CallContext, _ request: UnsafeRawBufferPointer, _ reply: inout ByteBuffer
        ) throws(Status) -> Void

    /// Answers as ``Immediate`` does what takes but a moment. For the rest it returns what is to go on with the call elsewhere;
    /// what it may have appended is then discarded.
    package typealias Adaptive =
        @Sendable (
            _ context: borrowing CallContext, _ request: UnsafeRawBufferPointer, _ reply: inout ByteBuffer
        ) throws(Status) -> Postponed?

    /// Goes on with a call and answers later, exactly once, through `reply`, from any thread.
    package typealias Postponed = @Sendable (_ reply: ReplySink) -> Void

    /// Reads the request before it returns and answers later, exactly once, through `reply`, from any thread.
    package typealias Deferred =
        @Sendable (
            _ context: CallContext, _ request: UnsafeRawBufferPointer, _ reply: ReplySink
        ) -> Void

    /// Runs for as long as its stream: throws a ``Status`` to end it with that, returns to end it well.
    ///
    /// A client-streaming method writes exactly one message.
    package typealias Stream =
        @Sendable (
            _ context: CallContext, _ requests: RequestMessages, _ responses: ResponseWriter
        ) async throws -> Void
}

/// What a call that went well answers, and what goes before and after it where the protocol has a place for that.
package struct Reply: Sendable {
    /// Appends the encoded message to the connection's output.
    package typealias Encode = @Sendable (inout ByteBuffer) throws(Status) -> Void

    package var encode: Encode
    package var head: Metadata
    package var trailers: Metadata

    package init(head: Metadata = Metadata(), trailers: Metadata = Metadata(), encode: @escaping Encode) {
        self.encode = encode
        self.head = head
        self.trailers = trailers
    }
}

/// Where a deferred call sends its one outcome.
///
/// ## Concurrency
/// Any thread; the encoding closure runs on the connection's event loop.
package struct ReplySink: Sendable {
    /// Whether the caller still waits; the worker takes it before work that cannot be undone.
    package let claim: CallClaim
    private let deliver: @Sendable (Result<Reply, Status>) -> Void

    package init(claim: CallClaim, deliver: @escaping @Sendable (Result<Reply, Status>) -> Void) {
        self.claim = claim
        self.deliver = deliver
    }

    /// - Parameters:
    ///   - head: Metadata that goes before the message.
    ///   - trailers: Metadata that goes after it.
    package func succeed(
        head: Metadata = Metadata(), trailers: Metadata = Metadata(), _ encode: @escaping Reply.Encode
    ) {
        self.deliver(.success(Reply(head: head, trailers: trailers, encode: encode)))
    }

    package func fail(_ status: Status) {
        self.deliver(.failure(status))
    }

    /// The same sink, which tells `observe` how the call ended before it answers.
    package func observed(by observe: @escaping @Sendable (Status.Code) -> Void) -> ReplySink {
        ReplySink(claim: self.claim) { [deliver = self.deliver] result in
            switch result {
            case .success: observe(.ok)
            case .failure(let status): observe(status.code)
            }
            deliver(result)
        }
    }
}

/// The messages that a caller streams in, ending when it half-closes; fails when the call is over before that.
package struct RequestMessages: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer
    package typealias Failure = any Error

    private let makeNext: @Sendable () -> () async throws -> ByteBuffer?
    private let endWith: @Sendable (Status) -> Void

    /// Wraps a transport's sequence, which does its own buffering and back-pressure.
    ///
    /// - Parameter end: Lets nothing more into the sequence, which fails with the status after what is in it.
    package init<Source: AsyncSequence & Sendable>(
        _ source: Source, end: @escaping @Sendable (Status) -> Void = { _ in }
    ) where Source.Element == ByteBuffer {
        self.makeNext = {
            var iterator = source.makeAsyncIterator()
            return { try await iterator.next() }
        }
        self.endWith = end
    }

    /// Takes in nothing more: what has been received is read to its end, and then the reader is told `status`.
    package func end(with status: Status) {
        self.endWith(status)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let nextMessage: () async throws -> ByteBuffer?

        package mutating func next() async throws -> ByteBuffer? {
            try await self.nextMessage()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(nextMessage: self.makeNext())
    }
}

/// What a streaming method writes.
package enum ResponsePart: Sendable {
    /// Metadata that goes before the first message.
    case head(Metadata)
    case message(ByteBuffer)
    /// Metadata that goes after the last message of a call that ends well.
    case trailers(Metadata)
    /// Nothing: asks for room for a message.
    case room
}

/// Where a streaming method writes its messages, one at a time.
package struct ResponseWriter: Sendable {
    private let send: @Sendable (ResponsePart) async throws -> Void

    package init(_ send: @escaping @Sendable (ResponsePart) async throws -> Void) {
        self.send = send
    }

    /// Sends metadata ahead of the first message, at once.
    ///
    /// - Throws: ``Status`` INTERNAL where something was sent before; otherwise as ``write(_:)`` does.
    package func writeHead(_ metadata: Metadata) async throws {
        try await self.send(.head(metadata))
    }

    /// Leaves metadata to be sent once the method returns; what was left before is replaced. Where it throws, the metadata
    /// of the status is sent instead.
    package func setTrailers(_ metadata: Metadata) async throws {
        try await self.send(.trailers(metadata))
    }

    /// Waits while the connection's output is full: whoever makes large messages makes none that then have to wait.
    ///
    /// - Throws: as ``write(_:)`` does.
    package func waitForRoom() async throws {
        try await self.send(.room)
    }

    /// Queues one encoded message, waiting while the connection's output is full.
    ///
    /// - Throws: ``Status`` when the call is over: CANCELLED, DEADLINE_EXCEEDED or RESOURCE_EXHAUSTED.
    package func write(_ message: ByteBuffer) async throws {
        try await self.send(.message(message))
    }
}
