// From the transport's failures to the client's: the one place where they meet.

internal import DeviceModel
internal import DeviceWire
internal import Glibc
internal import NIOCore
internal import ProtobufC
internal import RPC
internal import TTRPC

extension RollcallError {
    /// A status, with its details read.
    init(_ status: Status, arena: Arena) {
        // A server gives a reason with each of its refusals; the transport gives none when it lost the connection.
        let isConnectionFailure = status.code == .unavailable && status.reason == nil
        self.init(
            Code(rawValue: status.code.rawValue),
            status.message,
            reason: isConnectionFailure ? "CONNECTION_LOST" : status.reason,
            isConnectionFailure: isConnectionFailure
        )
        for detail in status.details {
            let read = detail.value.withUnsafeBytes { ErrorDetail(typeURL: detail.typeURL, value: $0, arena: arena) }
            switch read {
            case .violations(let violations):
                self.violations += violations
            case .resource(let type, let name, let description):
                self.resource = Resource(type: type, name: name, description: description)
            case .bookmark(let bookmark):
                self.bookmark = bookmark
            case nil:
                break
            }
        }
    }

    /// The server sent what no server of this version sends.
    static func badReply(_ problem: String) -> RollcallError {
        RollcallError(.internal, "The server's reply cannot be read: \(problem).")
    }

    /// No server was reached at any of the addresses that were tried.
    static func unreachable(_ attempts: [ConnectionAttempt]) -> RollcallError {
        let isTimeout = attempts.contains { $0.cause == .timedOut }
        let tried = attempts.map { "\($0.path): \($0.cause.sentence)" }
        return RollcallError(
            isTimeout ? .deadlineExceeded : .unavailable,
            "Cannot reach the Rollcall server. " + tried.joined(separator: " "),
            reason: isTimeout ? "DEADLINE_EXCEEDED" : "SERVER_UNREACHABLE",
            isConnectionFailure: true
        )
    }
}

/// A path that was tried, and why there was no connection.
struct ConnectionAttempt: Error, Hashable {
    let path: String
    let cause: Cause

    /// Why a path gave no connection.
    enum Cause: Hashable, Sendable {
        case noSocket
        case notPermitted
        case refused
        case busy
        case tooLong
        case timedOut
        /// Anything else, in the transport's words.
        case other(String)

        init(_ error: ConnectError) {
            switch error.errno {
            case ENOENT, ENOTDIR: self = .noSocket
            case EACCES, EPERM: self = .notPermitted
            case ECONNREFUSED: self = .refused
            case EAGAIN: self = .busy
            case nil:
                if case .connectTimeout? = error.cause as? ChannelError {
                    self = .timedOut
                } else {
                    self = .other(error.message)
                }
            default: self = .other(error.message)
            }
        }

        /// The likely cause, and what to do about it.
        var sentence: String {
            switch self {
            case .noSocket:
                "there is no socket; the daemon (rollcalld) is not running, or listens elsewhere."
            case .notPermitted:
                "permission denied; the socket's mode and group decide who may connect."
            case .refused:
                "the socket is stale, for nothing listens on it; start the daemon (rollcalld), which replaces it."
            case .busy:
                "the server does not accept connections at present; try again."
            case .tooLong:
                "the path is longer than the \(Limits.socketPathByteCountMax) bytes that a socket may have."
            case .timedOut:
                "the server did not accept the connection in time."
            case .other(let sentence):
                sentence
            }
        }
    }
}
