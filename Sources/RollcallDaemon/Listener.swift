// Accepts connections, serves them, and lets them finish when it is time to go.

internal import GRPCTransport
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import RPC
internal import ServiceLifecycle
internal import TTRPC

/// Serves one socket until it is told to shut down; returns when the last connection is closed.
struct Listener: Service {
    /// Time without accepting after the process or the system ran out of descriptors or memory.
    static let acceptBackoff = TimeAmount.milliseconds(250)

    /// Of connections that are served.
    private static let groupCount = 64

    private let socket: ListeningSocket
    private let methods: MethodTable
    private let connectionLimits: ConnectionLimits
    private let drainDeadline: TimeAmount
    private let ledger: ByteLedger
    private let table: ConnectionTable
    private let access: AccessControl
    private let refused: RefusedConnections
    private let acceptPace: AcceptPace
    private let eventLoopGroup: any EventLoopGroup
    private let logger: Logger
    private let listening: @Sendable () -> Void

    /// - Parameter listening: called once, when connections are being accepted.
    init(
        socket: ListeningSocket,
        methods: MethodTable,
        connectionLimits: ConnectionLimits,
        ledger: ByteLedger,
        table: ConnectionTable,
        access: AccessControl,
        refused: RefusedConnections,
        acceptPace: AcceptPace,
        drainDeadline: TimeAmount,
        eventLoopGroup: any EventLoopGroup,
        logger: Logger,
        listening: @escaping @Sendable () -> Void
    ) {
        self.socket = socket
        self.methods = methods
        self.connectionLimits = connectionLimits
        self.ledger = ledger
        self.table = table
        self.access = access
        self.refused = refused
        self.acceptPace = acceptPace
        self.drainDeadline = drainDeadline
        self.eventLoopGroup = eventLoopGroup
        self.logger = logger
        self.listening = listening
    }

    func run() async throws {
        // At most as many wait here as the table admits.
        let (connections, arrivals) = AsyncStream.makeStream(of: ServerConnection.self)
        let server = try await self.startAccepting(arrivals)
        self.socket.restoreBacklog()
        self.listening()
        await withTaskCancellationOrGracefulShutdownHandler {
            await Self.serve(connections)
        } onCancelOrGracefulShutdown: {
            self.drain(server, arrivals)
        }
        try await server.closeFuture.get()
    }

    /// Runs connections to their ends. A task group looks for each child that ends among all the others: thousands of connections
    /// that close at once would be let go of for seconds, so that they are dealt out to several groups.
    private static func serve(_ connections: AsyncStream<ServerConnection>) async {
        await withDiscardingTaskGroup { groups in
            let dealers = (0..<Self.groupCount).map { _ in
                let (share, dealer) = AsyncStream.makeStream(of: ServerConnection.self)
                groups.addTask {
                    await withDiscardingTaskGroup { group in
                        for await connection in share {
                            group.addTask { await connection.run() }
                        }
                    }
                }
                return dealer
            }
            var dealtCount = 0
            for await connection in connections {
                if case .terminated = dealers[dealtCount % Self.groupCount].yield(connection) {
                    // Its group was cancelled, and so is the connection: that closes it.
                    groups.addTask { await connection.run() }
                }
                dealtCount += 1
            }
            for dealer in dealers { dealer.finish() }
        }
    }

