// The least that is logged, which may change while the process runs.

package import Logging
internal import Synchronization

/// A level for every logger of a process.
package final class LogLevel: Sendable {
    private let index: Atomic<Int>

    package init(_ level: Logger.Level) {
        self.index = Atomic(Self.index(of: level))
    }

    /// From now on, for every logger that has no level of its own.
    package var level: Logger.Level {
        get { Logger.Level.allCases[self.index.load(ordering: .relaxed)] }
        set { self.index.store(Self.index(of: newValue), ordering: .relaxed) }
    }

    private static func index(of level: Logger.Level) -> Int {
        Logger.Level.allCases.firstIndex(of: level) ?? 0
    }
}

/// Logs as its base does, from the process's level on.
package struct SharedLevelLogHandler<Base: LogHandler>: LogHandler {
    private var base: Base
    private let shared: LogLevel
    /// Set for this logger alone.
    private var ownLevel: Logger.Level?

    package init(_ base: Base, _ shared: LogLevel) {
        self.base = base
        self.shared = shared
        self.base.logLevel = .trace
    }

    package var logLevel: Logger.Level {
        get { self.ownLevel ?? self.shared.level }
        set { self.ownLevel = newValue }
    }

    package var metadata: Logger.Metadata {
        get { self.base.metadata }
        set { self.base.metadata = newValue }
    }

    package var metadataProvider: Logger.MetadataProvider? {
        get { self.base.metadataProvider }
        set { self.base.metadataProvider = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.base[metadataKey: key] }
        set { self.base[metadataKey: key] = newValue }
    }

    package func log(event: LogEvent) {
        self.base.log(event: event)
    }
}
