// Settings that change while the daemon runs: who may call, and how much is logged.

internal import Access
internal import Logging
internal import Synchronization

/// Where a running daemon reads its settings again.
package struct ReloadSource: Sendable {
    /// What the process's loggers go by.
    let logLevel: LogLevel
    let read: @Sendable () async throws(DaemonError) -> DaemonConfiguration

    /// - Parameter read: Reads every setting as at the start.
    package init(logLevel: LogLevel, read: @escaping @Sendable () async throws(DaemonError) -> DaemonConfiguration) {
        self.logLevel = logLevel
        self.read = read
    }
}

/// Reads the settings again when asked, and applies access rules and log level to whoever is connected.
///
/// ## Concurrency
/// One reload at a time is the asker's affair; the mutex is for the value alone.
final class Reloader: Sendable {
    private let source: ReloadSource
    private let access: AccessControl
    /// The group of the socket that the service manager made, if it did.
    private let passedGroupID: UInt32?
    private let notifier: ServiceNotifier
    private let logger: Logger
    private let rules: Mutex<AccessRules>

    init(
        _ source: ReloadSource, _ access: AccessControl, _ rules: AccessRules, passedGroupID: UInt32?,
        _ notifier: ServiceNotifier, logger: Logger
    ) {
        self.source = source
        self.access = access
        self.passedGroupID = passedGroupID
        self.notifier = notifier
        self.rules = Mutex(rules)
        self.logger = logger
    }

    /// Begins and ends with a line in the log, and with another for each setting that changes; the service manager is told
    /// of both ends. What is wrong leaves everything as it was.
    func reload() async {
        await self.notifier.reloading { await self.applySettings() }
    }

    private func applySettings() async {
        self.logger.info("reloading")
        let configuration: DaemonConfiguration
        let rules: AccessRules
        do throws(DaemonError) {
            configuration = try await self.source.read()
            rules = try AccessRules(configuration, passedGroupID: self.passedGroupID)
        } catch {
            self.logger.error("settings kept, for the new ones are wrong", metadata: ["error": "\(error)"])
            return
        }
        self.apply(rules)
        self.apply(configuration.logLevel)
        self.logger.info("reloaded")
    }

    private func apply(_ rules: AccessRules) {
        let callerCount = self.access.apply(rules)
        let old = self.rules.withLock { current in
            defer { current = rules }
            return current
        }
        guard old != rules else { return }
        let (oldTexts, texts) = (old.rules.map(\.text), rules.rules.map(\.text))
        self.logger.notice(
            "access rules changed",
            metadata: [
                "added": .array(texts.filter { !oldTexts.contains($0) }.map { "\($0)" }),
                "removed": .array(oldTexts.filter { !texts.contains($0) }.map { "\($0)" }),
                "connections": "\(callerCount)",
            ]
        )
    }

    private func apply(_ level: Logger.Level) {
        let old = self.source.logLevel.level
        guard old != level else { return }
        self.source.logLevel.level = level
        self.logger.notice("log level changed", metadata: ["from": "\(old)", "to": "\(level)"])
    }
}
