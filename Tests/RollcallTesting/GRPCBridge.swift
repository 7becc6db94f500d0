// A socket that speaks ttrpc and calls a server by gRPC, so that one client can be held to both protocols.

internal import NIOCore
package import RPC

/// Forwards every unary call of the methods that it is told to a server that speaks gRPC.
package struct GRPCBridge: Sendable {
    /// Serves `names` on a socket whose path `body` is given, forwarding to the server at `path`.
    package static func with<Result: Sendable>(
        _ path: String, _ names: [MethodName], _ body: (String) async throws -> Result
    ) async throws -> Result {
        try await GRPCTestClient.with(path) { client in
            var result: Result?
            try await LiveServer.serve(.ttrpc, MethodTable(names.map { Self.forwarding($0, client) })) { server in
                result = try await body(server.path)
            }
            guard let result else { throw CancellationError() }
            return result
        }
    }

    private static func forwarding(_ name: MethodName, _ client: GRPCTestClient) -> Method {
        Method(
            name,
            .deferred { call, request, sink in
                let message = ByteBuffer(bytes: request)
                let timeout =
                    call.deadline == .distantFuture ? nil : "\(max(0, (call.deadline - .now()).nanoseconds))n"
                Task {
                    do {
                        let outcome = try await client.unary(name, message, timeout: timeout)
                        guard outcome.status == .ok, let reply = outcome.messages.first else {
                            return sink.fail(outcome.status ?? .defect("The call had no end that agrees with itself."))
                        }
                        sink.succeed { (output: inout ByteBuffer) throws(Status) in output.writeImmutableBuffer(reply) }
                    } catch {
                        sink.fail(Status(.unavailable, "The bridge's connection is lost: \(error)."))
                    }
                }
            }
        )
    }
}
