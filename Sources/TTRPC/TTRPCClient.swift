// The client side: calls of any number of tasks over one connection to a Unix socket.

package import Logging
package import NIOCore
internal import NIOPosix
package import RPC

/// A connection to a ttrpc server.
///
/// A slow reader of a stream holds up what else comes in on the connection, once more than
/// ``ConnectionLimits/undeliveredInputByteCountMax`` bytes wait for it: bulk transfers take a connection of their own.
///
/// ## Concurrency
/// Any number of tasks may call at once; calls are answered in any order.
package final class TTRPCClient: Sendable {
    private let channel: any Channel
    private let connection: ClientConnection
    /// The path of the socket that this client is connected to.
    package let path: String

    private init(channel: any Channel, connection: ClientConnection, path: String) {
        self.channel = channel
        self.connection = connection
        self.path = path
    }

    deinit {
        self.channel.close(promise: nil)
    }

    /// Connects to the socket at `path`.
    ///
    /// - Parameter timeout: how long the server may take to accept; nil leaves it to the system.
    /// - Throws: ``ConnectError`` when the socket is not there, not ours to use, or nobody listens.
    package static func connect(
        path: String,
        limits: ConnectionLimits,
        timeout: Duration? = nil,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger
    ) async throws(ConnectError) -> TTRPCClient {
        let eventLoop = eventLoopGroup.next()
        let mailbox = LoopMailbox<ClientItem>(eventLoop: eventLoop)
        let connection = ClientConnection(
            mailbox: mailbox,
            gate: OutputGate(byteCountMax: max(1, limits.queuedOutputByteCountMax / 8)),
            budget: InputBudget(byteCountMax: limits.undeliveredInputByteCountMax) { mailbox.post(.inputConsumed) },
            messageByteCountMax: limits.messageByteCountMax
        )
        var bootstrap = ClientBootstrap(group: eventLoop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(ClientHandler(connection, path: path))
            }
        }
        if let timeout {
            bootstrap = bootstrap.connectTimeout(TimeAmount(timeout))
        }
        do {
            let channel = try await bootstrap.connect(unixDomainSocketPath: path).get()
            logger.debug("connected", metadata: ["socket.path": "\(path)"])
            return TTRPCClient(channel: channel, connection: connection, path: path)
        } catch {
            throw ConnectError(path: path, cause: error)
        }
    }

    /// Whether the connection is up, as far as this side has heard. Any thread.
    package var isActive: Bool {
        self.channel.isActive
    }

    /// Closes the connection; calls without an answer fail with UNAVAILABLE.
    package func close() async {
        self.channel.close(promise: nil)
        // The outcome of closing is no news here: the channel is closed.
        try? await self.channel.closeFuture.get()
    }

    /// Makes a unary call.
    ///
    /// - Parameter deadline: sent along, and kept here even where the server does not; nil waits for ever.
    /// - Throws: the server's status; DEADLINE_EXCEEDED and CANCELLED also of our own; UNAVAILABLE with a lost connection.
    package func unary(
        _ name: MethodName, _ request: ByteBuffer, deadline: NIODeadline? = nil, metadata: Metadata = Metadata()
    ) async throws(Status) -> ByteBuffer {
        let call = try self.start(.unary, name, request, deadline: deadline, metadata: metadata)
        return try await self.reply(of: call)
    }

    /// Starts a call, which is to be abandoned when nobody waits for it any more.
    func start(
        _ kind: ClientCallKind, _ name: MethodName, _ request: ByteBuffer, deadline: NIODeadline?, metadata: Metadata
    ) throws(Status) -> ClientCall {
        let deadline = deadline ?? .distantFuture
        var timeout: TimeAmount?
        if deadline != .distantFuture {
            let rest = deadline - .now()
            guard rest.nanoseconds > 0 else {
                throw .deadlineExceeded
            }
            timeout = rest
        }
        let flags: FrameHeader.Flags =
            switch kind {
            case .unary: []
            case .stream(.server): .remoteClosed
            case .stream(.client), .stream(.bidirectional): .remoteOpen
            }
        let frame = RequestFrame(name, payload: request, timeout: timeout, metadata: metadata, flags: flags)
        guard frame.dataByteCount <= self.connection.messageByteCountMax else {
            throw .messageTooLong(byteCountMax: self.connection.messageByteCountMax)
        }
        let call = ClientCall(kind, deadline: deadline, budget: self.connection.budget)
        guard self.connection.mailbox.post(.started(call, frame)) else {
            throw Status(.unavailable, "The connection to \(self.path) is closed.")
        }
        return call
    }

    /// Waits for the single reply of a call.
    func reply(of call: ClientCall) async throws(Status) -> ByteBuffer {
        do throws(Status) {
            guard let reply = try await call.replies.next() else {
                throw Status.defect("The server ended the call without a reply.")
            }
            return reply
        } catch {
            // Tells the connection to forget the call where it was this side that gave up.
            self.abandon(call)
            throw error
        }
    }

    /// Sends a message of a streaming call, waiting while the connection's output is full.
    func send(_ message: ByteBuffer, on call: ClientCall) async throws(Status) {
        guard message.readableBytes <= self.connection.messageByteCountMax else {
            throw .messageTooLong(byteCountMax: self.connection.messageByteCountMax)
        }
        if let failure = call.replies.failure {
            throw failure
        }
        try await self.connection.gate.admit(byteCount: message.readableBytes)
        self.connection.mailbox.post(.message(call, message))
    }

    /// Sends no more messages of a streaming call.
    func halfClose(_ call: ClientCall) {
        self.connection.mailbox.post(.halfClosed(call))
    }

    /// Gives a call up; costs nothing where it is over.
    func abandon(_ call: ClientCall) {
        call.replies.fail(.cancelled("The call was given up."))
        self.connection.mailbox.post(.abandoned(call))
    }
}
