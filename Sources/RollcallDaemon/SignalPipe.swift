// Signals as bytes that an event loop reads.

internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// What a signal's handler writes to, for whoever waits for signals.
struct SignalPipe {
    /// The end of a pipe into which each signal puts a byte, its number.
    private let descriptor: Int32
    private let eventLoopGroup: any EventLoopGroup

    /// Catches signals from here on. Once a process.
    ///
    /// - Parameters:
    ///   - name: of the signals, to stand at the beginning of a sentence.
    ///   - catchSignals: gives the pipe's end, and 0 or an errno value.
    /// - Throws: ``DaemonError`` with `start`.
    init(
        _ name: String, eventLoopGroup: any EventLoopGroup, _ catchSignals: (UnsafeMutablePointer<Int32>) -> Int32
    ) throws(DaemonError) {
        var descriptor: Int32 = -1
        let error = catchSignals(&descriptor)
        guard error == 0 else {
            throw DaemonError(.start, "\(name) cannot be caught: \(systemReason(error)).")
        }
        self.descriptor = descriptor
        self.eventLoopGroup = eventLoopGroup
    }

    /// Lends signals as they come, several at once where they came close together, until the service group shuts down.
    func withSignals(
        _ body: @escaping @Sendable (NIOAsyncChannelInboundStream<ByteBuffer>) async throws -> Void
    ) async throws {
        let pipe = try await NIOPipeBootstrap(group: self.eventLoopGroup)
            .takingOwnershipOfDescriptor(input: self.descriptor) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, Never>(wrappingChannelSynchronously: channel)
                }
            }
        try await cancelWhenGracefulShutdown {
            try await pipe.executeThenClose { try await body($0) }
        }
    }
}
