// Access rules that a test changes while its daemon runs.

import Access
import Logging
import RollcallDaemon
import RollcallTesting
import Synchronization

/// The rules of a daemon that trusts the test's own user no more than they say.
final class TestAccess: Sendable {
    /// What the daemon logs.
    let log = LogRecorder()
    let logLevel = LogLevel(.info)
    private let next: Mutex<Result<[AccessRule]?, DaemonError>>

    /// - Parameter rules: nil = none, and so the default.
    init(_ rules: [String]?) throws {
        self.next = Mutex(.success(try Self.rules(rules)))
    }

    private static func rules(_ texts: [String]?) throws -> [AccessRule]? {
        try texts?.map { try AccessRule($0, names: .system) }
    }

    /// What the next reload finds.
    func set(_ rules: [String]?) throws {
        let rules = try Self.rules(rules)
        self.next.withLock { $0 = .success(rules) }
    }

    /// The next reload finds something wrong.
    func spoil(_ error: DaemonError) {
        self.next.withLock { $0 = .failure(error) }
    }

    func apply(to configuration: inout DaemonConfiguration) {
        configuration.trustsOwnUser = false
        if case .success(let rules) = self.next.withLock({ $0 }) {
            configuration.access = rules
        }
    }

    func reloadSource(_ configuration: DaemonConfiguration) -> ReloadSource {
        ReloadSource(logLevel: self.logLevel) { () async throws(DaemonError) in
            var configuration = configuration
            configuration.access = try self.next.withLock { $0 }.get()
            return configuration
        }
    }
}
