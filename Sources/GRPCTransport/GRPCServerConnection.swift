// A server connection as the daemon sees it: set up on a channel, run, drained.

package import Logging
package import NIOCore
package import RPC

/// One accepted connection that speaks gRPC over HTTP/2.
///
/// ## Concurrency
/// ``configure(_:methods:peer:limits:logger:)`` runs on the channel's event loop; ``run()`` and ``drain()`` anywhere.
package struct GRPCServerConnection: ServerConnection {
    private let channel: any Channel
    private let mailbox: LoopMailbox<ServerItem>
    private let streams: AsyncStream<StreamCall>

    /// How much of the output bound streams may fill before they wait, as a divisor: what is let through at once, in
    /// the channel and in a longest message then stays within the bound.
    private static let outputMarkDivisor = 8

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
        let outputMarkByteCount = max(1, limits.queuedOutputByteCountMax / Self.outputMarkDivisor)
        try channel.syncOptions?.setOption(
            .writeBufferWaterMark,
            value: ChannelOptions.Types.WriteBufferWaterMark(
                low: max(1, outputMarkByteCount / 2), high: outputMarkByteCount
            )
        )
        try channel.pipeline.syncOperations.addHandler(
            ServerHandler(
                methods: methods, peer: peer, limits: limits, mailbox: mailbox, logger: logger, startStream: startStream
            )
        )
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
