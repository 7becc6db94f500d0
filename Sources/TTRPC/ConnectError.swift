// Why there is no connection.

internal import Glibc
internal import NIOCore

/// A server's socket could not be reached.
package struct ConnectError: Error, CustomStringConvertible {
    /// The socket's path, as it was given.
    package let path: String
    /// The system's error number, where the system said no.
    package let errno: Int32?
    /// A sentence that a person can act on.
    package let message: String
    /// What went wrong underneath.
    package let cause: any Error

    init(path: String, cause: any Error) {
        self.path = path
        self.cause = cause
        self.errno = (cause as? IOError)?.errnoCode
        switch (self.errno, cause) {
        case (ENOENT, _):
            self.message = "There is no socket at \(path)."
        case (ECONNREFUSED, _):
            self.message = "Nothing listens at \(path)."
        case (EACCES, _), (EPERM, _):
            self.message = "The socket at \(path) may not be used by this user."
        case (_, SocketAddressError.unixDomainSocketPathTooLong):
            self.message = "The path \(path) is too long for a socket."
        case (_, ChannelError.connectTimeout):
            self.message = "The server at \(path) did not take the connection in time."
        default:
            self.message = "The socket at \(path) cannot be reached: \(cause)"
        }
    }

    package var description: String {
        self.message
    }
}
