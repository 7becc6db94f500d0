// What was logged, for a test to look at.

package import Logging
internal import Synchronization

/// Keeps every line of its loggers.
package final class LogRecorder: Sendable {
    /// A line as the reader of a log knows it.
    package struct Line: Hashable, Sendable {
        package let level: Logger.Level
        package let message: String
        package let metadata: [String: String]
    }

    private let state = Mutex<[Line]>([])

    package init() {}

    package var lines: [Line] {
        self.state.withLock { $0 }
    }

    /// Those that an audit is made of.
    package var auditLines: [Line] {
        self.lines.filter { $0.metadata["audit"] != nil }
    }

    /// A logger whose lines are kept.
    package var logger: Logger {
        Logger(label: "test") { _ in Handler(recorder: self) }
    }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .info

        init(recorder: LogRecorder) {
            self.recorder = recorder
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = self.metadata.merging(event.metadata ?? [:]) { $1 }
            let line = Line(
                level: event.level, message: "\(event.message)", metadata: metadata.mapValues { "\($0)" })
            self.recorder.state.withLock { $0.append(line) }
        }
    }
}
