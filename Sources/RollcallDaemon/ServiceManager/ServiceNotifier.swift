// Tells the service manager how the daemon is, as sd_notify(3) does.

internal import CRollcallShims
internal import Glibc
internal import Logging

/// Sends notifications to the service manager, and nothing where none wants them.
///
/// Each goes over a socket of its own and waits for a second at most. One that is not taken is logged; the daemon goes
/// on without.
struct ServiceNotifier: Sendable {
    private let address: String?
    private let logger: Logger

    init(_ manager: ServiceManager, logger: Logger) {
        self.address = manager.notificationAddress
        self.logger = logger
    }

    /// Whether anybody wants to hear.
    var isConnected: Bool {
        self.address != nil
    }

    /// Says in a line what the daemon does, for people.
    func report(_ status: String) {
        self.send(Self.line(status))
    }

    /// Callers are served.
    func ready(_ status: String) {
        self.send("READY=1\n\(Self.line(status))")
    }

    /// The drain has begun.
    func stopping(_ status: String) {
        self.send("STOPPING=1\n\(Self.line(status))")
    }

    /// The daemon is not stuck.
    func alive() {
        self.send("WATCHDOG=1")
    }

    /// Runs `reload`, which applies settings that changed, and says when that begins and when it is over.
    func reloading(isolation: isolated (any Actor)? = #isolation, _ reload: () async -> Void) async {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        // By the time the manager tells this notification from one of an earlier reload.
        self.send("RELOADING=1\nMONOTONIC_USEC=\(time.tv_sec * 1_000_000 + time.tv_nsec / 1_000)")
        await reload()
        self.send("READY=1")
    }

    /// Has a copy of `descriptor` kept, to be passed to the next process of the service under `name`.
    func store(_ descriptor: Int32, name: String) {
        self.send("FDSTORE=1\nFDNAME=\(name)", descriptor)
    }

    /// Has a copy that is kept under `name` closed.
    func discard(name: String) {
        self.send("FDSTOREREMOVE=1\nFDNAME=\(name)")
    }

    private func send(_ state: String, _ descriptor: Int32 = -1) {
        guard let address else {
            return
        }
        let error = rollcall_service_notify(address, state, descriptor)
        if error != 0 {
            self.logger.warning(
                "service manager not notified",
                metadata: ["notification": "\(state.prefix { $0 != "\n" })", "error": "\(systemReason(error))"]
            )
        }
    }

    /// A path in it may hold line feeds, which would begin a notification of their own.
    private static func line(_ status: String) -> String {
        "STATUS=" + String(status.map { $0.isNewline ? " " : $0 })
    }
}
