// The socket's file: found free, made with the right permissions, and taken away only while it is ours.

internal import DeviceModel
internal import Glibc

/// A bound and listening Unix socket, whose path this process owns unless the service manager does.
///
/// Made by hand because a bootstrap's own bind sets no mode and unlinks by name.
package final class ListeningSocket: Sendable {
    /// Connections that may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
    static let backlog: Int32 = 4_096

    package let path: String
    /// Non-blocking is the taker's affair. Whoever serves the socket closes it.
    let descriptor: Int32
    /// Nil for the service manager's own socket, whose file is none of our business.
    private let claim: Claim?

    /// What makes the file at the path ours.
    private struct Claim {
        let lock: SocketLock
        let file: stat
        /// The socket goes on without this process, and so must its file.
        let isStored: Bool
    }

    /// Takes the path, replaces a socket that nobody serves any more, binds and listens: callers may connect from
    /// here on.
    ///
    /// - Throws: ``DaemonError`` with `start` and the path: too long, served by another process, taken by something
    /// that is no socket, or not permitted.
    convenience init(path: String, mode: UInt32, groupID: gid_t?) throws(DaemonError) {
        let lock = try Self.lock(path, mode: mode, groupID: groupID)
        try self.init(path: path, mode: mode, groupID: groupID, lock: lock)
    }

    /// The same with a lock from ``lock(_:mode:groupID:)``.
    ///
    /// - Parameter isStored: whether the service manager keeps the socket for the next process.
    init(
        path: String, mode: UInt32, groupID: gid_t?, lock: SocketLock, isStored: Bool = false
    ) throws(DaemonError) {
        try Self.clear(path)
        let descriptor = try Self.makeSocket()
        let file: stat
        do throws(DaemonError) {
            // Before bind, so that the file never has more permissions than it ends with; the umask can only narrow
            // them.
            guard fchmod(descriptor, mode) == 0 else {
                throw DaemonError(.start, "The socket \(path) cannot be given its mode: \(systemReason(errno)).")
            }
            try Self.bind(descriptor, to: path)
            file = try Self.open(path, descriptor, mode: mode, groupID: groupID)
        } catch {
            close(descriptor)
            throw error
        }
        self.claim = Claim(lock: lock, file: file, isStored: isStored)
        self.path = path
        self.descriptor = descriptor
    }

    /// Takes over what an earlier process of the service made at `path` and left with the service manager, and gives
    /// it the mode and group that hold now. Where they cannot be given, the next start makes another one.
    init(stored: PassedSocket, path: String, mode: UInt32, groupID: gid_t?, lock: SocketLock) throws(DaemonError) {
        let file = try Self.open(path, stored.descriptor, mode: mode, groupID: groupID)
        self.claim = Claim(lock: lock, file: file, isStored: true)
        self.path = path
        self.descriptor = stored.descriptor
    }

    /// Serves the service manager's own socket.
    init(passed: PassedSocket) {
        self.claim = nil
        self.path = passed.path
        self.descriptor = passed.descriptor
    }

    /// What to call the socket where it is to be stored; nil where it is not.
    var storeName: String? {
        self.claim.flatMap { $0.isStored ? PassedSocket.storeName(of: $0.file) : nil }
    }

    /// Makes the path's folder where it is missing, for those whom the socket's mode lets connect, and takes the path
    /// for this process.
    static func lock(_ path: String, mode: UInt32, groupID: gid_t?) throws(DaemonError) -> SocketLock {
        guard path.utf8.count <= Limits.socketPathByteCountMax, !path.utf8.contains(0) else {
            throw DaemonError(
                .start,
                "The socket path \(path) has \(path.utf8.count) bytes; a socket address holds \(Limits.socketPathByteCountMax)."
            )
        }
        try SocketFolder.prepare(parentFolder(of: path), socketMode: mode, groupID: groupID)
        return try SocketLock(socketPath: path)
    }

    /// Takes the file away, unless somebody else put another one in its place or the next process is to serve it.
    func unlinkIfOurs() {
        guard let claim, !claim.isStored, let status = fileStatus(self.path), status.isSameFile(as: claim.file) else {
            return
        }
        unlink(self.path)
    }

    /// Sets the length of the queue again: whoever takes the descriptor over may have listened with a shorter one.
    func restoreBacklog() {
        listen(self.descriptor, Self.backlog)
    }
}

// MARK: - Finding the path free

extension ListeningSocket {
    /// Leaves nothing at `path`, or refuses where something there is alive or is no socket.
    private static func clear(_ path: String) throws(DaemonError) {
        guard let status = fileStatus(path) else {
            return
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw DaemonError(
                .start, "\(path) is there and is not a socket; move it away or name another path for the socket."
            )
        }
        switch try self.probe(path) {
        case 0, EAGAIN, EPROTOTYPE:
            throw DaemonError(.start, "Another process serves the socket \(path).")
        case ENOENT:
            return
        case ECONNREFUSED:
            guard unlink(path) == 0 || errno == ENOENT else {
                throw DaemonError(.start, "The stale socket \(path) cannot be removed: \(systemReason(errno)).")
            }
        case let error:
            throw DaemonError(
                .start, "Whether a process serves the socket \(path) cannot be found out: \(systemReason(error))."
            )
        }
    }

    /// Connects to `path` and goes away again: 0 where somebody listens, else connect's errno.
    ///
    /// A full queue of a live server answers EAGAIN, a socket of another kind EPROTOTYPE, one that nobody has open
    /// ECONNREFUSED.
    private static func probe(_ path: String) throws(DaemonError) -> Int32 {
        let descriptor = try self.makeSocket(extraFlags: Int32(SOCK_NONBLOCK.rawValue))
        defer { close(descriptor) }
        return self.withAddress(path) { connect(descriptor, $0, $1) == 0 ? 0 : errno }
    }
}

// MARK: - System calls

extension ListeningSocket {
    private static func makeSocket(extraFlags: Int32 = 0) throws(DaemonError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | extraFlags
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else {
            throw DaemonError(.start, "No socket can be made: \(systemReason(errno)).")
        }
        return descriptor
    }

    private static func bind(_ descriptor: Int32, to path: String) throws(DaemonError) {
        let error = self.withAddress(path) { Glibc.bind(descriptor, $0, $1) == 0 ? 0 : errno }
        guard error == 0 else {
            throw DaemonError(.start, "The socket \(path) cannot be bound: \(systemReason(error)).")
        }
    }

    /// Gives the bound socket its group and mode and listens; takes its file away where that fails.
    private static func open(
        _ path: String, _ descriptor: Int32, mode: UInt32, groupID: gid_t?
    ) throws(DaemonError) -> stat {
        guard let status = fileStatus(path), status.st_mode & S_IFMT == S_IFSOCK else {
            throw DaemonError(.start, "The socket \(path) was replaced while it was being made.")
        }
        // The group and what the umask took away. Nobody connects before listen.
        guard
            groupID.map({ lchown(path, uid_t.max, $0) == 0 }) ?? true, chmod(path, mode) == 0,
            listen(descriptor, self.backlog) == 0
        else {
            let error = errno
            unlink(path)
            throw DaemonError(.start, "The socket \(path) cannot be opened to callers: \(systemReason(error)).")
        }
        return status
    }

    /// - Precondition: `path` is not longer than ``Limits/socketPathByteCountMax``.
    private static func withAddress<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        precondition(path.utf8.count <= Limits.socketPathByteCountMax, "The path was not checked.")
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
