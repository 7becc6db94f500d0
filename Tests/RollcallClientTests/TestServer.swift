// A server in this process that answers what a test tells it.

import CRollcallProto
import DeviceModel
import DeviceWire
import Foundation
import Logging
import NIOCore
import NIOPosix
import ProtobufC
import RPC
import RollcallClient
import RollcallTesting
import Synchronization
import TTRPC
import Testing

/// A listener on a private socket, and a way to take it away.
final class TestServer: Sendable {
    let path: String
    private let listener: any Channel
    private let connections: Connections

    private final class Connections: Sendable {
        let channels = Mutex<[any Channel]>([])
    }

    private init(path: String, listener: any Channel, connections: Connections) {
        self.path = path
        self.listener = listener
        self.connections = connections
    }

    static func start(path: String = TestServer.newPath(), _ methods: [Method]) async throws -> TestServer {
        let table = MethodTable(methods)
        let connections = Connections()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    connections.channels.withLock { $0.append(channel) }
                    _ = try ServerConnection.ttrpc(
                        channel,
                        methods: table,
                        peer: Peer(userID: 0, groupID: 0, processID: 0),
                        limits: ConnectionLimits(
                            messageByteCountMax: 4 << 20,
                            callCountMax: 1_024,
                            queuedOutputByteCountMax: 8 << 20,
                            undeliveredInputByteCountMax: 1 << 20,
                            partialInputByteCountMax: 16 << 20
                        ),
                        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                    )
                }
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
            .get()
        return TestServer(path: path, listener: listener, connections: connections)
    }

    var connectionCount: Int { self.connections.channels.withLock { $0.count } }

    /// Breaks every connection, and waits until they are gone.
    func breakConnections() async throws {
        for channel in self.connections.channels.withLock({ $0 }) {
            channel.close(promise: nil)
            try await channel.closeFuture.get()
        }
    }

    func stop() async throws {
        try await self.listener.close()
        try await self.breakConnections()
        try? FileManager.default.removeItem(atPath: self.path)
    }

    /// Short enough for a socket, and no one else's.
    static func newPath() -> String {
        "/tmp/rc-\(UUID().uuidString.prefix(13)).sock"
    }
}

/// Runs `body` with a client of a server that has these methods.
func withServer(
    _ methods: [Method],
    project: String = "",
    timeout: Duration? = patience,
    _ body: (RollcallClient, TestServer) async throws -> Void
) async throws {
    let server = try await TestServer.start(methods)
    do {
        let client = try await RollcallClient.connect(address: server.path, project: project, timeout: timeout)
        try await body(client, server)
        await client.close()
    } catch {
        try await server.stop()
        throw error
    }
    try await server.stop()
}

/// A method that reads its request as `type` and answers the message that `reply` builds.
func method<Request, Reply>(
    _ service: String,
    _ name: String,
    _ type: MessageType<Request>,
    _ reply: @escaping @Sendable (UnsafePointer<Request>, Arena) throws -> UnsafeMutablePointer<Reply>
) -> Method {
    Method(
        MethodName(service: "rollcall.v1.\(service)", method: name),
        .immediate { _, request, output throws(Status) in
            do {
                try Arena.current.decode(type, from: request) { message in
                    let reply = UnsafePointer(try reply(UnsafePointer(message), Arena.current))
                    output.writeWithUnsafeMutableBytes(minimumWritableBytes: Encoding.packedByteCount(of: reply)) {
                        Encoding.pack(reply, into: $0)
                    }
                }
            } catch let status as Status {
                throw status
            } catch {
                throw Status(.invalidArgument, "\(error)", reason: "MESSAGE_MALFORMED")
            }
        }
    )
}

extension QueryExplanation {
    static let sample = QueryExplanation(
        plan: .orderedWalk,
        steps: ["walk last_seen"],
        estimatedCandidateCount: 1,
        estimatedMatchCount: 2,
        candidateCount: 3,
        matchCount: 4,
        estimatedNanoseconds: 5,
        elapsedNanoseconds: 6,
        sliceCount: 7
    )
}

extension Device {
    /// A device with what a test needs to see.
    static func sample(id: Int64 = 1, serial: String) -> Device {
        Device(
            id: id,
            createdDate: .epoch,
            updatedDate: .epoch,
            deviceSerial: serial,
            ownerRef: "o",
            hardwareVersion: "h",
            lastSeen: nil,
            lastSeenRelease: nil,
            cohort: Cohort(id: 1, name: "Default", slug: "default"),
            etag: "e"
        )
    }
}
