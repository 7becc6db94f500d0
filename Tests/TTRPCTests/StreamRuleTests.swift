// The rules of ttrpc for streaming calls, one test each.

import NIOCore
import NIOEmbedded
import RPC
import RollcallTesting
import Testing

@testable import TTRPC

@Suite(.timeLimit(.minutes(1))) struct StreamRuleTests {
    @Test func serverStreamEndsWithAnEmptyDataFrameAndNeverAResponse() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Server", "m", flags: RawFrame.remoteClosed))
            for index in 0..<3 {
                #expect(try await connection.receive() == .data(1, "m\(index)"))
            }
            // no data, stream 1, Data, remote closed and no data
            #expect(try await connection.receive().bytes == [0, 0, 0, 0, 0, 0, 0, 1, 3, 5])
            try await connection.expectAlive()
        }
    }

    @Test func requestPayloadOfAServerStreamIsItsMessageEvenEmpty() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Server"))
            #expect(try await connection.receive() == .data(1, "0"))
        }
    }

    @Test func requestPayloadOfAClientStreamCountsOnlyIfNotEmpty() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Client", flags: RawFrame.remoteOpen), .halfClose(1))
            #expect(try await connection.receive() == .reply(1))
            try await connection.send(.request(3, "Client", "a", flags: RawFrame.remoteOpen), .halfClose(3))
            #expect(try await connection.receive() == .reply(3, "<a>"))
        }
    }

    @Test func clientStreamIsAnsweredWithAResponseAndNeverData() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Client", flags: RawFrame.remoteOpen), .data(1, "a"), .data(1, "b"))
            try await connection.send(.halfClose(1))
            #expect(try await connection.receive() == .reply(1, "<a><b>"))
            try await connection.expectAlive()
        }
    }

    @Test func bidirectionalStreamGoesBothWaysAndEndsWithData() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Bidi", flags: RawFrame.remoteOpen))
            for text in ["a", "", "c"] {
                try await connection.send(.data(1, text))
                #expect(try await connection.receive() == .data(1, text))
            }
            try await connection.send(.halfClose(1))
            #expect(try await connection.receive() == .streamEnd(1))
        }
    }

    @Test func dataOfNoBytesIsAMessage() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(
                .request(1, "Client", flags: RawFrame.remoteOpen), .data(1), .data(1), .halfClose(1)
            )
            #expect(try await connection.receive() == .reply(1, "<><>"))
        }
    }

    @Test func bytesUnderNoDataAreIgnored() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(
                .request(1, "Client", flags: RawFrame.remoteOpen), .data(1, "ignored", flags: RawFrame.noData),
                .data(1, "ignored", flags: RawFrame.remoteClosed | RawFrame.noData)
            )
            #expect(try await connection.receive() == .reply(1))
        }
    }

    @Test func remoteClosedWithBytesIsALastMessage() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(
                .request(1, "Client", flags: RawFrame.remoteOpen), .data(1, "last", flags: RawFrame.remoteClosed)
            )
            #expect(try await connection.receive() == .reply(1, "<last>"))
        }
    }

    @Test(arguments: [RawFrame.remoteOpen, RawFrame.remoteOpen | RawFrame.noData, 0])
    func requestOfAStreamOpensItWithAnyFlags(flags: UInt8) async throws {
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Client", flags: flags), .data(1, "a"), .halfClose(1))
            #expect(try await connection.receive() == .reply(1, "<a>"))
        }
    }

    @Test func unknownFlagBitsAreIgnored() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(
                .request(1, "Client", flags: RawFrame.remoteOpen | 0xf8), .data(1, "a", flags: 0xf8),
                .data(1, flags: 0xf8 | RawFrame.remoteClosed | RawFrame.noData)
            )
            #expect(try await connection.receive() == .reply(1, "<a>"))
        }
    }

    @Test func failureOfAStreamIsAResponseAtAnyTime() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(
                .request(1, "Bidi", flags: RawFrame.remoteOpen), .data(1, "a"), .data(1, "fail"), .data(1, "late")
            )
            #expect(try await connection.receive() == .data(1, "a"))
            #expect(try await connection.receive().status == EchoService.notFound)
            try await connection.send(.request(3, "Refuse", flags: RawFrame.remoteOpen))
            #expect(try await connection.receive().status == EchoService.notFound)
            try await connection.send(.data(3, "late"), .halfClose(3))
            try await connection.expectAlive()
        }
    }

    @Test func messageAfterTheHalfCloseEndsTheCall() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(
                .request(1, "Silent", flags: RawFrame.remoteOpen), .halfClose(1), .halfClose(1), .data(1, "more")
            )
            try await connection.expectError(1, .invalidArgument, "MESSAGE_MALFORMED")
            try await connection.expectAlive()
        }
    }

    @Test func oversizeMessageEndsItsStreamAndConnectionSurvives() async throws {
        var limits = TestConnection.limits
        limits.messageByteCountMax = 1_000
        try await TestConnection.serve(limits: limits) { connection in
            try await connection.send(
                .request(1, "Silent", flags: RawFrame.remoteOpen), .data(1, String(repeating: "x", count: 1_001))
            )
            try await connection.expectError(1, .resourceExhausted, "LIMIT_EXCEEDED")
            try await connection.send(.data(1, String(repeating: "x", count: 1_001)))
            try await connection.expectAlive()
        }
    }

    @Test func streamEndsAtItsDeadline() async throws {
        try await TestConnection.serve { connection in
            try await connection.send(
                .request(1, "Silent", flags: RawFrame.remoteOpen, timeoutNanoseconds: 1_000_000_000)
            )
            await connection.channel.testingEventLoop.advanceTime(by: .seconds(1))
            try await connection.expectError(1, .deadlineExceeded, "DEADLINE_EXCEEDED")
            try await connection.expectAlive()
        }
    }

    @Test func closedConnectionCancelsItsStreams() async throws {
        // Returns only because the method's task is cancelled: `serve` waits for it.
        try await TestConnection.serve { connection in
            try await connection.send(.request(1, "Silent", flags: RawFrame.remoteOpen))
            try await connection.expectAlive()
        }
    }

    @Test func cancelledRunClosesTheConnection() async throws {
        try await TestConnection.serve { connection in
            try await withThrowingTaskGroup { group in
                group.addTask { await connection.server.run() }
                group.cancelAll()
                try await group.waitForAll()
            }
            try await connection.expectClosed()
        }
    }

    @Test func writerWaitsWhileTheReaderIsBehind() async throws {
        let counter = Counter()
        let methods = MethodTable([
            Method(
                EchoService.name("Many"),
                .stream(.server) { _, _, responses in
                    for _ in 0..<100 {
                        try await responses.write(ByteBuffer(repeating: 7, count: 1_000))
                        _ = counter.increment()
                    }
                }
            )
        ])
        try await TestConnection.serve(methods) { connection in
            let channel = connection.channel
            try await channel.testingEventLoop.executeInContext {
                channel.isWritable = false
                channel.pipeline.fireChannelWritabilityChanged()
            }
            try await connection.send(.request(1, "Many"), .request(3, "Other"))
            // Long enough for a method that does not wait.
            try await Task.sleep(for: .milliseconds(100))
            #expect(counter.value == 0)
            try await channel.testingEventLoop.executeInContext {
                channel.isWritable = true
                channel.pipeline.fireChannelWritabilityChanged()
            }
            try await connection.expectError(3, .unimplemented, "METHOD_UNKNOWN")
            for _ in 0..<100 {
                #expect(try await connection.receive().data.count == 1_000)
            }
            #expect(try await connection.receive() == .streamEnd(1))
        }
    }

    @Test func messageOverTheLimitEndsTheStream() async throws {
        let methods = MethodTable([
            Method(
                EchoService.name("Long"),
                .stream(.server) { _, _, responses in
                    try await responses.write(ByteBuffer(repeating: 7, count: 4 << 20))
                    try await responses.write(ByteBuffer(repeating: 7, count: (4 << 20) + 1))
                }
            )
        ])
        try await TestConnection.serve(methods) { connection in
            try await connection.send(.request(1, "Long"))
            #expect(try await connection.receive().data.count == 4 << 20)
            try await connection.expectError(1, .resourceExhausted, "LIMIT_EXCEEDED")
        }
    }

    @Test func clientStreamThatRepliesOtherThanOnceIsADefect() async throws {
        let methods = MethodTable([
            Method(EchoService.name("None"), .stream(.client) { _, _, _ in }),
            Method(
                EchoService.name("Two"),
                .stream(.client) { _, _, responses in
                    try await responses.write(ByteBuffer())
                    try await responses.write(ByteBuffer())
                }
            ),
        ])
        try await TestConnection.serve(methods) { connection in
            try await connection.send(.request(1, "None"))
            try await connection.expectError(1, .internal, "INTERNAL")
            try await connection.send(.request(3, "Two"))
            try await connection.expectError(3, .internal, "INTERNAL")
        }
    }

    @Test func errorThatIsNotAStatusIsADefect() async throws {
        struct Surprise: Error {}
        let methods = MethodTable([
            Method(EchoService.name("Surprise"), .stream(.server) { _, _, _ in throw Surprise() })
        ])
        try await TestConnection.serve(methods) { connection in
            try await connection.send(.request(1, "Surprise"))
            try await connection.expectError(1, .internal, "INTERNAL")
        }
    }
}
