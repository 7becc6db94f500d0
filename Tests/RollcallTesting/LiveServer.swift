// A server on a real Unix socket in a folder of its own.

internal import GRPCTransport
internal import Logging
internal import NIOCore
internal import NIOPosix
package import RPC
internal import Synchronization
internal import TTRPC

/// The protocols that a server speaks.
package enum TestProtocol: String, CaseIterable, Sendable {
    case ttrpc, grpc
}

/// Serves one protocol, without the daemon around it.
package struct LiveServer: Sendable {
    /// Bounds as the daemon has them.
    package static let limits = ConnectionLimits(
        messageByteCountMax: 4 << 20, callCountMax: 1_024, queuedOutputByteCountMax: 8 << 20,
        undeliveredInputByteCountMax: 1 << 20, partialInputByteCountMax: 16 << 20
    )
    /// Who every caller is taken for.
    package static let peer = Peer(userID: 1_000, groupID: 1_000, processID: 42)

    package let path: String
    private let connections = ConnectionList()

    private final class ConnectionList: Sendable {
        private let list = Mutex<[ServerConnection]>([])

        func append(_ connection: ServerConnection) {
            self.list.withLock { $0.append(connection) }
        }

        var all: [ServerConnection] {
            self.list.withLock { $0 }
        }
    }

    /// Drains every connection.
    package func drain() {
        for connection in self.connections.all {
            connection.drain()
        }
    }

    /// Serves `methods` for as long as `body` runs.
    package static func serve(
        _ wire: TestProtocol, _ methods: MethodTable = EchoService.methods(), limits: ConnectionLimits = Self.limits,
        _ body: (LiveServer) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let server = LiveServer(path: folder.path("s"))
        let (accepted, accept) = AsyncStream.makeStream(of: ServerConnection.self)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = try wire.configure(channel, methods, limits)
                    server.connections.append(connection)
                    accept.yield(connection)
                }
            }
            .bind(unixDomainSocketPath: server.path).get()
        let result: Result<Void, any Error> = await withDiscardingTaskGroup { group in
            group.addTask {
                await withDiscardingTaskGroup { connections in
                    for await connection in accepted {
                        connections.addTask { await connection.run() }
                    }
                }
            }
            var result = Result<Void, any Error>.success(())
            do {
                try await body(server)
            } catch {
                result = .failure(error)
            }
            try? await listener.close()
            accept.finish()
            group.cancelAll()
            return result
        }
        try result.get()
    }
}

extension TestProtocol {
    /// Sets a channel up as the server's end of a connection.
    fileprivate func configure(
        _ channel: any Channel, _ methods: MethodTable, _ limits: ConnectionLimits
    ) throws -> ServerConnection {
        let logger = Logger(label: "test")
        switch self {
        case .ttrpc:
            return try ServerConnection.ttrpc(
                channel, methods: methods, peer: LiveServer.peer, limits: limits, logger: logger
            )
        case .grpc:
            return try ServerConnection.grpc(
                channel, methods: methods, peer: LiveServer.peer, limits: limits, logger: logger
            )
        }
    }
}
