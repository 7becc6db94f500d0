// A connection of whichever transport, as a listener keeps it.

package import NIOCore

/// One accepted connection.
package protocol ServerConnection: Sendable {
    /// Runs the connection's streaming calls; returns when the channel is closed and they have ended.
    ///
    /// Cancelling it closes the connection.
    func run() async

    /// Refuses new calls with UNAVAILABLE, finishes those in flight, then closes the connection.
    func drain()
}

extension AsyncStream<StreamCall> {
    /// Runs the streams of a connection until there are no more, they have ended and `channel` is closed.
    ///
    /// Cancelling it closes the channel.
    package func runUntilClosed(_ channel: any Channel) async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for await stream in self {
                    group.addTask {
                        await stream.run()
                    }
                }
            }
            // The outcome of closing is no news here: the channel is closed.
            try? await channel.closeFuture.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }
}
