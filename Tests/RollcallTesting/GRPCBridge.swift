// A socket that speaks ttrpc and calls a server by gRPC, so that one client can be held to both protocols.

internal import NIOCore
package import RPC

/// Forwards the calls of the methods that it is told to a server that speaks gRPC.
package struct GRPCBridge: Sendable {
    /// Serves unary `names` and streaming ones on a socket whose path `body` is given, forwarding to the server at `path`.
    package static func with<Result: Sendable>(
        _ path: String, _ names: [MethodName], streaming: [(MethodName, StreamKind)] = [],
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        try await GRPCTestClient.with(path) { client in
            var result: Result?
            let methods =
                names.map { Self.forwarding($0, client) } + streaming.map { Self.forwarding($0, $1, client) }
            try await LiveServer.serve(.ttrpc, MethodTable(methods)) { server in
                result = try await body(server.path)
            }
            guard let result else { throw CancellationError() }
            return result
        }
    }

    private static func forwarding(_ name: MethodName, _ kind: StreamKind, _ client: GRPCTestClient) -> Method {
        Method(
            name,
            .stream(kind) { context, requests, responses in
                let call = try await client.open(GRPCTestClient.headers(name, timeout: Self.timeout(context)))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for try await request in requests { call.send(request) }
                        call.halfClose()
                    }
                    let outcome = try await call.outcome { try await responses.write($0) }
                    group.cancelAll()
                    guard outcome.status == .ok else {
                        throw outcome.status ?? .defect("The call had no end that agrees with itself.")
                    }
                }
            }
        )
    }

    private static func forwarding(_ name: MethodName, _ client: GRPCTestClient) -> Method {
        Method(
            name,
            .deferred { call, request, sink in
                let message = ByteBuffer(bytes: request)
                Task {
                    do {
                        let outcome = try await client.unary(name, message, timeout: Self.timeout(call))
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

    private static func timeout(_ call: CallContext) -> String? {
        call.deadline == .distantFuture ? nil : "\(max(0, (call.deadline - .now()).nanoseconds))n"
    }
}
