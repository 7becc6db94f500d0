// A server connection over a channel in memory, spoken to in raw frames.

import Logging
import NIOCore
import NIOEmbedded
import RPC
import RollcallTesting
import Testing

@testable import TTRPC

struct TestConnection: Sendable {
    static let limits = LiveServer.limits
    static let peer = LiveServer.peer

    let channel: NIOAsyncTestingChannel
    let server: ServerConnection
    private let received: Received

    private actor Received {
        private var rest = ByteBuffer()

        func next(from channel: NIOAsyncTestingChannel) async throws -> RawFrame {
            while true {
                if let frame = RawFrame.read(from: &self.rest) {
                    return frame
                }
                var written = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
                self.rest.writeBuffer(&written)
            }
        }
    }

    /// Serves `methods` for as long as `body` runs, then closes.
    static func serve(
        _ methods: MethodTable = EchoService.methods(), limits: ConnectionLimits = Self.limits,
        _ body: (TestConnection) async throws -> Void
    ) async throws {
        let channel = NIOAsyncTestingChannel()
        let server = try await channel.testingEventLoop.executeInContext {
            try ServerConnection.ttrpc(
                channel, methods: methods, peer: Self.peer, limits: limits, logger: Logger(label: "test")
            )
        }
        try await channel.connect(to: try SocketAddress(unixDomainSocketPath: "/test")).get()
        let connection = TestConnection(channel: channel, server: server, received: Received())
        async let running: Void = server.run()
        do {
            try await body(connection)
        } catch {
            channel.close(promise: nil)
            throw error
        }
        channel.close(promise: nil)
        await running
    }

    /// Lets the server read these frames in one go.
    func send(_ frames: RawFrame...) async throws {
        try await self.send(bytes: frames.flatMap(\.bytes))
    }

    func send(bytes: [UInt8]) async throws {
        try await self.channel.writeInbound(ByteBuffer(bytes: bytes))
    }

    /// The next frame that the server writes.
    func receive() async throws -> RawFrame {
        try await self.received.next(from: self.channel)
    }

    /// Everything that the server has written so far in one write.
    func receiveWrite() async throws -> ByteBuffer {
        try await self.channel.waitForOutboundWrite(as: ByteBuffer.self)
    }

    /// Half-closes the socket from the client's side.
    func closeInput() async throws {
        try await self.channel.testingEventLoop.executeInContext {
            self.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
    }

    /// Shows that the connection lives: an echo comes back, and nothing before it.
    func expectAlive(_ id: UInt32 = 9_001) async throws {
        try await self.send(.request(id, "Echo", "alive"))
        #expect(try await self.receive() == .reply(id, "alive"))
    }

    /// Waits until the server has closed the connection.
    func expectClosed() async throws {
        try await self.channel.closeFuture.get()
    }

    /// Receives an error Response with exactly this code and reason.
    func expectError(
        _ id: UInt32, _ code: Status.Code, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let frame = try await self.receive()
        let status = try frame.status
        #expect(frame.id == id && frame.type == 2 && frame.flags == 0, "\(frame)", sourceLocation: sourceLocation)
        #expect(status.code == code, "\(status)", sourceLocation: sourceLocation)
        #expect(status.reason == reason, "\(status)", sourceLocation: sourceLocation)
        #expect(status.message.hasSuffix(".") && status.details.isEmpty, "\(status)", sourceLocation: sourceLocation)
    }
}
