// SIGTERM and SIGINT: the first asks for a drain, the second ends the process.

internal import CRollcallShims
internal import Glibc
internal import Logging
internal import NIOCore
internal import ServiceLifecycle

/// Ends when the process is told to stop, and with it asks the service group to shut down.
///
/// Not the service group's own signals: those do nothing about the second one, which here ends the process from the
/// signal's handler, even while every thread is busy.
struct StopSignals: Service {
    private let pipe: SignalPipe
    private let logger: Logger

    /// Catches the signals from here on. Once a process.
    ///
    /// - Throws: ``DaemonError`` with `start`.
    init(eventLoopGroup: any EventLoopGroup, logger: Logger) throws(DaemonError) {
        self.pipe = try SignalPipe("The stop signals", eventLoopGroup: eventLoopGroup, rollcall_stop_signals_catch)
        self.logger = logger
    }

    func run() async throws {
        try await self.pipe.withSignals { signals in
            for try await bytes in signals {
                let number = bytes.readableBytesView.first.map { Int32($0) } ?? 0
                self.logger.info("stopping", metadata: ["signal": "\(number == SIGINT ? "SIGINT" : "SIGTERM")"])
                return
            }
        }
    }
}
