// Client against server over a real socket.

import Logging
import NIOCore
import NIOPosix
import RPC
import RollcallTesting
import Testing

@testable import TTRPC

@Suite(.timeLimit(.minutes(1))) struct ClientTests {
    private static func text(_ buffer: ByteBuffer) -> String {
        String(buffer: buffer)
    }

    @Test func unaryCallIsAnswered() async throws {
        try await LiveServer.serve(.ttrpc) { server in
            try await server.withClient { client in
                let reply = try await client.unary(EchoService.name("Echo"), ByteBuffer(string: "hi"))
                #expect(Self.text(reply) == "hi")
                let echo = try await client.unary(EchoService.name("Echo"), ByteBuffer())
                #expect(echo == ByteBuffer())
            }
        }
    }

    @Test func statusReachesTheCallerWithReasonAndDetails() async throws {
        try await LiveServer.serve(.ttrpc) { server in
            try await server.withClient { client in
                await #expect(throws: EchoService.notFound) {
                    try await client.unary(EchoService.name("Fail"), ByteBuffer())
                }
            }
        }
    }

    @Test func messagesBeforeAFailureReachTheCallerFirst() async throws {
        try await LiveServer.serve(.ttrpc) { server in
            try await server.withClient { client in
                var texts: [String] = []
                await #expect(throws: EchoService.notFound) {
                    try await client.serverStream(EchoService.name("Break"), ByteBuffer()) { messages in
                        // All of it is there before any of it is read.
                        try await Task.sleep(for: .milliseconds(100))
                        for try await message in messages {
                            texts.append(Self.text(message))
                        }
                    }
                }
                #expect(texts == ["a", "b"])
            }
        }
    }

    @Test func metadataReachesTheMethod() async throws {
        try await LiveServer.serve(.ttrpc) { server in
            try await server.withClient { client in
                var metadata = Metadata()
                metadata.append(key: "Trace-ID", value: "1")
                metadata.append(key: "trace-id", value: "2")
                let reply = try await client.unary(EchoService.name("Metadata"), ByteBuffer(), metadata: metadata)
                #expect(Self.text(reply) == "trace-id=1,trace-id=2")
            }
        }
    }

    @Test func manyCallsShareOneConnection() async throws {
        let held = EchoService.HeldCalls()
        try await LiveServer.serve(.ttrpc, EchoService.methods(held: held)) { server in
            try await server.withClient { client in
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<1_000 {
                        group.addTask {
                            let request = ByteBuffer(string: String(repeating: "\(number),", count: number))
                            return try await client.unary(EchoService.name("Echo"), request) == request
                        }
                    }
                    for try await isEqual in group {
                        #expect(isEqual)
                    }
                }
            }
        }
    }

    @Test func messagesUpToTheLimitPassAndLongerOnesAreRefusedOnEitherSide() async throws {
        try await LiveServer.serve(.ttrpc) { server in
            try await server.withClient { client in
                let long = ByteBuffer(repeating: 7, count: (4 << 20) - 100)
                let echo = try await client.unary(EchoService.name("Echo"), long)
                #expect(echo == long)
                await #expect(throws: Status.messageTooLong(byteCountMax: 4 << 20)) {
                    try await client.unary(EchoService.name("Echo"), ByteBuffer(repeating: 7, count: 4 << 20))
                }
            }
            var limits = TestConnection.limits
            limits.messageByteCountMax = 1_000
            try await server.withClient(limits: limits) { client in
                await #expect(throws: Status.messageTooLong(byteCountMax: 1_000)) {
                    try await client.unary(EchoService.name("Zeros"), ByteBuffer(string: "2000"))
                }
                let echo = try await client.unary(EchoService.name("Echo"), ByteBuffer())
                #expect(echo == ByteBuffer())
            }
        }
    }

    @Test func deadlineIsKeptHereAlsoWhereTheServerIsSilent() async throws {
        try await LiveServer.serve(.ttrpc) { server in
            try await server.withClient { client in
                let deadline = NIODeadline.now() + .milliseconds(20)
                await #expect(throws: Status.deadlineExceeded) {
                    try await client.unary(EchoService.name("Hold"), ByteBuffer(), deadline: deadline)
                }
                await #expect(throws: Status.deadlineExceeded) {
                    try await client.unary(EchoService.name("Echo"), ByteBuffer(), deadline: deadline)
                }
                let later = NIODeadline.now() + .hours(1)
                let reply = try await client.unary(EchoService.name("Echo"), ByteBuffer(string: "a"), deadline: later)
                #expect(Self.text(reply) == "a")
            }
        }
    }

    @Test func cancelledTaskEndsItsCallAndNoOther() async throws {
        try await LiveServer.serve(.ttrpc) { server in
            try await server.withClient { client in
                await withTaskGroup(of: Status.Code?.self) { group in
                    group.addTask {
                        do throws(Status) {
                            _ = try await client.unary(EchoService.name("Hold"), ByteBuffer())
                            return nil
                        } catch {
                            return error.code
                        }
                    }
                    group.cancelAll()
                    #expect(await group.next() == .cancelled)
                }
                let echo = try await client.unary(EchoService.name("Echo"), ByteBuffer())
                #expect(echo == ByteBuffer())
            }
        }
    }

    @Test func serverStreamIsReadToItsEnd() async throws {
        try await LiveServer.serve(.ttrpc) { server in
            try await server.withClient { client in
                let texts = try await client.serverStream(EchoService.name("Server"), ByteBuffer(string: "m")) {
                    try await $0.reduce(into: []) { $0.append(Self.text($1)) }
                }
                #expect(texts == ["m0", "m1", "m2"])
            }
        }
    }

    @Test func clientStreamIsAnswered() async throws {
        try await LiveServer.serve(.ttrpc) { server in
            try await server.withClient { client in
                let messages = AsyncStream { continuation in
                    for text in ["a", "", "c"] {
                        continuation.yield(ByteBuffer(string: text))
                    }
                    continuation.finish()
                }
                let reply = try await client.clientStream(EchoService.name("Client"), messages)
                #expect(Self.text(reply) == "<a><><c>")
                await #expect(throws: EchoService.notFound) {
                    try await client.clientStream(EchoService.name("Refuse"), AsyncStream { $0.finish() })
                }
            }
        }
    }

    @Test func bidirectionalStreamGoesBothWays() async throws {
        try await LiveServer.serve(.ttrpc) { server in
            try await server.withClient { client in
                try await client.withStream(EchoService.name("Bidi"), .bidirectional) { stream in
                    var messages = stream.messages.makeAsyncIterator()
                    for text in ["a", "", "c"] {
                        try await stream.send(ByteBuffer(string: text))
                        #expect(try await messages.next().map(Self.text) == text)
                    }
                    stream.finish()
                    #expect(try await messages.next() == nil)
                }
                await #expect(throws: EchoService.notFound) {
                    try await client.withStream(EchoService.name("Bidi"), .bidirectional) { stream in
                        try await stream.send(ByteBuffer(string: "fail"))
                        for try await _ in stream.messages {}
                    }
                }
            }
        }
    }

    @Test func bulkStreamPassesBoundsOnBothSides() async throws {
        var limits = TestConnection.limits
        limits.undeliveredInputByteCountMax = 10_000
        limits.queuedOutputByteCountMax = 200_000
        try await LiveServer.serve(.ttrpc, limits: limits) { server in
            try await server.withClient(limits: limits) { client in
                let count = try await client.withStream(EchoService.name("Bidi"), .bidirectional) { stream in
                    async let received = stream.messages.reduce(0) { $0 + $1.readableBytes }
                    for _ in 0..<2_000 {
                        try await stream.send(ByteBuffer(repeating: 7, count: 1_000))
                    }
                    stream.finish()
                    return try await received
                }
                #expect(count == 2_000_000)
            }
        }
    }

    @Test func abandonedStreamIsHalfClosed() async throws {
        let ended = AsyncStream<Void>.makeStream()
        let methods = MethodTable([
            Method(
                EchoService.name("Watch"),
                .stream(.bidirectional) { _, requests, responses in
                    try await responses.write(ByteBuffer(string: "event"))
                    for try await _ in requests {}
                    ended.continuation.finish()
                }
            )
        ])
        try await LiveServer.serve(.ttrpc, methods) { server in
            try await server.withClient { client in
                try await client.withStream(EchoService.name("Watch"), .bidirectional) { stream in
                    for try await message in stream.messages {
                        #expect(Self.text(message) == "event")
                        break
                    }
                }
                for await _ in ended.stream {}
            }
        }
    }

    @Test func lostConnectionEndsEveryCallAsUnavailable() async throws {
        let held = EchoService.HeldCalls()
        try await LiveServer.serve(.ttrpc, EchoService.methods(held: held)) { server in
            try await server.withClient { client in
                await withTaskGroup(of: Status?.self) { group in
                    for _ in 0..<10 {
                        group.addTask {
                            do throws(Status) {
                                _ = try await client.unary(EchoService.name("Hold"), ByteBuffer())
                                return nil
                            } catch {
                                return error
                            }
                        }
                    }
                    await client.close()
                    for await status in group {
                        #expect(status?.code == .unavailable && status?.message.contains(server.path) == true)
                    }
                }
                await #expect(throws: Status.self) {
                    try await client.unary(EchoService.name("Echo"), ByteBuffer())
                }
            }
        }
    }

    @Test func drainFinishesWhatRunsAndThenHangsUp() async throws {
        let held = EchoService.HeldCalls()
        try await LiveServer.serve(.ttrpc, EchoService.methods(held: held)) { server in
            try await server.withClient { client in
                try await client.withStream(EchoService.name("Bidi"), .bidirectional) { stream in
                    var messages = stream.messages.makeAsyncIterator()
                    try await stream.send(ByteBuffer(string: "before"))
                    #expect(try await messages.next().map(Self.text) == "before")
                    server.drain()
                    // Comes after the drain, which was posted to the same event loop first.
                    try await stream.send(ByteBuffer(string: "after"))
                    #expect(try await messages.next().map(Self.text) == "after")
                    await #expect(throws: Status.draining) {
                        try await client.unary(EchoService.name("Echo"), ByteBuffer())
                    }
                    stream.finish()
                    #expect(try await messages.next() == nil)
                }
                await #expect(throws: Status.self) {
                    try await client.unary(EchoService.name("Echo"), ByteBuffer())
                }
            }
        }
    }

    @Test func clientThatReadsNothingIsHungUpOn() async throws {
        var limits = TestConnection.limits
        limits.queuedOutputByteCountMax = 1 << 20
        try await LiveServer.serve(.ttrpc, limits: limits) { server in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.autoRead, value: false)
                .connect(unixDomainSocketPath: server.path).get()
            var id: UInt32 = 1
            // Writing fails once the server has closed; until then there is always another call.
            while (try? await channel.writeAndFlush(ByteBuffer(bytes: Self.calls(100, from: &id)))) != nil {}
            try? await channel.close()
            #expect(id < 200_000)
        }
    }

    @Test func halfClosedSocketIsAnsweredAndThenClosed() async throws {
        try await LiveServer.serve(.ttrpc) { server in
            let socket = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .connect(unixDomainSocketPath: server.path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            try await socket.executeThenClose { inbound, outbound in
                let request = RawFrame.request(1, "Client", "a", flags: RawFrame.remoteOpen)
                try await outbound.write(ByteBuffer(bytes: request.bytes))
                try await socket.channel.close(mode: .output)
                var received = try await inbound.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
                #expect(RawFrame.read(from: &received) == .reply(1, "<a>"))
            }
        }
    }

    private static func calls(_ count: Int, from id: inout UInt32) -> [UInt8] {
        (0..<count).flatMap { _ in
            defer { id += 2 }
            return RawFrame.request(id, "Zeros", "1000").bytes
        }
    }

    @Test func pathWithoutASocketIsSaidSo() async throws {
        try await LiveServer.serve(.ttrpc) { server in
            let path = server.path + "-not-there"
            let error = await #expect(throws: ConnectError.self) {
                try await TTRPCClient.connect(
                    path: path, limits: TestConnection.limits, logger: Logger(label: "test")
                )
            }
            #expect(error?.errno == 2 && error?.path == path && error?.message == "There is no socket at \(path).")
            let long = "/" + String(repeating: "x", count: 200)
            let tooLong = await #expect(throws: ConnectError.self) {
                try await TTRPCClient.connect(path: long, limits: TestConnection.limits, logger: Logger(label: "test"))
            }
            #expect(tooLong?.errno == nil && tooLong?.message.contains("too long") == true)
        }
    }
}

extension LiveServer {
    /// Connects a client for as long as `body` runs.
    func withClient(
        limits: ConnectionLimits = LiveServer.limits, _ body: (TTRPCClient) async throws -> Void
    ) async throws {
        let client = try await TTRPCClient.connect(
            path: self.path, limits: limits, timeout: patience, logger: Logger(label: "test")
        )
        do {
            try await body(client)
            await client.close()
        } catch {
            await client.close()
            throw error
        }
    }
}
