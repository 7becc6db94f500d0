// The daemon's command line: reads the settings, starts the daemon, and turns its end into an exit status.

internal import ArgumentParser
internal import DeviceModel
internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import RollcallDaemon

@main
struct RollcallDaemonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollcalld",
        abstract: "Keeps a registry of devices and answers binary RPC on a Unix socket.",
        discussion: """
            Callers speak ttrpc or gRPC to the socket; the rollcall command does. What is
            acknowledged is on disk.

            SETTINGS
            A flag wins over its variable, and that over the key in the JSON file:

              --socket              ROLLCALL_SOCKET              "socket"
              --socket-mode         ROLLCALL_SOCKET_MODE         "socket_mode"
              --socket-group        ROLLCALL_SOCKET_GROUP        "socket_group"
              --access              ROLLCALL_ACCESS              "access"
              --data                ROLLCALL_DATA                "data"
              --log-level           ROLLCALL_LOG_LEVEL           "log_level"
              --drain-seconds       ROLLCALL_DRAIN_SECONDS       "drain_seconds"
              --event-loops         ROLLCALL_EVENT_LOOPS         "event_loops"
              --clock-skew-seconds  ROLLCALL_CLOCK_SKEW_SECONDS  "clock_skew_seconds"
              --metrics-file        ROLLCALL_METRICS_FILE        "metrics_file"
              --config              ROLLCALL_CONFIG

            Such a file: {"socket_group": "rollcall", "drain_seconds": 30}

            ACCESS
            Root and the daemon's own user may do everything, whatever the rules. For the
            others there are rules, WHO=ROLE+ROLE@PROJECT,PROJECT:

              group:ops=admin                     in every project
              user:agent=reporter+may_register@lab,shop
              everyone=reader@default

            WHO is user:NAME, group:NAME (numbers do) or everyone. A reader reads; a
            reporter checks a device in, reads it and sets its attributes, and registers
            it with may_register; a writer does all of that and changes devices and
            cohorts; an admin does everything. Without rules the socket's group writes.
            --access is given once a rule, ROLLCALL_ACCESS holds them with semicolons
            between, "access" is an array of texts. --check-access shows what they make
            of a user, run as the daemon's own user.

            PATHS
            Socket and store that nobody names are, in this order,

              $RUNTIME_DIRECTORY/rollcall.sock         $STATE_DIRECTORY    (systemd)
              /run/rollcall/rollcall.sock              /var/lib/rollcall   (root)
              $XDG_RUNTIME_DIR/rollcall/rollcall.sock  $XDG_STATE_HOME/rollcall
                                                       ~/.local/state/rollcall

            SERVICE MANAGER
            A socket that systemd passes (LISTEN_FDS) is served as it is: settings of the
            socket need not be there, another path is refused, mode and group are the
            socket unit's. Without one, the daemon makes its own and leaves it with a
            manager that keeps descriptors (FileDescriptorStoreMax=1), so that callers
            wait while it restarts. NOTIFY_SOCKET is told READY, STOPPING and, if
            WATCHDOG_USEC is set, that every event loop answers.

            RESTORING
            --restore FILE puts a backup, as 'rollcall server backup' makes it, into the
            data folder, says what it is, and ends; run it as the daemon's user. A store
            that is there is refused, or with --force moved aside. The store begins a new
            history: page tokens, etags and bookmarks of the former one are refused.

            SIGNALS
            SIGTERM and SIGINT drain: nobody is accepted, new calls are refused, those
            in flight finish within the drain's seconds, the store is closed. A second
            signal ends the daemon at once; what was acknowledged by then is safe.
            SIGHUP reads the settings again and applies access rules and log level, to
            present callers too; where they are wrong, the old ones stay.

            EXIT STATUS
              0         stopped by a signal and drained, or restored
              1         the socket, the store or the backup cannot be had; stderr says
                        which
              2         a flag, a variable or the configuration file is wrong
              130, 143  ended by a second SIGINT, SIGTERM
            """,
        version: RollcallVersion.current
    )

    @Option(help: ArgumentHelp("Where to listen.", valueName: "path"))
    var socket: String?

    @Option(help: ArgumentHelp("Who may connect, in octal (default: 0660).", valueName: "mode"))
    var socketMode: String?

    @Option(help: ArgumentHelp("The socket's group, by name or number (default: the daemon's).", valueName: "group"))
    var socketGroup: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Who may do what; any number of times (default: the socket's group writes).", valueName: "rule"))
    var access: [String] = []

    @Option(help: ArgumentHelp("Print what a user, by name or number, may do, and exit.", valueName: "user"))
    var checkAccess: String?

    @Option(help: ArgumentHelp("The folder of the store, made where it is missing.", valueName: "folder"))
    var data: String?

    @Option(help: ArgumentHelp("A JSON file of settings.", valueName: "path"))
    var config: String?

    @Option(help: ArgumentHelp("The least that is logged, to stderr (default: info).", valueName: "level"))
    var logLevel: String?

    @Option(help: ArgumentHelp("How long calls in flight may take once told to stop (default: 10).", valueName: "n"))
    var drainSeconds: Int?

    @Option(help: ArgumentHelp("Threads that serve connections (default: one a core).", valueName: "n"))
    var eventLoops: Int?

    @Option(
        help: ArgumentHelp("How far ahead of the clock a check-in's time may be (default: 300).", valueName: "n"))
    var clockSkewSeconds: Int?

    @Option(
        help: ArgumentHelp(
            "A file to write Prometheus metrics to, every 15 seconds, for node_exporter's textfile collector.",
            valueName: "path"))
    var metricsFile: String?

    @Option(help: ArgumentHelp("Put a backup into the data folder, and end.", valueName: "file"))
    var restore: String?

    @Flag(help: "With --restore: move a store that is there aside.")
    var force = false

    func validate() throws {
        guard self.restore != nil || !self.force else { throw ValidationError("--force goes with --restore FILE.") }
    }

    static func main() async {
        let command: RollcallDaemonCommand
        do {
            command = try Self.parse()
        } catch {
            Self.end(with: error)
        }
        do throws(DaemonError) {
            if let file = command.restore { try await command.restore(file) } else { try await command.serve() }
        } catch {
            Self.complain(error.message)
            Glibc.exit(error.code.rawValue)
        }
    }

    private func serve() async throws(DaemonError) {
        let (flags, environment) = (self.flags, ProcessInfo.processInfo.environment)
        let serviceManager = try ServiceManager.adopt(environment)
        let read: @Sendable () async throws(DaemonError) -> DaemonConfiguration = { () async throws(DaemonError) in
            try await DaemonConfiguration.read(
                flags: flags, environment: environment, userID: geteuid(), serviceManager: serviceManager)
        }
        let configuration = try await read()
        if let user = self.checkAccess {
            return Self.say(try AccessReport.text(on: user, under: configuration), to: STDOUT_FILENO)
        }
        let level = LogLevel(configuration.logLevel)
        LoggingSystem.bootstrap { SharedLevelLogHandler(StreamLogHandler.standardError(label: $0), level) }
        let logger = Logger(label: "rollcalld")
        // A caller that goes away, or a log that nobody reads, is an error of a write and no reason to end.
        signal(SIGPIPE, SIG_IGN)
        // So is a file that may grow no further (RLIMIT_FSIZE): the store tells of it as of a full disk.
        signal(SIGXFSZ, SIG_IGN)
        let daemon = try Daemon(
            configuration, serviceManager: serviceManager, stopsOnSignals: true,
            reloadSource: ReloadSource(logLevel: level, read: read), logger: logger
        )
        do {
            try await daemon.run()
        } catch {
            throw DaemonError(.start, "The daemon stopped: \(error).")
        }
    }

    private func restore(_ file: String) async throws(DaemonError) {
        let folder = try await DaemonConfiguration.readDataFolder(
            flags: self.flags, environment: ProcessInfo.processInfo.environment, userID: geteuid()
        )
        Self.say(try Daemon.restore(file, to: folder, replacing: self.force), to: STDOUT_FILENO)
    }

    private var flags: DaemonFlags {
        var flags = DaemonFlags()
        flags.socket = self.socket
        flags.socketMode = self.socketMode
        flags.socketGroup = self.socketGroup
        flags.access = self.access.isEmpty ? nil : self.access
        flags.data = self.data
        flags.logLevel = self.logLevel
        flags.drainSeconds = self.drainSeconds
        flags.eventLoops = self.eventLoops
        flags.clockSkewSeconds = self.clockSkewSeconds
        flags.metricsFile = self.metricsFile
        flags.config = self.config
        return flags
    }

    /// Ends with help or the version on stdout and 0, or with what is wrong with the command line on stderr and 2.
    private static func end(with error: any Error) -> Never {
        guard self.exitCode(for: error) != .success else {
            self.exit(withError: error)
        }
        self.complain(self.fullMessage(for: error))
        Glibc.exit(DaemonError.Code.configuration.rawValue)
    }

    private static func complain(_ message: String) {
        self.say(message.hasPrefix("Error:") ? "\(message)\n" : "rollcalld: \(message)\n", to: STDERR_FILENO)
    }

    private static func say(_ text: String, to descriptor: Int32) {
        _ = text.withCString { write(descriptor, $0, strlen($0)) }
    }
}
