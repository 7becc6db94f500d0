// Metrics for whoever scrapes a file, such as the textfile collector of Prometheus' node_exporter.

internal import DeviceService
internal import Dispatch
internal import Glibc
internal import Logging
internal import ServiceLifecycle

/// Writes the server's metrics to a file every so often, from the start to the drain.
///
/// A reader finds the file whole at any time: a new one is written beside it and takes its name. After the daemon's end the last
/// one stays, and its age tells.
struct MetricsFile: Service {
    /// As often as Prometheus asks at most, by custom.
    static let interval = Duration.seconds(15)

    let path: String
    let stats: StatsCollector
    let logger: Logger
    private let queue = DispatchQueue(label: "rollcall.metrics", qos: .utility)

    init(path: String, stats: StatsCollector, logger: Logger) {
        self.path = path
        self.stats = stats
        self.logger = logger
    }

    func run() async {
        // Cancellation is how a drain ends the wait.
        try? await cancelWhenGracefulShutdown {
            var isFailing = false
            while true {
                let problem = await self.write()
                // Once for all failures in a row: what keeps it from being written may last.
                if let problem, !isFailing {
                    self.logger.error("metrics file not written", metadata: ["error": "\(problem)"])
                }
                isFailing = problem != nil
                try await Task.sleep(for: Self.interval)
            }
        }
    }

    /// Writes the file; answers why it could not.
    func write() async -> DaemonError? {
        await withCheckedContinuation { continuation in
            self.stats.collect { stats in
                // Elsewhere: others who want to know wait for no disk.
                self.queue.async {
                    do throws(DaemonError) {
                        try self.replace(with: Array(stats.prometheusText.utf8))
                        continuation.resume(returning: nil)
                    } catch {
                        continuation.resume(returning: error)
                    }
                }
            }
        }
    }

    private func replace(with bytes: [UInt8]) throws(DaemonError) {
        let partialPath = "\(self.path).tmp"
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
        let descriptor = open(partialPath, flags, 0o644)
        guard descriptor >= 0 else { throw Self.failure(partialPath, errno) }
        // Whatever the umask says: the reader is another user.
        let error = fchmod(descriptor, 0o644) == 0 ? Self.write(bytes, to: descriptor) : errno
        close(descriptor)
        guard error == 0 else {
            unlink(partialPath)
            throw Self.failure(partialPath, error)
        }
        guard rename(partialPath, self.path) == 0 else {
            let error = errno
            unlink(partialPath)
            throw Self.failure(self.path, error)
        }
    }

    /// Writes all of `bytes`; answers 0, or an errno value.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest.removeFirst(count)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }

    private static func failure(_ path: String, _ error: Int32) -> DaemonError {
        DaemonError(.start, "The metrics file \(path) cannot be written: \(systemReason(error)).")
    }
}

extension MetricsFile: CustomStringConvertible {
    /// What the log of services names it; its values would fill pages.
    var description: String {
        "MetricsFile"
    }
}
