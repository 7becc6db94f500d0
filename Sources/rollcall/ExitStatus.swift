// What the program's exit code says.

internal import RollcallClient

/// An exit code with a meaning.
enum ExitStatus: Int32, Hashable, Sendable {
    case done = 0
    /// The server refused, or the output could not be written.
    case refused = 1
    /// The command line is wrong.
    case usage = 2
    /// No server was reached, or the connection to it was lost.
    case unreachable = 3
    case timedOut = 4
    /// By Ctrl-C: 128 and the signal's number, as shells have it.
    case interrupted = 130

    /// What a failed call means.
    init(_ error: RollcallError) {
        if error.code == .deadlineExceeded {
            self = .timedOut
        } else if error.isConnectionFailure {
            self = .unreachable
        } else {
            self = .refused
        }
    }
}
