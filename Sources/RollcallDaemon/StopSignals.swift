// SIGTERM and SIGINT: the first asks for a drain, the second ends the process.

internal import CRollcallShims
internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// Ends when the process is told to stop, and with it asks the service group to shut down.
///
/// Not the service group's own signals: those do nothing about the second one, which here ends the process from the
/// signal's handler, even while every thread is busy.
struct StopSignals: Service {
    /// The end of a pipe that says which signal came.
    private let descriptor: Int32
    private let eventLoopGroup: any EventLoopGroup
    private let logger: Logger

    /// Catches the signals from here on. Once a process.
    ///
    /// - Throws: ``DaemonError`` with `start`.
    init(eventLoopGroup: any EventLoopGroup, logger: Logger) throws(DaemonError) {
        var descriptor: Int32 = -1
        let error = rollcall_stop_signals_catch(&descriptor)
        guard error == 0 else {
            throw DaemonError(.start, "The stop signals cannot be caught: \(systemReason(error)).")
        }
        self.descriptor = descriptor
        self.eventLoopGroup = eventLoopGroup
        self.logger = logger
    }

    func run() async throws {
        let pipe = try await NIOPipeBootstrap(group: self.eventLoopGroup)
            .takingOwnershipOfDescriptor(input: self.descriptor) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, Never>(wrappingChannelSynchronously: channel)
                }
            }
        try await cancelWhenGracefulShutdown {
            try await pipe.executeThenClose { inbound in
                for try await bytes in inbound {
                    let number = bytes.readableBytesView.first.map { Int32($0) } ?? 0
                    self.logger.info("stopping", metadata: ["signal": "\(number == SIGINT ? "SIGINT" : "SIGTERM")"])
                    return
                }
            }
        }
    }
}
