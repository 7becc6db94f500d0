// How a copy of the database is made beside the commits: page by page, in one read transaction.

internal import DeviceModel
internal import Dispatch
internal import Glibc

/// Takes snapshots of a database, one after the other, each by a connection of its own.
///
/// A reader in WAL mode holds up no commit, but what is committed after it began cannot leave the WAL; so this one
/// copies as fast as the disk lets it, and for no longer than ``SQLiteStore/Options/snapshotSecondsMax``.
///
/// ## Concurrency
/// `take` blocks its caller until the snapshot is made; `finish` is called by another thread.
final class SnapshotTaker: Sendable {
    private let options: SQLiteStore.Options
    private let queue = DispatchQueue(label: "rollcall.store.snapshot")

    init(options: SQLiteStore.Options) {
        self.options = options
    }

    /// Copies the database of a session.
    ///
    /// - Parameters:
    ///   - isWanted: asked every few milliseconds; false gives the snapshot up.
    ///   - session: asked as often; ends the copy by what it throws.
    /// - Returns: nil where the snapshot was given up.
    func take(
        while isWanted: () -> Bool, of session: () throws(StoreError) -> Session
    ) throws(StoreError) -> StoreSnapshot? {
        let result: Result<StoreSnapshot?, StoreError> = self.queue.sync {
            Result { () throws(StoreError) in
                try self.copy(try session().path) { () throws(StoreError) in
                    _ = try session()
                    return isWanted()
                }
            }
        }
        return try result.get()
    }

    /// Returns once nothing is copied; to be called when there is no session any more that could be.
    func finish() {
        self.queue.sync {}
    }

    private func copy(
        _ path: String, while isWanted: () throws(StoreError) -> Bool
    ) throws(StoreError) -> StoreSnapshot? {
        let copyPath = path + StoreFolder.copySuffix
        unlink(copyPath)
        let descriptor = open(copyPath, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StoreError(.unavailable, "cannot make \(copyPath): \(systemReason()); check the data folder")
        }
        let head: StoreHead?
        do {
            // Without a name it is gone with its last reader, however the process ends.
            defer { unlink(copyPath) }
            head = try self.fill(copyPath, from: path, while: isWanted)
        } catch {
            close(descriptor)
            throw error
        }
        guard let head else {
            close(descriptor)
            return nil
        }
        return try StoreSnapshot(descriptor: descriptor, head: head)
    }

    /// - Returns: where the history stands in the copy; nil where it was given up.
    private func fill(
        _ copyPath: String, from path: String, while isWanted: () throws(StoreError) -> Bool
    ) throws(StoreError) -> StoreHead? {
        let source: Connection
        do {
            source = try Connection(path: path, .init(label: "rollcall.store.snapshot", isReadOnly: true))
        } catch {
            throw .reading(path, error)
        }
        defer { try? source.close() }
        return try source.perform { () throws(StoreError) in
            defer { _ = source.rollback() }
            let (head, byteCount) = try Self.begin(source, path)
            let isWhole = try self.copyPages(of: source, path, byteCount: byteCount, to: copyPath, while: isWanted)
            return isWhole ? head : nil
        }
    }

    /// Begins to read, which decides what is seen until the end.
    private static func begin(
        _ source: Connection, _ path: String
    ) throws(StoreError) -> (head: StoreHead, byteCount: Int64) {
        do {
            try source.execute("BEGIN")
            let head = try source.readHead().head
            return (head, try source.number("PRAGMA page_count") * source.number("PRAGMA page_size"))
        } catch {
            throw .reading(path, error)
        }
    }

    /// - Returns: false where the copy was given up.
    private func copyPages(
        of source: Connection, _ path: String, byteCount: Int64, to copyPath: String,
        while isWanted: () throws(StoreError) -> Bool
    ) throws(StoreError) -> Bool {
        let deadline = DispatchTime.now() + .seconds(self.options.snapshotSecondsMax)
        do {
            let copy = try PageCopy(of: source, to: copyPath)
            var restByteCount = byteCount
            repeat {
                guard try isWanted() else { return false }
                try self.check(path, restByteCount: restByteCount, deadline: deadline)
                let restPageCount = try copy.step(pageCount: self.options.snapshotStepPageCount)
                restByteCount = Int64(restPageCount) * byteCount / Int64(copy.pageCount)
            } while restByteCount > 0
            try copy.finish()
            return true
        } catch let error as StoreError {
            throw error
        } catch {
            throw .copying(path, SQLiteFailure(error))
        }
    }

    /// Whether the copy may go on: for its own sake, and for that of the commits, which need the disk more.
    private func check(_ path: String, restByteCount: Int64, deadline: DispatchTime) throws(StoreError) {
        guard DispatchTime.now() < deadline else {
            let secondCount = self.options.snapshotSecondsMax
            throw StoreError(
                .unavailable, "copying \(path) took longer than \(secondCount) seconds; the disk is too slow or busy")
        }
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return }
        let freeByteCount = Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
        guard freeByteCount - self.options.snapshotFreeByteCountMin >= restByteCount else {
            throw StoreError(
                .unavailable,
                "a copy of \(path) takes \(restByteCount) more bytes and leaves "
                    + "\(self.options.snapshotFreeByteCountMin) free, but only \(freeByteCount) are; free some")
        }
    }
}
