// What the service manager gives to a process that it starts, by the protocols of systemd, which others speak as well.

internal import Glibc

/// A socket to serve, an address to report to, and how often to show life; each where the service manager wants it so.
///
/// Read from the environment as sd_listen_fds(3), sd_notify(3) and sd_watchdog_enabled(3) have it.
package struct ServiceManager: Sendable {
    /// What was passed to be served, or stored by an earlier process of the service.
    var socket: PassedSocket?
    /// Where notifications go: a path, or `@` and an abstract name.
    var notificationAddress: String?
    /// The process is taken for dead when it shows no life for this long.
    var watchdogTimeout: Duration?

    /// Nobody but whoever typed the command.
    package static let absent = ServiceManager()

    private init() {}

    private static let variables = [
        "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
    ]

    /// Takes what is meant for this process, and its variables out of the environment, so that nothing that it starts
    /// takes them for its own.
    ///
    /// - Throws: as ``init(environment:processID:firstDescriptor:)`` does.
    package static func adopt(_ environment: [String: String]) throws(DaemonError) -> ServiceManager {
        for name in self.variables {
            unsetenv(name)
        }
        return try ServiceManager(environment: environment, processID: getpid())
    }

    /// - Parameter firstDescriptor: where passed descriptors begin; 3 by the protocol.
    /// - Throws: ``DaemonError`` with `configuration` for a variable that makes no sense, with `start` for descriptors
    /// that cannot be served.
    init(
        environment: [String: String], processID: Int32, firstDescriptor: Int32 = 3
    ) throws(DaemonError) {
        self.notificationAddress = environment["NOTIFY_SOCKET"]
        // What is meant for another process came here because that one passed its environment on.
        if environment["WATCHDOG_PID"].map({ Int32($0) == processID }) ?? true {
            self.watchdogTimeout = try Self.watchdogTimeout(environment["WATCHDOG_USEC"])
        }
        if environment["LISTEN_PID"].flatMap({ Int32($0) }) == processID {
            self.socket = try Self.socket(environment, firstDescriptor: firstDescriptor)
        }
    }

    private static func watchdogTimeout(_ text: String?) throws(DaemonError) -> Duration? {
        guard let text else {
            return nil
        }
        guard let microseconds = Int64(text), microseconds > 0 else {
            throw DaemonError(
                .configuration, "WATCHDOG_USEC must be a number of microseconds, at least 1, not \"\(text)\"."
            )
        }
        return .microseconds(microseconds)
    }

    private static func socket(
        _ environment: [String: String], firstDescriptor: Int32
    ) throws(DaemonError) -> PassedSocket? {
        guard let text = environment["LISTEN_FDS"] else {
            return nil
        }
        guard let count = Int32(text), (0...Int32.max - firstDescriptor).contains(count) else {
            throw DaemonError(.configuration, "LISTEN_FDS must be a number of descriptors, not \"\(text)\".")
        }
        guard count > 0 else {
            return nil
        }
        let names =
            environment["LISTEN_FDNAMES"]?.split(separator: ":", omittingEmptySubsequences: false)
            .map(String.init) ?? []
        guard count == 1, names.count <= 1 else {
            throw DaemonError(
                .start,
                "The service manager passes \(max(Int(count), names.count)) descriptors\(Self.list(names)); Rollcall serves one socket: leave one ListenStream= in the socket unit."
            )
        }
        return try PassedSocket(descriptor: firstDescriptor, name: names.first ?? "unknown")
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "" : " (\(names.joined(separator: ", ")))"
    }
}
