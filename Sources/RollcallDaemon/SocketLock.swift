// Decides which process owns a socket's path.

internal import Glibc

/// An exclusive hold on a socket's path, for as long as the object lives or until the process ends, however it ends.
///
/// The lock is a file beside the socket, because the socket's own path comes and goes. The file stays behind: were
/// it unlinked, one process could lock the old file and another a new one under the same name.
///
/// ## Concurrency
/// The descriptor never changes; any thread may let go of the object.
final class SocketLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock for the socket at `path`, without waiting.
    ///
    /// - Throws: ``DaemonError`` with `start`: another process has it, or the file cannot be made.
    init(socketPath path: String) throws(DaemonError) {
        let lockPath = "\(path).lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw DaemonError(.start, "The lock file \(lockPath) cannot be opened: \(systemReason(errno)).")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = errno
            let owner = Self.owner(descriptor)
            close(descriptor)
            guard error == EWOULDBLOCK else {
                throw DaemonError(.start, "The lock file \(lockPath) cannot be locked: \(systemReason(error)).")
            }
            throw DaemonError(
                .start, "The socket \(path) belongs to another daemon\(owner.map { ", process \($0)" } ?? "")."
            )
        }
        // For the sentence above only; the lock holds without it.
        let text = "\(getpid())\n"
        if ftruncate(descriptor, 0) == 0 {
            _ = pwrite(descriptor, text, text.utf8.count, 0)
        }
        self.descriptor = descriptor
    }

    deinit {
        // A process that is being started at this moment has a copy of the descriptor, which would keep the lock.
        flock(self.descriptor, LOCK_UN)
        close(self.descriptor)
    }

    private static func owner(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else {
            return nil
        }
        return Int32(String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
