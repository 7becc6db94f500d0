// A streaming call on the server: its method's task on one side, the event loop on the other.

package import Logging
package import NIOCore
internal import Synchronization

/// One streaming call.
///
/// ## Concurrency
/// `receive`, `finishInput` and `end` are called on the event loop; `run` is a task of the connection's group.
package final class StreamCall: Sendable {
    package let key: CallKey
    package let kind: StreamKind
    private let context: CallContext
    private let method: Method.Stream
    private let connection: StreamConnection
    private let input: MessageQueue
    /// Ends when the call does, whatever its method is doing.
    private let ending: AsyncStream<Never>
    private let endingContinuation: AsyncStream<Never>.Continuation
    private let state = Mutex(State())

    private struct State {
        var endStatus: Status?
        /// Whether something of the answer was sent, so that its head cannot be changed any more.
        var hasBegun = false
        /// The one message of a client-streaming method.
        var reply: ByteBuffer?
        var trailers = Metadata()
    }

    package init(
        _ key: CallKey, _ kind: StreamKind, context: CallContext, method: @escaping Method.Stream,
        connection: StreamConnection
    ) {
        self.key = key
        self.kind = kind
        self.context = context
        self.method = method
        self.connection = connection
        self.input = MessageQueue(budget: connection.budget)
        (self.ending, self.endingContinuation) = AsyncStream.makeStream()
    }

    /// Gives the method a message of the client.
    package func receive(_ message: ByteBuffer) {
        self.input.append(message)
    }

    /// The client sends no more.
    package func finishInput() {
        self.input.finish()
    }

    /// Ends the call from outside: its method is cancelled and told `status`.
    package func end(_ status: Status) {
        self.state.withLock { $0.endStatus = $0.endStatus ?? status }
        self.input.fail(status)
        self.endingContinuation.finish()
    }

    /// Runs the method to its end and tells the event loop of its outcome.
    package func run() async {
        let outcome = await withTaskGroup(of: StreamOutcome?.self) { group in
            group.addTask {
                await self.runMethod()
            }
            group.addTask {
                for await _ in self.ending {}
                return nil
            }
            var outcome: StreamOutcome?
            for await result in group {
                outcome = outcome ?? result
                group.cancelAll()
            }
            return outcome
        }
        self.input.fail(.cancelled("The call is over."))
        if let outcome {
            self.connection.mailbox.post(.streamEnded(self.key, outcome))
        }
    }

    private func runMethod() async -> StreamOutcome {
        do {
            let input = self.input
            try await self.method(
                self.context, RequestMessages(input) { input.finish($0) }, ResponseWriter { try await self.send($0) })
        } catch let status as Status {
            return .failed(status)
        } catch is CancellationError {
            return .failed(.cancelled("The call was cancelled."))
        } catch {
            self.connection.logger.error(
                "stream failed with an error that is not a status",
                metadata: ["call.id": "\(self.key.streamID)", "error": "\(error)"]
            )
            return .failed(.defect("The server failed to complete the call."))
        }
        let (reply, trailers) = self.state.withLock { ($0.reply, $0.trailers) }
        guard self.kind == .client else {
            return .closed(trailers: trailers)
        }
        return reply.map { .reply($0, trailers: trailers) }
            ?? .failed(.defect("The server ended the call without a reply."))
    }

    private func send(_ part: ResponsePart) async throws(Status) {
        switch part {
        case .head(let metadata): try self.writeHead(metadata)
        case .message(let message): try await self.write(message)
        case .trailers(let metadata): self.state.withLock { $0.trailers = metadata }
        case .room: try await self.admit(byteCount: 0)
        }
    }

    private func admit(byteCount: Int) async throws(Status) {
        do {
            try await self.connection.gate.admit(byteCount: byteCount)
        } catch {
            throw self.state.withLock { $0.endStatus } ?? error
        }
    }

    private func writeHead(_ metadata: Metadata) throws(Status) {
        let refusal = self.state.withLock { state -> Status? in
            guard state.endStatus == nil, !state.hasBegun else {
                return state.endStatus ?? .defect("The server wrote its metadata after a message.")
            }
            state.hasBegun = true
            return nil
        }
        if let refusal {
            throw refusal
        }
        self.connection.mailbox.post(.head(self.key, metadata))
    }

    private func write(_ message: ByteBuffer) async throws(Status) {
        guard message.readableBytes <= self.connection.limits.messageByteCountMax else {
            throw .messageTooLong(byteCountMax: self.connection.limits.messageByteCountMax)
        }
        let endStatus = self.state.withLock { state -> Status? in
            state.hasBegun = true
            guard self.kind == .client, state.endStatus == nil else {
                return state.endStatus
            }
            guard state.reply == nil else {
                return .defect("The server wrote more than one reply.")
            }
            state.reply = message
            return nil
        }
        if let endStatus {
            throw endStatus
        }
        guard self.kind != .client else {
            return
        }
        try await self.admit(byteCount: message.readableBytes)
        self.connection.mailbox.post(.message(self.key, message))
    }
}

/// What the streams of a connection share.
package struct StreamConnection: Sendable {
    package let mailbox: LoopMailbox<ServerItem>
    package let gate: OutputGate
    package let budget: InputBudget
    package let limits: ConnectionLimits
    package let logger: Logger

    package init(
        mailbox: LoopMailbox<ServerItem>, gate: OutputGate, budget: InputBudget, limits: ConnectionLimits,
        logger: Logger
    ) {
        self.mailbox = mailbox
        self.gate = gate
        self.budget = budget
        self.limits = limits
        self.logger = logger
    }
}
