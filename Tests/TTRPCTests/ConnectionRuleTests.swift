// The rules of ttrpc for a connection as a whole: half-close, drain, and what may wait on it.

import NIOCore
import NIOEmbedded
import RPC
import RollcallTesting
import Testing

@testable import TTRPC

@Suite(.timeLimit(.minutes(1))) struct ConnectionRuleTests {
    @Test func halfClosedSocketHasItsCallsAnsweredAndThenCloses() async throws {
        let held = EchoService.HeldCalls()
        try await TestConnection.serve(EchoService.methods(held: held)) { connection in
            try await connection.send(.request(1, "Hold"), .request(3, "Client", "a", flags: RawFrame.remoteOpen))
            try await connection.closeInput()
            #expect(try await connection.receive() == .reply(3, "<a>"))
            held.succeed("held")
            #expect(try await connection.receive() == .reply(1, "held"))
            try await connection.expectClosed()
        }
    }

    @Test func halfClosedSocketWithoutCallsCloses() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Echo", "hi"))
            try await connection.closeInput()
            #expect(try await connection.receive() == .reply(1, "hi"))
            try await connection.expectClosed()
        }
    }

    @Test func drainRefusesNewCallsAndFinishesThoseInFlight() async throws {
        let held = EchoService.HeldCalls()
        try await TestConnection.serve(EchoService.methods(held: held)) { connection in
            try await connection.send(
                .request(1, "Hold"), .request(3, "Bidi", flags: RawFrame.remoteOpen), .data(3, "before")
            )
            #expect(try await connection.receive() == .data(3, "before"))
            connection.server.drain()
            connection.server.drain()
            try await connection.send(.request(5, "Echo"), .request(7, "Server"), .data(3, "after"))
            try await connection.expectError(5, .unavailable, "DRAINING")
            try await connection.expectError(7, .unavailable, "DRAINING")
            #expect(try await connection.receive() == .data(3, "after"))
            try await connection.send(.halfClose(3))
            #expect(try await connection.receive() == .streamEnd(3))
            held.succeed("held")
            #expect(try await connection.receive() == .reply(1, "held"))
            try await connection.expectClosed()
        }
    }

    @Test func drainOfAnIdleConnectionCloses() async throws {
        try await TestConnection.serve { connection in
            connection.server.drain()
            try await connection.expectClosed()
        }
    }

    @Test func outputOverItsBoundEndsTheCallAndConnectionSurvives() async throws {
        var limits = TestConnection.limits
        limits.queuedOutputByteCountMax = 10_000
        try await TestConnection.serve(limits: limits) { connection in
            try await connection.send(.request(1, "Zeros", "6000"), .request(3, "Zeros", "6000"), .request(5, "Echo"))
            #expect(try await connection.receive().data.count > 6_000)
            try await connection.expectError(3, .resourceExhausted, "LIMIT_EXCEEDED")
            #expect(try await connection.receive() == .reply(5))
            try await connection.expectAlive()
        }
    }

    @Test func outputFarOverItsBoundClosesTheConnection() async throws {
        var limits = TestConnection.limits
        limits.queuedOutputByteCountMax = 10_000
        try await TestConnection.serve(limits: limits) { connection in
            let refusals = 256 << 10
            let frames = stride(from: UInt32(1), to: UInt32(refusals / 50), by: 2).flatMap {
                RawFrame.request($0, "Fail").bytes
            }
            try await connection.send(bytes: frames)
            try await connection.expectClosed()
        }
    }

    @Test func streamInputOverItsBoundPausesReadingUntilItIsTaken() async throws {
        var limits = TestConnection.limits
        limits.undeliveredInputByteCountMax = 1_000
        let mayRead = AsyncStream<Void>.makeStream()
        let methods = MethodTable([
            Method(
                EchoService.name("Slow"),
                .stream(.client) { _, requests, responses in
                    for await _ in mayRead.stream {}
                    var count = 0
                    for try await _ in requests {
                        count += 1
                    }
                    try await responses.write(ByteBuffer(string: "\(count)"))
                }
            )
        ])
        try await TestConnection.serve(methods, limits: limits) { connection in
            let reads = ReadCounter()
            try await connection.channel.testingEventLoop.executeInContext {
                try connection.channel.pipeline.syncOperations.addHandler(reads.handler, position: .first)
            }
            try await connection.send(.request(1, "Slow", flags: RawFrame.remoteOpen))
            try await connection.read()
            #expect(reads.count == 1)
            for _ in 0..<20 {
                try await connection.send(.data(1, ""))
            }
            // Twenty empty messages count for more than a thousand bytes.
            try await connection.read()
            #expect(reads.count == 1)
            mayRead.continuation.finish()
            await reads.waitForSecond()
            try await connection.send(.halfClose(1))
            #expect(try await connection.receive() == .reply(1, "20"))
        }
    }
}

extension TestConnection {
    /// What a channel with autoRead does after each read.
    fileprivate func read() async throws {
        try await self.channel.testingEventLoop.executeInContext {
            self.channel.pipeline.read()
        }
    }
}

/// Counts the reads that get as far as the channel.
private final class ReadCounter: Sendable {
    private let seen = Counter()
    private let second = AsyncStream<Void>.makeStream()

    var count: Int {
        self.seen.value
    }

    var handler: Handler {
        Handler(counter: self)
    }

    func waitForSecond() async {
        for await _ in self.second.stream {}
    }

    fileprivate func readPassed() {
        if self.seen.increment() == 2 {
            self.second.continuation.finish()
        }
    }

    final class Handler: ChannelOutboundHandler, Sendable {
        typealias OutboundIn = ByteBuffer

        private let counter: ReadCounter

        init(counter: ReadCounter) {
            self.counter = counter
        }

        func read(context: ChannelHandlerContext) {
            self.counter.readPassed()
            context.read()
        }
    }
}
