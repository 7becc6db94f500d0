// What an operator may set, its defaults, and what counts as a sensible value.

package import Access
internal import DeviceModel
package import Logging

/// The daemon's settings, all of them known and checked.
package struct DaemonConfiguration: Hashable, Sendable {
    /// Where the socket is, at most ``Limits/socketPathByteCountMax`` bytes.
    package var socketPath: String
    /// The socket's permissions: who may connect.
    package var socketMode: UInt32 = 0o660
    /// The socket's group by name or number; nil leaves the process's own.
    package var socketGroup: String?
    /// Who may call, beside root and the daemon's own user; nil = the socket's group, as writers.
    package var access: [AccessRule]?
    /// Whether root and the daemon's own user may do everything. No setting: tests are such users, and want to be less.
    package var trustsOwnUser = true
    /// The folder of the store.
    package var dataFolder: String
    package var logLevel: Logger.Level = .info
    /// How long calls in flight may take once the daemon was told to stop.
    package var drainSeconds = 10
    /// Threads that serve connections.
    package var eventLoopCount: Int
    /// How far ahead of the daemon's clock a check-in's time may be.
    package var clockSkewSeconds = 300
    /// The file that metrics are written to; nil for none.
    package var metricsFile: String?

    package init(socketPath: String, dataFolder: String, eventLoopCount: Int) {
        self.socketPath = socketPath
        self.dataFolder = dataFolder
        self.eventLoopCount = eventLoopCount
    }
}

/// One setting. The raw value is its key in the configuration file; its variable is `ROLLCALL_` and the key in
/// capitals.
package enum Setting: String, CaseIterable, Sendable {
    case socket
    case socketMode = "socket_mode"
    case socketGroup = "socket_group"
    case access
    case data
    case logLevel = "log_level"
    case drainSeconds = "drain_seconds"
    case eventLoops = "event_loops"
    case clockSkewSeconds = "clock_skew_seconds"
    case metricsFile = "metrics_file"

    /// The command line's name for it.
    package var flag: String {
        "--" + self.rawValue.replacing("_", with: "-")
    }

    /// The environment's name for it.
    package var variable: String {
        "ROLLCALL_" + self.rawValue.uppercased()
    }

    /// The whole numbers that it takes, where it takes numbers.
    var range: ClosedRange<Int>? {
        switch self {
        case .drainSeconds: 0...3_600
        case .eventLoops: 1...256
        case .clockSkewSeconds: 0...86_400
        case .socket, .socketMode, .socketGroup, .access, .data, .logLevel, .metricsFile: nil
        }
    }

    /// What a good value is, to go after "must be".
    var requirement: String {
        switch self {
        case .socket: "a path of 1 to \(Limits.socketPathByteCountMax) bytes"
        case .socketMode: "three or four octal digits up to 0777, such as 0660, written as text"
        case .socketGroup: "the name or number of a group"
        case .access:
            "at most \(Limits.accessRuleCountMax) rules such as group:ops=admin, in the file as an array of texts"
        case .data: "the path of a folder"
        case .metricsFile: "the path of a file"
        case .logLevel: "one of " + Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        case .drainSeconds, .clockSkewSeconds, .eventLoops:
            "a whole number from \(self.range?.lowerBound ?? 0) to \(self.range?.upperBound ?? 0)"
        }
    }
}

/// What the command line says; nil where it says nothing.
package struct DaemonFlags: Sendable {
    package var socket: String?
    package var socketMode: String?
    package var socketGroup: String?
    /// Each time that the flag is given.
    package var access: [String]?
    package var data: String?
    package var logLevel: String?
    package var drainSeconds: Int?
    package var eventLoops: Int?
    package var clockSkewSeconds: Int?
    package var metricsFile: String?
    /// The configuration file, which is not a setting itself.
    package var config: String?

    package init() {}
}
