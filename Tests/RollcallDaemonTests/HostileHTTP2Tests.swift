import Foundation
import NIOCore
import RPC
import RollcallTesting
import Testing

/// HTTP/2 that no client would send, at the real daemon: a status or a closed connection for who sent it, nothing for others.
@Suite(.sharedDaemon, .serialized, .timeLimit(.minutes(2))) struct HostileHTTP2Tests {
    private static let serverInfo = MethodName(service: "rollcall.v1.Server", method: "GetServerInfo")
    /// What a daemon may grow by while one connection misbehaves: its output, and what allocators keep.
    private static let growthByteCountMax = 64 << 20

    /// Lets `body` misbehave on a connection of its own, and shows that neither the daemon's memory nor a call that another
    /// connection makes meanwhile minds.
    private static func misbehave(
        sourceLocation: SourceLocation = #_sourceLocation, _ body: (HTTP2Connection) async throws -> Void
    ) async throws {
        let daemon = try SharedDaemon.daemon()
        let connection = try #require(HTTP2Connection(daemon.socketPath))
        let byteCount = try daemon.child.residentByteCount()
        try await GRPCTestClient.with(daemon.socketPath) { client in
            #expect(try await client.unary(Self.serverInfo, .init()).status == .ok, sourceLocation: sourceLocation)
            try await body(connection)
            #expect(try await client.unary(Self.serverInfo, .init()).status == .ok, sourceLocation: sourceLocation)
        }
        let growth = try daemon.child.residentByteCount() - byteCount
        #expect(growth < Self.growthByteCountMax, sourceLocation: sourceLocation)
        try await WireConnection(daemon).expectAlive(sourceLocation: sourceLocation)
    }

    // MARK: The beginning

    @Test(arguments: [
        "P", "PRI * HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "\u{1}", "\u{7f}xyz",
    ])
    func whatIsNotHTTP2IsClosed(text: String) async throws {
        try await Self.misbehave { connection in
            await connection.send(Array(text.utf8))
            // Of this one there may be more to come.
            if text == "P" { await connection.finishSending() }
            #expect(await connection.isClosedByServer())
        }
    }

    @Test func frameInsteadOfSettingsIsClosed() async throws {
        try await Self.misbehave { connection in
            await connection.send(HTTP2Connection.preface + HTTP2Connection.frame(0, stream: 1, [1, 2, 3]))
            #expect(await connection.isClosedByServer())
        }
    }

    // MARK: Floods

    @Test(arguments: [2, 4, 6] as [UInt8]) func floodOfControlFramesEndsInAClose(type: UInt8) async throws {
        try await Self.misbehave { connection in
            await connection.begin()
            let byteCount = [2: 5, 4: 0, 6: 8][type] ?? 0
            let frame = HTTP2Connection.frame(type, stream: type == 2 ? 1 : 0, Array(repeating: 0, count: byteCount))
            // Nobody reads what acknowledges them.
            let flood = (0..<10_000).flatMap { _ in frame }
            for _ in 0..<100 where await connection.send(flood) {}
            #expect(await connection.isClosedByServer())
        }
    }

    @Test func settingsThatChangeEveryWindowAgainAndAgainCostNoMoreThanOnce() async throws {
        try await Self.misbehave { connection in
            await connection.begin(initialWindow: 0)
            for index in 0..<1_000 {
                await connection.call(UInt32(2 * index + 1), Self.serverInfo)
            }
            let entries = (0..<2_700).flatMap { [0, 4] as [UInt8] + HTTP2Connection.bigEndian(UInt32($0 % 2)) }
            for _ in 0..<40 {
                await connection.send(HTTP2Connection.frame(4, entries))
            }
            await connection.finishSending()
        }
    }

    @Test func callsThatAreResetAtOnceCostNothingThatStays() async throws {
        try await Self.misbehave { connection in
            await connection.begin()
            for round in 0..<8 {
                let bytes = (0..<250).flatMap { index -> [UInt8] in
                    let id = UInt32(2 * (round * 250 + index) + 1)
                    return HTTP2Connection.frame(
                        1, flags: HTTP2Connection.endHeaders, stream: id, HTTP2Connection.headers(Self.serverInfo))
                        + HTTP2Connection.frame(3, stream: id, [0, 0, 0, 8])
                }
                guard await connection.send(bytes) else { break }
            }
        }
    }

    // MARK: Headers

    @Test func continuationThatNeverEndsIsClosed() async throws {
        try await Self.misbehave { connection in
            await connection.begin()
            await connection.send(HTTP2Connection.frame(1, stream: 1, HTTP2Connection.headers(Self.serverInfo)))
            let more = HTTP2Connection.frame(9, stream: 1, (0..<50).flatMap { HTTP2Connection.field("x-\($0)", "y") })
            for _ in 0..<10_000 where await connection.send(more) {}
            #expect(await connection.isClosedByServer())
        }
    }

    @Test func headersThatUnpackToManyAreClosed() async throws {
        try await Self.misbehave { connection in
            await connection.begin()
            // One field of 4,000 bytes that is remembered, and then named 8,000 times in a byte each.
            let value = Array(repeating: UInt8(ascii: "v"), count: 3_900)
            let bomb: [UInt8] = [0x40, 1, UInt8(ascii: "x"), 0x7f, 0xbd, 0x1d] + value
            await connection.send(
                HTTP2Connection.frame(
                    1, flags: HTTP2Connection.endHeaders, stream: 1,
                    HTTP2Connection.headers(Self.serverInfo) + bomb + Array(repeating: 0xbe, count: 8_000)))
            #expect(await connection.isClosedByServer())
        }
    }

    @Test func headersThatAreNoneAreClosed() async throws {
        try await Self.misbehave { connection in
            await connection.begin()
            await connection.send(
                HTTP2Connection.frame(
                    1, flags: HTTP2Connection.endHeaders, stream: 1, Array(repeating: 0xff, count: 40)))
            #expect(await connection.isClosedByServer())
        }
    }

    @Test func frameOfAnyLengthIsClosed() async throws {
        try await Self.misbehave { connection in
            await connection.begin()
            await connection.send([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])
            #expect(await connection.isClosedByServer())
        }
    }

    // MARK: Streams

    @Test func streamOfTheServersIsNotTheClientsToOpen() async throws {
        try await Self.misbehave { connection in
            await connection.begin()
            await connection.open(2, Self.serverInfo)
            #expect(await connection.isClosedByServer())
        }
    }

    @Test(arguments: [
        // DATA, RST_STREAM and WINDOW_UPDATE for a stream that was not opened.
        HTTP2Connection.frame(0, stream: 9, [1]), HTTP2Connection.frame(3, stream: 9, [0, 0, 0, 8]),
        HTTP2Connection.frame(8, stream: 9, [0, 0, 0, 1]),
        // A window opened by nothing, and too far.
        HTTP2Connection.frame(8, [0, 0, 0, 0]), HTTP2Connection.frame(8, [0x7f, 0xff, 0xff, 0xff]),
        // Settings out of their ranges, and not of six bytes.
        HTTP2Connection.frame(4, [0, 4, 0x80, 0, 0, 0]), HTTP2Connection.frame(4, [0, 5, 0, 0, 0, 1]),
        HTTP2Connection.frame(4, [0, 2, 0, 0, 0, 2]), HTTP2Connection.frame(4, [0, 4, 0]),
        // Payloads of other lengths than their kinds have.
        HTTP2Connection.frame(6, [1, 2, 3]), HTTP2Connection.frame(8, [1]), HTTP2Connection.frame(4, flags: 1, [0]),
        // What a client never sends.
        HTTP2Connection.frame(5, flags: 4, stream: 1, [0, 0, 0, 2]), HTTP2Connection.frame(9, stream: 1, [1]),
        // Padding longer than its frame.
        HTTP2Connection.frame(1, flags: 0x0c, stream: 1, [9, 0]),
    ]) func brokenRuleIsClosed(frame: [UInt8]) async throws {
        try await Self.misbehave { connection in
            await connection.begin()
            await connection.send(frame)
            #expect(await connection.isClosedByServer())
        }
    }

    @Test func dataBeyondTheWindowEndsItsStream() async throws {
        try await Self.misbehave { connection in
            await connection.begin()
            let reflection = MethodName(service: "grpc.reflection.v1.ServerReflection", method: "ServerReflectionInfo")
            await connection.open(1, reflection)
            // Small messages by the thousand, which a method takes more slowly than they come: not all of the window comes back.
            let message = HTTP2Connection.message([0x3a, 0])
            let bytes = HTTP2Connection.frame(0, stream: 1, (0..<2_300).flatMap { _ in message })
            for _ in 0..<60 where await connection.send(bytes) {}
            var code: [UInt8]?
            while code == nil, let frame = await connection.receive() {
                if frame.type == 3, frame.stream == 1 { code = frame.payload }
            }
            #expect(code == [0, 0, 0, 3])
        }
    }

    @Test func windowsThatStayClosedHoldNoMoreThanTheBound() async throws {
        try await Self.misbehave { connection in
            await connection.begin(initialWindow: 0)
            for index in 0..<1_000 {
                await connection.call(UInt32(2 * index + 1), Self.serverInfo)
            }
            // Their heads come, their messages wait.
            for _ in 0..<1_000 {
                _ = await connection.receive()
            }
        }
    }

    @Test func mutatedFramesNeitherEndTheDaemonNorMakeItGrow() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let daemon = try SharedDaemon.daemon()
        let whole =
            HTTP2Connection.frame(4)
            + HTTP2Connection.frame(
                1, flags: HTTP2Connection.endHeaders, stream: 1, HTTP2Connection.headers(Self.serverInfo))
            + HTTP2Connection.frame(0, flags: HTTP2Connection.endStream, stream: 1, [0, 0, 0, 0, 0])
        let byteCount = try daemon.child.residentByteCount()
        for _ in 0..<1_000 {
            let connection = try #require(HTTP2Connection(daemon.socketPath), "seed \(seed)")
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                default: bytes.remove(at: index)
                }
            }
            await connection.send(HTTP2Connection.preface + bytes)
            await connection.finishSending()
            #expect(await connection.isClosedByServer(), "seed \(seed)")
        }
        #expect(try daemon.child.residentByteCount() - byteCount < Self.growthByteCountMax, "seed \(seed)")
        try await WireConnection(daemon).expectAlive()
    }
}
