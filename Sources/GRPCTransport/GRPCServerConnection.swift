// A server connection as the daemon sees it: set up on a channel, run, drained.

package import Logging
package import NIOCore
internal import NIOHTTP2
package import RPC

/// One accepted connection that speaks gRPC over HTTP/2.
///
/// ## Concurrency
/// ``configure(_:methods:peer:limits:logger:)`` runs on the channel's event loop; ``run()`` and ``drain()`` anywhere.
package struct GRPCServerConnection: ServerConnection {
    private let channel: any Channel
    private let mailbox: LoopMailbox<ServerItem>
    private let streams: AsyncStream<StreamCall>

    /// Adds what serves the connection to the end of the channel's pipeline, which must pass bytes on as they came.
    ///
    /// Bytes that were read before, by whoever found out that this is HTTP/2, are then fired through that pipeline.
    ///
    /// - Throws: whatever the channel throws, when it is closed already.
    package static func configure(
        _ channel: any Channel, methods: MethodTable, peer: Peer, limits: ConnectionLimits, logger: Logger
    ) throws -> GRPCServerConnection {
        let mailbox = LoopMailbox<ServerItem>(eventLoop: channel.eventLoop)
        let (streams, startStream) = AsyncStream.makeStream(of: StreamCall.self)
        let connection = ConnectionHandler(
            methods: methods, peer: peer, limits: limits, mailbox: mailbox, logger: logger, startStream: startStream
        )
        let management = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: channel.eventLoop,
            configuration: .init(maxIdleTime: nil, maxAge: nil, maxGraceTime: nil, keepalive: nil)
        )
        let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(connection)
        _ = try pipeline.configureHTTP2Pipeline(
            mode: .server,
            connectionConfiguration: .init(limits),
            streamConfiguration: .rollcall,
            streamDelegate: management.http2StreamDelegate
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(StreamHandler(bound.value))
            }
        }
        try pipeline.addHandlers(management, ConnectionErrorHandler(connection))
        return GRPCServerConnection(channel: channel, mailbox: mailbox, streams: streams)
    }

    /// Runs the connection's streaming calls; returns when the channel is closed and they have ended.
    ///
    /// Calls of the other kinds need no task and are answered whether this runs or not. Cancelling it closes the
    /// connection.
    package func run() async {
        await self.streams.runUntilClosed(self.channel)
    }

    /// Refuses new calls with UNAVAILABLE, finishes those in flight, then closes the connection.
    package func drain() {
        self.mailbox.post(.drainStarted)
    }
}

/// Ends a connection that broke the rules of HTTP/2.
private final class ConnectionErrorHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let connection: ConnectionHandler

    init(_ connection: ConnectionHandler) {
        self.connection = connection
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is NIOHTTP2Errors.StreamError:
            // A stream's own fault. That the library told the client so counts like a refusal.
            self.connection.refusalWritten()
        case let error as NIOHTTP2Errors.NoSuchStream where StreamID(UInt32(Int(error.streamID))).isClientInitiated:
            // Mostly a reply to a call that was reset in the read that brought it: its stream is told only when it has answered.
            self.connection.refusalWritten()
        default:
            self.connection.logger.debug(
                "connection failed", metadata: self.connection.metadata.merging(["error": "\(error)"]) { $1 }
            )
            context.close(promise: nil)
        }
    }
}

// MARK: - Configuration

extension NIOHTTP2Handler.ConnectionConfiguration {
    /// Headers of one request, in bytes: what gRPC's own servers take.
    private static let headerListByteCountMax = 16 << 10

    fileprivate init(_ limits: ConnectionLimits) {
        self.init()
        self.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.callCountMax),
            HTTP2Setting(parameter: .maxHeaderListSize, value: Self.headerListByteCountMax),
            HTTP2Setting(parameter: .enablePush, value: 0),
        ]
        self.maximumSequentialEmptyDataFrames = 16
        self.maximumRecentlyResetStreams = limits.callCountMax
        // A stream error harms the one stream; how fast they come is limited below.
        self.maximumConnectionGlitches = .max
        self.controlFrameRateLimit = .init()
        self.controlFrameRateLimit.maximumCount = FrameRate.countMax
        self.controlFrameRateLimit.windowLength = FrameRate.window
    }
}

extension NIOHTTP2Handler.StreamConfiguration {
    fileprivate static let rollcall = {
        var configuration = Self()
        configuration.outboundBufferSizeHighWatermark = StreamHandler.markByteCount
        configuration.outboundBufferSizeLowWatermark = StreamHandler.markByteCount / 2
        configuration.streamResetFrameRateLimit.maximumCount = FrameRate.countMax
        configuration.streamResetFrameRateLimit.windowLength = FrameRate.window
        configuration.streamErrorRateLimit.maximumCount = FrameRate.countMax
        configuration.streamErrorRateLimit.windowLength = FrameRate.window
        return configuration
    }()
}

/// How often frames may come that cost the server work and carry no call: beyond it the connection is closed.
///
/// Clients measure their bandwidth with a PING for almost every reply, which the default of 200 in 30 s does not stand; the
/// window is short because room for each frame in it is kept.
private enum FrameRate {
    static let countMax = 4_096
    static let window = TimeAmount.milliseconds(100)
}