    private func startAccepting(
        _ arrivals: AsyncStream<ServerConnection>.Continuation
    ) async throws -> any Channel {
        try await ServerBootstrap(group: self.eventLoopGroup)
            .serverChannelOption(.maxMessagesPerRead, value: AcceptPacer.countAtOnce)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(self.makeBackoffHandler())
                    try channel.pipeline.syncOperations.addHandler(AcceptPacer(self.acceptPace))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.accept(channel, arrivals)
                }
            }
            .withBoundSocket(self.socket.descriptor)
            .get()
    }

    /// An accept that fails for want of a descriptor would be tried again at once, for ever.
    private func makeBackoffHandler() -> AcceptBackoffHandler {
        AcceptBackoffHandler(shouldForwardIOErrorCaught: false) { [logger = self.logger] error in
            logger.warning("accept failed", metadata: ["error": "\(error)", "errno": "\(error.errnoCode)"])
            return Self.acceptBackoff
        }
    }

    /// Admits an accepted channel, on its event loop, and serves it once it has said what it speaks. A throw closes the channel.
    private func accept(_ channel: any Channel, _ arrivals: AsyncStream<ServerConnection>.Continuation) throws {
        let credentials = try Self.credentials(of: channel)
        var peer = Peer(credentials)
        var methods = self.methods
        let refusal = self.table.admit(channel, peer)
        if let refusal {
            guard let refusing = self.refused.methods(for: refusal, peer, channel) else {
                throw self.turnAway(peer, refusal)
            }
            methods = refusing
        }
        let rights = self.access.arrived(credentials)
        channel.closeFuture.whenComplete { [access = self.access] _ in access.left(rights) }
        peer.rights = rights
        try channel.pipeline.syncOperations.addHandler(
            ProtocolSniffer { [unowned channel, peer, methods, isAdmitted = refusal == nil] in
                let connection = try self.serve(channel, $0, peer, methods)
                guard !isAdmitted || self.table.add(connection, channel) else {
                    throw self.turnAway(peer, .draining)
                }
                if case .terminated = arrivals.yield(connection) {
                    throw self.turnAway(peer, .draining)
                }
            }
        )
    }

    /// Takes a channel into service.
    private func serve(
        _ channel: any Channel, _ wire: WireProtocol?, _ peer: Peer, _ methods: MethodTable
    ) throws -> ServerConnection {
        let connection: ServerConnection
        switch wire {
        case .ttrpc:
            connection = try ServerConnection.ttrpc(
                channel, methods: methods, peer: peer, limits: self.connectionLimits,
                ledger: self.ledger, logger: self.logger
            )
        case .grpc:
            connection = try ServerConnection.grpc(
                channel, methods: methods, peer: peer, limits: self.connectionLimits,
                ledger: self.ledger, logger: self.logger
            )
        case nil:
            throw self.turnAway(peer, .unknownProtocol)
        }
        self.logger.debug(
            "connection accepted",
            metadata: [
                "peer.pid": "\(peer.processID)", "peer.uid": "\(peer.userID)", "protocol": "\(wire, default: "-")",
            ]
        )
        return connection
    }

    private func turnAway(_ peer: Peer, _ refusal: ConnectionCensus.Refusal) -> ConnectionRefused {
        self.logger.debug(
            "connection refused",
            metadata: [
                "peer.pid": "\(peer.processID)", "peer.uid": "\(peer.userID)", "reason": "\(refusal)",
            ]
        )
        return ConnectionRefused()
    }

    private static func credentials(of channel: any Channel) throws -> PeerCredentials {
        try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { socket in
            try PeerCredentials(descriptor: socket)
        } ?? { throw ConnectionRefused() }()
    }

    /// Stops accepting, drains every connection, and after the deadline closes what is left.
    private func drain(_ server: any Channel, _ arrivals: AsyncStream<ServerConnection>.Continuation) {
        // First the name: who comes now finds nobody there, rather than a socket that refuses.
        self.socket.unlinkIfOurs()
        // Then accepting ends, before callers hear of it: where the service manager has the socket too, who comes now
        // waits for the next process.
        server.close().whenComplete { [table = self.table, logger = self.logger] _ in
            let count = table.drain()
            arrivals.finish()
            logger.debug("drain started", metadata: ["connections": "\(count)"])
        }
        server.eventLoop.scheduleTask(in: self.drainDeadline) { [table = self.table, logger = self.logger] in
            let count = table.closeAll()
            if count > 0 {
                logger.warning("drain deadline passed", metadata: ["connections": "\(count)"])
            }
        }
    }
}

extension Peer {
    /// Without any rights as yet.
    fileprivate init(_ credentials: PeerCredentials) {
        self.init(
            userID: credentials.userID, groupID: credentials.groupID, processID: credentials.processID)
    }
}

/// Closes a channel that is not taken into service.
private struct ConnectionRefused: Error {}

extension Listener: CustomStringConvertible {
    /// What the log of services names it; its values would fill pages.
    var description: String {
        "Listener"
    }
}
