// A server of one method of each kind, for clients of other languages to try what no method of Rollcall does.

import Dispatch
import GRPCTransport
import Logging
import NIOCore
import NIOPosix
import RPC
import TTRPC

/// Serves `test.v1.Echo` over ttrpc at the path that is its argument, and over gRPC at that path with `.grpc` after it,
/// until its standard input ends.
///
/// Messages are bytes to it. Protobuf messages laid end to end are one message with the fields of all, which is what
/// the method that takes many messages answers.
@main
struct EchoServer {
    static func main() async throws {
        guard CommandLine.arguments.count == 2 else {
            throw UsageError()
        }
        let path = CommandLine.arguments[1]
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await Self.serve(path) { channel in
                    try ServerConnection.ttrpc(
                        channel, methods: Self.methods, peer: Self.peer, limits: Self.limits, logger: Self.logger
                    )
                }
            }
            group.addTask {
                try await Self.serve("\(path).grpc") { channel in
                    try ServerConnection.grpc(
                        channel, methods: Self.methods, peer: Self.peer, limits: Self.limits, logger: Self.logger
                    )
                }
            }
            await Self.inputEnded()
            group.cancelAll()
        }
    }

    private static let logger = Logger(label: "echo") { _ in SwiftLogNoOpLogHandler() }
    private static let peer = Peer(userID: 0, groupID: 0, processID: 0)
    private static let limits = ConnectionLimits(
        messageByteCountMax: 4 << 20, callCountMax: 1_024, queuedOutputByteCountMax: 8 << 20,
        undeliveredInputByteCountMax: 1 << 20, partialInputByteCountMax: 16 << 20
    )

    private static let methods = MethodTable([
        Method(
            Self.name("Unary"),
            .deferred { call, request, reply in
                let request = ByteBuffer(bytes: request)
                reply.succeed(head: Self.head(call), trailers: Self.trailers(call)) {
                    (output: inout ByteBuffer) throws(Status) in output.writeImmutableBuffer(request)
                }
            }
        ),
        Method(
            Self.name("Server"),
            .stream(.server) { _, requests, responses in
                for try await request in requests {
                    for _ in 0..<3 {
                        try await responses.write(request)
                    }
                }
            }
        ),
        Method(
            Self.name("Client"),
            .stream(.client) { _, requests, responses in
                var all = ByteBuffer()
                for try await var request in requests {
                    all.writeBuffer(&request)
                }
                try await responses.write(all)
            }
        ),
        Method(
            Self.name("Bidi"),
            .stream(.bidirectional) { call, requests, responses in
                try await responses.writeHead(Self.head(call))
                try await responses.setTrailers(Self.trailers(call))
                for try await request in requests {
                    try await responses.write(request)
                }
            }
        ),
    ])

    /// The metadata that a client wants back, under the names that gRPC's own interoperability tests give it.
    private static func head(_ call: CallContext) -> Metadata {
        Self.copy("x-grpc-test-echo-initial", of: call)
    }

    private static func trailers(_ call: CallContext) -> Metadata {
        Self.copy("x-grpc-test-echo-trailing-bin", of: call)
    }

    private static func copy(_ key: String, of call: CallContext) -> Metadata {
        var copy = Metadata()
        for value in call.metadata[key] {
            copy.append(key: key, value: value)
        }
        return copy
    }

    private static func name(_ method: String) -> MethodName {
        MethodName(service: "test.v1.Echo", method: method)
    }

    /// Serves one socket until the task is cancelled.
    private static func serve(
        _ path: String, configure: @escaping @Sendable (any Channel) throws -> ServerConnection
    ) async throws {
        let (connections, accept) = AsyncStream.makeStream(of: ServerConnection.self)
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { accept.yield(try configure(channel)) }
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
            .get()
        await withDiscardingTaskGroup { group in
            for await connection in connections {
                group.addTask { await connection.run() }
            }
        }
        try await listener.close()
    }

    /// Returns when whoever started this closes its standard input, or is gone.
    private static func inputEnded() async {
        await withCheckedContinuation { ended in
            DispatchQueue.global().async {
                while readLine() != nil {}
                ended.resume()
            }
        }
    }

    private struct UsageError: Error, CustomStringConvertible {
        let description = "usage: EchoServer PATH"
    }
}
