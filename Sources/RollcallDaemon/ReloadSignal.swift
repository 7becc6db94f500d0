// SIGHUP: read the settings again.

internal import CRollcallShims
internal import NIOCore
internal import ServiceLifecycle

/// Reloads whenever the process is told to, one after the other.
struct ReloadSignal: Service {
    private let pipe: SignalPipe
    private let reloader: Reloader

    /// Catches the signal from here on. Once a process.
    ///
    /// - Throws: ``DaemonError`` with `start`.
    init(_ reloader: Reloader, eventLoopGroup: any EventLoopGroup) throws(DaemonError) {
        self.pipe = try SignalPipe("SIGHUP", eventLoopGroup: eventLoopGroup, rollcall_reload_signal_catch)
        self.reloader = reloader
    }

    func run() async throws {
        do {
            try await self.pipe.withSignals { signals in
                // Of those that came close together the last word of the file is what counts.
                for try await _ in signals {
                    await self.reloader.reload()
                }
            }
        } catch is CancellationError {
            // The shutdown ends the wait.
        }
    }
}
