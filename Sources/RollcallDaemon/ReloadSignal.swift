// SIGHUP: read the settings again.

internal import CRollcallShims
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// Reloads whenever the process is told to, one after the other.
struct ReloadSignal: Service {
    /// The end of a pipe into which each signal puts a byte.
    private let descriptor: Int32
    private let eventLoopGroup: any EventLoopGroup
    private let reloader: Reloader

    /// Catches the signal from here on. Once a process.
    ///
    /// - Throws: ``DaemonError`` with `start`.
    init(_ reloader: Reloader, eventLoopGroup: any EventLoopGroup) throws(DaemonError) {
        var descriptor: Int32 = -1
        let error = rollcall_reload_signal_catch(&descriptor)
        guard error == 0 else {
            throw DaemonError(.start, "SIGHUP cannot be caught: \(systemReason(error)).")
        }
        self.descriptor = descriptor
        self.eventLoopGroup = eventLoopGroup
        self.reloader = reloader
    }

    func run() async throws {
        let pipe = try await NIOPipeBootstrap(group: self.eventLoopGroup)
            .takingOwnershipOfDescriptor(input: self.descriptor) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, Never>(wrappingChannelSynchronously: channel)
                }
            }
        do {
            try await cancelWhenGracefulShutdown {
                try await pipe.executeThenClose { inbound in
                    // Signals that came close together are in one buffer: the last word of the file is what counts.
                    for try await _ in inbound {
                        await self.reloader.reload()
                    }
                }
            }
        } catch is CancellationError {
            // The shutdown ends the wait.
        }
    }
}
