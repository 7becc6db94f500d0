// A connection of whichever transport, as a listener keeps it: set up on a channel, run, drained.

package import NIOCore

/// One accepted connection.
///
/// ## Concurrency
/// It is made on the channel's event loop; ``run()`` and ``drain()`` are called anywhere.
package struct ServerConnection: Sendable {
    private let channel: any Channel
    private let mailbox: LoopMailbox<ServerItem>
    private let streams: AsyncStream<StreamCall>

    /// How much of the output bound streams may fill before they wait, as a divisor: what is let through at once, in
    /// the channel and in a longest message then stays within the bound.
    private static let outputMarkDivisor = 16

    /// With more than this unread the channel counts as full, until all of it has left: what it holds without that is
    /// not worth accounting for, however many connections there are.
    private static let channelByteCountMax = 64 << 10

    /// Adds a transport's handler to the end of the channel's pipeline, which must pass bytes on as they came.
    ///
    /// Bytes that were read before, by whoever found out which protocol this is, are then fired through that pipeline.
    ///
    /// - Parameters:
    ///   - ledger: Counts what waits for the connection's peer, and ends connections where that is too much.
    ///   - makeHandler: Is given where other threads leave what they have for the connection, where streaming calls are
    ///     left to be run, how much output streams may fill before they wait, and what to count what waits with.
    /// - Throws: whatever the channel throws, when it is closed already.
    package init(
        _ channel: any Channel, peer: Peer, limits: ConnectionLimits, ledger: ByteLedger,
        _ makeHandler: (
            _ mailbox: LoopMailbox<ServerItem>, _ startStream: AsyncStream<StreamCall>.Continuation,
            _ outputMarkByteCount: Int, _ account: ByteAccount
        ) -> some ChannelHandler
    ) throws {
        let outputMarkByteCount = max(1, limits.queuedOutputByteCountMax / Self.outputMarkDivisor)
        self.channel = channel
        self.mailbox = LoopMailbox(eventLoop: channel.eventLoop)
        let (streams, startStream) = AsyncStream.makeStream(of: StreamCall.self)
        self.streams = streams
        try channel.syncOptions?.setOption(
            .writeBufferWaterMark,
            value: ChannelOptions.Types.WriteBufferWaterMark(
                low: 1, high: min(Self.channelByteCountMax, outputMarkByteCount)
            )
        )
        let account = ledger.account(userID: peer.userID) { [mailbox = self.mailbox] in
            mailbox.post(.overdrawn)
        }
        try channel.pipeline.syncOperations.addHandler(
            makeHandler(self.mailbox, startStream, outputMarkByteCount, account)
        )
    }

    /// Runs the connection's streaming calls; returns when the channel is closed and they have ended.
    ///
    /// Calls of the other kinds need no task and are answered whether this runs or not. Cancelling it closes the
    /// connection.
    package func run() async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for await stream in self.streams {
                    group.addTask {
                        await stream.run()
                    }
                }
            }
            // The outcome of closing is no news here: the channel is closed.
            try? await self.channel.closeFuture.get()
        } onCancel: {
            self.channel.close(promise: nil)
        }
    }

    /// Refuses new calls with UNAVAILABLE, finishes those in flight, then closes the connection.
    package func drain() {
        self.mailbox.post(.drainStarted)
    }
}
