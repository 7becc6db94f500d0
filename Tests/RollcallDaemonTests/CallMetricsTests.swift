// What is counted of calls, over both protocols.

import DeviceModel
import Logging
import NIOCore
import RPC
import RollcallTesting
import TTRPC
import Testing

@Suite(.timeLimit(.minutes(1))) struct CallMetricsTests {
    /// A client of either protocol that only wants to know how a call ends.
    private struct Client: Sendable {
        let code: @Sendable (_ method: MethodName, _ text: String) async throws -> Status.Code
        let close: @Sendable () async -> Void
    }

    private static func withClient(
        _ wire: TestProtocol, _ methods: MethodTable, _ body: (Client) async throws -> Void
    ) async throws {
        try await LiveServer.serve(wire, methods) { server in
            switch wire {
            case .ttrpc:
                let client = try await TTRPCClient.connect(
                    path: server.path, limits: LiveServer.limits, logger: Logger(label: "test"))
                let code = { @Sendable (method: MethodName, text: String) async throws -> Status.Code in
                    do throws(Status) {
                        _ = try await client.unary(method, ByteBuffer(string: text))
                        return .ok
                    } catch {
                        return error.code
                    }
                }
                try await body(Client(code: code) { await client.close() })
                await client.close()
            case .grpc:
                try await GRPCTestClient.with(server.path) { client in
                    let code = { @Sendable (method: MethodName, text: String) async throws -> Status.Code in
                        try await client.unary(method, ByteBuffer(string: text)).status?.code ?? .unknown
                    }
                    try await body(Client(code: code) { client.close() })
                }
            }
        }
    }

    private static func calls(_ table: MethodTable, _ wire: TestProtocol, _ method: String?) -> CallFigures.Calls? {
        table.metrics.figures.calls[.init(wire: wire.rawValue, method: method.map(EchoService.name))]
    }

    @Test(arguments: TestProtocol.allCases) func callsAreCountedByMethodAndCode(wire: TestProtocol) async throws {
        let table = EchoService.methods()
        try await Self.withClient(wire, table) { client in
            for _ in 0..<3 { #expect(try await client.code(EchoService.name("Echo"), "a") == .ok) }
            for _ in 0..<2 { #expect(try await client.code(EchoService.name("Fail"), "") == .notFound) }
            for name in ["Nothing", "Naught"] {
                #expect(try await client.code(EchoService.name(name), "") == .unimplemented)
            }
            #expect(try await client.code(MethodName(service: "none.v1.Such", method: "Echo"), "") == .unimplemented)
            let figures = table.metrics.figures
            #expect(Self.calls(table, wire, "Echo")?.counts == [.ok: 3])
            #expect(Self.calls(table, wire, "Fail")?.counts == [.notFound: 2])
            #expect(Self.calls(table, wire, nil)?.counts == [.unimplemented: 3])
            // Whatever was not called takes no line.
            #expect(figures.calls.count == 3)
            // A reply may come before the pass that sent it is over.
            try await poll {
                table.metrics.figures.calls.values.allSatisfy { $0.latency.count == $0.counts.values.reduce(0, +) }
            }
            #expect(table.metrics.figures.calls.values.allSatisfy { $0.latency.max > 0 && $0.openCount == 0 })
            let connections = try #require(figures.connections[wire.rawValue])
            #expect(connections.openCount == 1 && connections.totalCount == 1)
            #expect(connections.receivedByteCount > 0 && connections.sentByteCount > 0)
            await client.close()
            try await poll { table.metrics.figures.connections[wire.rawValue]?.openCount == 0 }
            #expect(table.metrics.figures.connections[wire.rawValue]?.totalCount == 1)
        }
    }

    @Test(arguments: TestProtocol.allCases) func aCallIsOpenUntilItIsAnswered(wire: TestProtocol) async throws {
        let held = EchoService.HeldCalls()
        let table = EchoService.methods(held: held)
        try await Self.withClient(wire, table) { client in
            async let code = client.code(EchoService.name("Hold"), "")
            try await poll { held.count == 1 }
            #expect(Self.calls(table, wire, "Hold")?.openCount == 1)
            #expect(Self.calls(table, wire, "Hold")?.counts == [:])
            held.succeed("late")
            #expect(try await code == .ok)
            #expect(Self.calls(table, wire, "Hold")?.openCount == 0)
            #expect(Self.calls(table, wire, "Hold")?.counts == [.ok: 1])
        }
    }

    @Test(arguments: TestProtocol.allCases) func aCallWhoseConnectionGoesIsCancelled(wire: TestProtocol) async throws {
        let held = EchoService.HeldCalls()
        let table = EchoService.methods(held: held)
        try await Self.withClient(wire, table) { client in
            async let code = client.code(EchoService.name("Hold"), "")
            try await poll { held.count == 1 }
            await client.close()
            _ = try? await code
            try await poll { Self.calls(table, wire, "Hold")?.latency.count == 1 }
            #expect(Self.calls(table, wire, "Hold")?.counts == [.cancelled: 1])
            #expect(Self.calls(table, wire, "Hold")?.openCount == 0)
            // What comes late is dropped, and counts no more.
            held.succeed("late")
            #expect(Self.calls(table, wire, "Hold")?.counts == [.cancelled: 1])
        }
    }

    @Test func aStreamIsACallOverBothProtocols() async throws {
        let table = EchoService.methods()
        try await LiveServer.serve(.ttrpc, table) { server in
            let client = try await TTRPCClient.connect(
                path: server.path, limits: LiveServer.limits, logger: Logger(label: "test"))
            try await client.withStream(EchoService.name("Bidi"), .bidirectional, ByteBuffer(string: "a")) { stream in
                var messages = stream.messages.makeAsyncIterator()
                _ = try await messages.next()
                #expect(Self.calls(table, .ttrpc, "Bidi")?.openCount == 1)
                stream.finish()
                while try await messages.next() != nil {}
            }
            #expect(Self.calls(table, .ttrpc, "Bidi")?.counts == [.ok: 1])
            await client.close()
        }
        try await LiveServer.serve(.grpc, table) { server in
            try await GRPCTestClient.with(server.path) { client in
                let outcome = try await client.call(
                    GRPCTestClient.headers(EchoService.name("Bidi")), [ByteBuffer(string: "a")])
                #expect(outcome.status == .ok)
            }
        }
        #expect(Self.calls(table, .grpc, "Bidi")?.counts == [.ok: 1])
        #expect(Self.calls(table, .grpc, "Bidi")?.openCount == 0)
    }
}
