import RPC
import RollcallTesting
import Testing

@testable import TTRPC

/// Which method a call counts for, and with which code, where it never comes to a method.
@Suite struct CallCountTests {
    private static func counts(_ table: MethodTable, _ method: String?) -> [Status.Code: Int64]? {
        table.metrics.figures.calls[.init(wire: "ttrpc", method: method.map(EchoService.name))]?.counts
    }

    @Test func callsOfNoMethodCountTogether() async throws {
        let table = EchoService.methods()
        var limits = TestConnection.limits
        limits.messageByteCountMax = 1_000
        try await TestConnection.serve(table, limits: limits) { connection in
            // An envelope that cannot be read, a name that no method has, a request that is too long, and data for nobody.
            try await connection.send(
                RawFrame(id: 1, type: 1, flags: 0, data: [0xFF]), .request(3, "Nothing"),
                .request(5, "Echo", String(repeating: "x", count: 2_000)), .data(99, "late"))
            for _ in 0..<4 { _ = try await connection.receive() }
            #expect(
                Self.counts(table, nil) == [.invalidArgument: 1, .unimplemented: 1, .resourceExhausted: 1])
            #expect(table.metrics.figures.calls.count == 1)
        }
    }

    @Test func aRefusalOfTheConnectionCountsForTheMethod() async throws {
        let held = EchoService.HeldCalls()
        let table = EchoService.methods(held: held)
        try await TestConnection.serve(table) { connection in
            try await connection.send(
                .request(2, "Echo"), .request(1, "Hold"), .request(1, "Bidi"),
                .request(3, "Echo", timeoutNanoseconds: -1))
            for _ in 0..<3 { _ = try await connection.receive() }
            #expect(Self.counts(table, "Echo") == [.invalidArgument: 1, .deadlineExceeded: 1])
            #expect(Self.counts(table, "Bidi") == [.invalidArgument: 1])
            // A message that no unary call takes ends the one that is open.
            try await connection.send(.data(1, "more"))
            _ = try await connection.receive()
            #expect(Self.counts(table, "Hold") == [.invalidArgument: 1])
            #expect(table.metrics.figures.calls.values.allSatisfy { $0.openCount == 0 })
        }
    }
}
