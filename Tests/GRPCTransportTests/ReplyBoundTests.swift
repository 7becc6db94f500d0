import NIOCore
import RPC
import RollcallTesting
import Testing

@testable import GRPCTransport

/// What waits in the server for a client that does not take it, over a socket with frames by hand.
@Suite(.timeLimit(.minutes(1))) struct ReplyBoundTests {
    private static let limits = {
        var limits = LiveServer.limits
        limits.queuedOutputByteCountMax = 1 << 20
        limits.partialInputByteCountMax = 100_000
        limits.undeliveredInputByteCountMax = 100_000
        return limits
    }()

    private static func serve(
        _ methods: MethodTable = EchoService.methods(),
        _ body: (HTTP2Connection, LiveServer) async throws -> Void
    ) async throws {
        try await LiveServer.serve(.grpc, methods, limits: Self.limits) { server in
            try await body(try #require(HTTP2Connection(server.path)), server)
        }
    }

    private static func expectAlive(_ server: LiveServer) async throws {
        try await GRPCTestClient.with(server.path) { client in
            let outcome = try await client.unary(EchoService.name("Echo"), ByteBuffer(string: "a"))
            #expect(outcome.texts == ["a"])
        }
    }

    @Test func repliesThatAClosedWindowHoldsAreRefusedBeyondTheBound() async throws {
        try await Self.serve { connection, server in
            await connection.begin(initialWindow: 0)
            for index in 0..<20 {
                await connection.call(UInt32(2 * index + 1), EchoService.name("Zeros"), "100000")
            }
            var refused = 0
            while refused < 10 {
                let frame = try #require(await connection.receive())
                // Trailers alone: END_STREAM on the first headers of a stream.
                if frame.type == 1, frame.flags & 1 == 1 { refused += 1 }
                #expect(frame.type != 0, "No window, no data.")
            }
            try await Self.expectAlive(server)
        }
    }

    @Test func replyComesInPiecesThroughANarrowWindow() async throws {
        try await Self.serve { connection, _ in
            await connection.begin(initialWindow: 7)
            await connection.call(1, EchoService.name("Zeros"), "50")
            var bytes: [UInt8] = []
            while true {
                let frame = try #require(await connection.receive())
                if frame.type == 0 {
                    #expect(frame.payload.count <= 7)
                    bytes += frame.payload
                    await connection.send(HTTP2Connection.frame(8, stream: 1, HTTP2Connection.bigEndian(7)))
                } else if frame.type == 1, frame.flags & 1 == 1 {
                    break
                }
            }
            #expect(bytes == HTTP2Connection.message(Array(repeating: 0, count: 50)))
        }
    }

    @Test func repliesShareTheConnectionsWindowInTurn() async throws {
        try await Self.serve { connection, _ in
            await connection.begin(initialWindow: 1 << 20)
            for id in [1, 3, 5] as [UInt32] {
                await connection.call(id, EchoService.name("Zeros"), "60000")
            }
            var counts: [UInt32: Int] = [:]
            var ended: [UInt32] = []
            while ended.count < 3 {
                let frame = try #require(await connection.receive())
                if frame.type == 0 {
                    counts[frame.stream, default: 0] += frame.payload.count
                    // Not before all of the first window is used, and then as much again.
                    if counts.values.reduce(0, +) % 65_535 == 0 {
                        await connection.send(HTTP2Connection.frame(8, HTTP2Connection.bigEndian(65_535)))
                    }
                } else if frame.type == 1, frame.flags & 1 == 1 {
                    ended.append(frame.stream)
                }
            }
            #expect(ended == [1, 3, 5])
            #expect(counts == [1: 60_005, 3: 60_005, 5: 60_005])
        }
    }

    @Test func windowOfEveryStreamFollowsTheSettings() async throws {
        try await Self.serve { connection, _ in
            await connection.begin(initialWindow: 0)
            await connection.call(1, EchoService.name("Zeros"), "50")
            await connection.send(HTTP2Connection.frame(4, [0, 4] + HTTP2Connection.bigEndian(1_000)))
            var isEnded = false
            while !isEnded {
                let frame = try #require(await connection.receive())
                isEnded = frame.type == 1 && frame.flags & 1 == 1
            }
        }
    }

    @Test func readerThatWaitsIsReadAllTheSame() async throws {
        try await Self.serve { connection, server in
            await connection.begin(initialWindow: 1_000)
            // Echoes that fill the windows, and input behind them beyond what all streams may leave unread: a message waiting
            // counts for more than its bytes, which stay within the connection's window.
            for id in [1, 3, 5] as [UInt32] {
                await connection.open(id, EchoService.name("Bidi"))
                let messages = (0..<5_000).flatMap { _ in HTTP2Connection.message([7]) }
                for start in stride(from: 0, to: messages.count, by: 12_000) {
                    await connection.send(
                        HTTP2Connection.frame(
                            0, stream: id, Array(messages[start..<min(start + 12_000, messages.count)])))
                }
            }
            // Only these let the echoes go, and a server that reads nothing would never know.
            var echoed: [UInt32: Int] = [:]
            for id in [1, 3, 5] as [UInt32] {
                await connection.send(HTTP2Connection.frame(8, stream: id, HTTP2Connection.bigEndian(100_000)))
                await connection.send(HTTP2Connection.frame(0, flags: HTTP2Connection.endStream, stream: id))
            }
            await connection.send(HTTP2Connection.frame(8, HTTP2Connection.bigEndian(1_000_000)))
            var ended = 0
            while ended < 3 {
                let frame = try #require(await connection.receive())
                if frame.type == 0 { echoed[frame.stream, default: 0] += frame.payload.count }
                if frame.type == 1, frame.flags & 1 == 1 { ended += 1 }
            }
            #expect(echoed == [1: 30_000, 3: 30_000, 5: 30_000])
            try await Self.expectAlive(server)
        }
    }

    @Test func smallerTableIsToldWithTheFirstHeadersThatAreSent() async throws {
        try await Self.serve { connection, _ in
            await connection.begin()
            await connection.send(HTTP2Connection.frame(4, [0, 1, 0, 0, 0, 0]))
            // Begins a reply, takes it back and fails.
            await connection.call(1, EchoService.name("Fail"))
            var block: [UInt8]?
            while block == nil {
                let frame = try #require(await connection.receive())
                if frame.type == 1 { block = frame.payload }
            }
            #expect(block?.first == 0x20)
        }
    }

    @Test func inputAfterItsEndIsReset() async throws {
        try await Self.serve { connection, server in
            await connection.begin()
            await connection.call(1, EchoService.name("Hold"))
            await connection.send(
                HTTP2Connection.frame(0, flags: HTTP2Connection.endStream, stream: 1, [0, 0, 0, 0, 0]))
            var code: [UInt8]?
            while code == nil {
                let frame = try #require(await connection.receive())
                if frame.type == 3 { code = frame.payload }
            }
            #expect(code == [0, 0, 0, 5])
            try await Self.expectAlive(server)
        }
    }

    @Test func unfinishedMessagesAreRefusedBeyondTheBound() async throws {
        try await Self.serve { connection, server in
            await connection.begin()
            for index in 0..<5 {
                let id = UInt32(2 * index + 1)
                await connection.open(id, EchoService.name("Echo"))
                await connection.send(HTTP2Connection.frame(0, stream: id, [0, 0, 1, 0, 0]))
                await connection.send(HTTP2Connection.frame(0, stream: id, Array(repeating: 7, count: 12_000)))
                await connection.send(HTTP2Connection.frame(0, stream: id, Array(repeating: 7, count: 12_000)))
            }
            var isRefused = false
            while !isRefused {
                let frame = try #require(await connection.receive())
                isRefused = frame.type == 1 && frame.flags & 1 == 1
            }
            try await Self.expectAlive(server)
        }
    }

    @Test func streamThatNoMethodReadsClosesItsWindow() async throws {
        try await Self.serve { connection, server in
            await connection.begin()
            await connection.open(1, EchoService.name("Silent"))
            // As much as a client may send that gets no window back: 64 KiB, here in messages of a frame each.
            let message = HTTP2Connection.message(Array(repeating: 7, count: 1_024))
            for _ in 0..<63 {
                await connection.send(HTTP2Connection.frame(0, stream: 1, message))
            }
            await connection.call(3, EchoService.name("Echo"), "alive")
            var isAnswered = false
            var window = 0
            while !isAnswered {
                let frame = try #require(await connection.receive())
                if frame.type == 8, frame.stream == 1 { window += frame.payload.reduce(0) { $0 << 8 | Int($1) } }
                isAnswered = frame.type == 0 && frame.stream == 3
            }
            // Half of it came back before it was clear that nobody reads.
            #expect(window <= 33 << 10)
            try await Self.expectAlive(server)
        }
    }
}
