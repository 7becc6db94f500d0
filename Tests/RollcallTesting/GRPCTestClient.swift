// A client of gRPC that does as it is told, rules or not: HTTP/2 comes from the library, the rest is by hand.

package import NIOCore
package import NIOHPACK
internal import NIOHTTP2
internal import NIOPosix
package import RPC

/// One connection to a server that speaks gRPC.
package struct GRPCTestClient: Sendable {
    private let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer

    /// Connects for as long as `body` runs.
    package static func with<Result>(
        _ path: String, isolation: isolated (any Actor)? = #isolation,
        _ body: (GRPCTestClient) async throws -> Result
    ) async throws -> Result {
        let client = try await Self.connect(path)
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await body(client))
        } catch {
            outcome = .failure(error)
        }
        try? await client.channel.close()
        return try outcome.get()
    }

    package static func connect(_ path: String) async throws -> GRPCTestClient {
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.streamResetFrameRateLimit.maximumCount = 1 << 16
        let configuration = stream
        let (channel, multiplexer) = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(unixDomainSocketPath: path) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let multiplexer = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
                        mode: .client, connectionConfiguration: .init(), streamConfiguration: configuration
                    ) { $0.eventLoop.makeSucceededVoidFuture() }
                    return (channel, multiplexer)
                }
            }
        return GRPCTestClient(channel: channel, multiplexer: multiplexer)
    }

    /// Waits until the server has closed the connection.
    package func closed() async throws {
        try await self.channel.closeFuture.get()
    }

    package func close() {
        self.channel.close(promise: nil)
    }

    /// The headers that a well-behaved client opens a call with.
    package static func headers(_ name: MethodName, timeout: String? = nil) -> HPACKHeaders {
        var headers: HPACKHeaders = [
            ":method": "POST", ":scheme": "http", ":path": "/\(name)", ":authority": "localhost",
            "te": "trailers", "content-type": "application/grpc", "user-agent": "test",
        ]
        if let timeout {
            headers.add(name: "grpc-timeout", value: timeout)
        }
        return headers
    }

    /// Opens a call; its headers are sent.
    package func open(_ headers: HPACKHeaders, endStream: Bool = false) async throws -> GRPCTestCall {
        let (events, continuation) = AsyncStream.makeStream(of: GRPCTestCall.Event.self)
        let stream = try await self.multiplexer.createStreamChannel { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(EventCollector(continuation))
            }
        }.get()
        try await stream.writeAndFlush(
            HTTP2Frame.FramePayload.headers(.init(headers: headers, endStream: endStream)))
        return GRPCTestCall(channel: stream, events: events)
    }

    /// Makes a call with these messages and waits for its end.
    package func call(_ headers: HPACKHeaders, _ messages: [ByteBuffer]) async throws -> GRPCTestOutcome {
        let call = try await self.open(headers)
        for message in messages {
            call.send(message)
        }
        call.halfClose()
        return await call.outcome()
    }

    /// Makes a unary call.
    package func unary(
        _ name: MethodName, _ message: ByteBuffer, timeout: String? = nil
    ) async throws -> GRPCTestOutcome {
        try await self.call(Self.headers(name, timeout: timeout), [message])
    }
}

/// One call.
package struct GRPCTestCall: Sendable {
    package enum Event: Sendable {
        case headers(HPACKHeaders)
        case data(ByteBuffer)
        /// The server reset the stream.
        case reset
    }

    fileprivate let channel: any Channel
    /// What the server sends, in order; ends with the stream.
    package let events: AsyncStream<Event>

    /// Sends a message with its prefix.
    package func send(_ message: ByteBuffer, flag: UInt8 = 0, endStream: Bool = false) {
        var bytes = ByteBuffer(integer: flag)
        bytes.writeInteger(UInt32(message.readableBytes))
        bytes.writeImmutableBuffer(message)
        self.send(bytes: bytes, endStream: endStream)
    }

    /// Sends bytes as they are.
    package func send(bytes: ByteBuffer, endStream: Bool = false) {
        self.channel.writeAndFlush(
            HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(bytes), endStream: endStream)), promise: nil)
    }

    package func halfClose() {
        self.send(bytes: ByteBuffer(), endStream: true)
    }

    package func cancel() {
        self.channel.writeAndFlush(HTTP2Frame.FramePayload.rstStream(.cancel), promise: nil)
    }

    /// Waits for the end of the call.
    package func outcome() async -> GRPCTestOutcome {
        await self.outcome { _ in }
    }

    /// Waits for the end of the call, and hands each message on as it comes.
    package func outcome(_ receive: (ByteBuffer) async throws -> Void) async rethrows -> GRPCTestOutcome {
        var outcome = GRPCTestOutcome()
        for await event in self.events {
            let messageCount = outcome.messages.count
            outcome.take(event)
            for message in outcome.messages[messageCount...] {
                try await receive(message)
            }
        }
        return outcome
    }

    /// Waits for the next message; nil where the call ends before.
    package func nextMessage() async -> ByteBuffer? {
        var bytes = ByteBuffer()
        for await event in self.events {
            if case .data(let more) = event {
                bytes.writeImmutableBuffer(more)
                if let message = GRPCTestOutcome.takeMessage(&bytes) {
                    return message
                }
            }
        }
        return nil
    }
}

/// How a call ended.
package struct GRPCTestOutcome: Sendable {
    package var head: HPACKHeaders?
    package var trailers: HPACKHeaders?
    package var messages: [ByteBuffer] = []
    package var isReset = false
    private var bytes = ByteBuffer()

    package var texts: [String] {
        self.messages.map { String(buffer: $0) }
    }

    fileprivate mutating func take(_ event: GRPCTestCall.Event) {
        switch event {
        case .headers(let headers) where headers.contains(name: "grpc-status"):
            self.trailers = headers
        case .headers(let headers):
            self.head = headers
        case .data(let bytes):
            self.bytes.writeImmutableBuffer(bytes)
            while let message = Self.takeMessage(&self.bytes) {
                self.messages.append(message)
            }
        case .reset:
            self.isReset = true
        }
    }

    fileprivate static func takeMessage(_ bytes: inout ByteBuffer) -> ByteBuffer? {
        guard let length = bytes.getInteger(at: bytes.readerIndex + 1, as: UInt32.self),
            bytes.readableBytes >= 5 + Int(length)
        else {
            return nil
        }
        bytes.moveReaderIndex(forwardBy: 5)
        return bytes.readSlice(length: Int(length))
    }
}

/// Turns what comes in on a stream into a sequence.
private final class EventCollector: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload

    private let continuation: AsyncStream<GRPCTestCall.Event>.Continuation

    init(_ continuation: AsyncStream<GRPCTestCall.Event>.Continuation) {
        self.continuation = continuation
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .headers(let frame): self.continuation.yield(.headers(frame.headers))
        case .data(let frame):
            if case .byteBuffer(let bytes) = frame.data {
                self.continuation.yield(.data(bytes))
            }
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is NIOHTTP2Errors.StreamClosed {
            self.continuation.yield(.reset)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.continuation.finish()
    }
}
