// A server on a real Unix socket in a folder of its own, and a client connected to it.

import Foundation
import Logging
import NIOCore
import NIOPosix
import RPC
import Synchronization

@testable import TTRPC

struct LiveServer: Sendable {
    let path: String
    private let connections = ConnectionList()

    private final class ConnectionList: Sendable {
        private let list = Mutex<[TTRPCServerConnection]>([])

        func append(_ connection: TTRPCServerConnection) {
            self.list.withLock { $0.append(connection) }
        }

        var all: [TTRPCServerConnection] {
            self.list.withLock { $0 }
        }
    }

    /// Drains every connection.
    func drain() {
        for connection in self.connections.all {
            connection.drain()
        }
    }

    /// Serves `methods` for as long as `body` runs.
    static func serve(
        _ methods: MethodTable = EchoService.methods(), limits: ConnectionLimits = TestConnection.limits,
        _ body: (LiveServer) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "ttrpc-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let server = LiveServer(path: folder.appendingPathComponent("s").path)
        let (accepted, accept) = AsyncStream.makeStream(of: TTRPCServerConnection.self)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = try TTRPCServerConnection.configure(
                        channel, methods: methods, peer: TestConnection.peer, limits: limits,
                        logger: Logger(label: "test")
                    )
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

    /// Connects a client for as long as `body` runs.
    func withClient(
        limits: ConnectionLimits = TestConnection.limits, _ body: (TTRPCClient) async throws -> Void
    ) async throws {
        let client = try await TTRPCClient.connect(
            path: self.path, limits: limits, timeout: .seconds(10), logger: Logger(label: "test")
        )
        do {
            try await body(client)
            await client.close()
        } catch {
            await client.close()
            throw error
        }
    }
}
