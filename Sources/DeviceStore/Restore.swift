// A backup in the place of a store.

package import DeviceModel
package import FoundationEssentials
internal import Glibc
internal import Synchronization

extension SQLiteStore {
    /// What a restore has done.
    package struct Restored: Hashable, Sendable {
        package var deviceCount: Int
        /// Of the newest change in the backup.
        package var revision: Revision
        /// Names the history that the backup was of, and the one that begins with the restore.
        package var formerStoreID: UUID
        package var storeID: UUID
        /// Where the database is that was in the folder before; nil where there was none.
        package var replacedPath: String?
    }

    /// Puts the backup in `file` into `folder`, as the beginning of a history of its own.
    ///
    /// A copy of the file is checked from its first page to its last record, and given a new store id, before it takes
    /// its place. Whenever the process ends, the folder holds the store that was there, or the new one, or what makes a
    /// daemon refuse to start.
    /// - Parameter replacing: whether a store that is in the folder is moved aside, where it is refused otherwise.
    /// - Throws: `locked` where another process has the folder; `corrupt` and `newerVersion` where the file is not for
    ///   this program; `failed` where there is a store already, or file or folder cannot be read or written.
    package static func restore(
        _ file: String, to folder: String, replacing: Bool
    ) throws(StoreError) -> Restored {
        let backup = try BackupFile(path: file)
        let folder = try StoreFolder(path: folder)
        defer { folder.release() }
        let hadStore = folder.hasStore
        guard replacing || !hadStore else {
            throw StoreError(
                .failed, "there is a store in \(folder.path) already; give --force to have it moved aside")
        }
        guard !backup.isFile(at: folder.draftPath) else {
            throw StoreError(.failed, "\(file) is what a restore left; restore the backup that it was made of")
        }
        let isResumed = !hadStore && access(folder.draftPath, F_OK) == 0
        folder.removeDraft()
        do {
            try backup.copy(to: folder.draftPath)
            var restored = try Self.renew(folder.draftPath, file: file)
            restored.replacedPath = try folder.placeDraft(at: .now)
            return restored
        } catch {
            // Where a store was moved aside already, the draft keeps a daemon from beginning an empty one.
            if folder.hasStore || !(hadStore || isResumed) { folder.removeDraft() }
            throw error
        }
    }

    /// Reads everything in the copy of a backup, and gives it a store id of its own.
    private static func renew(_ draft: String, file: String) throws(StoreError) -> Restored {
        let session: Session
        do {
            session = try Session(path: draft, options: Options())
        } catch {
            throw .backup(file, error)
        }
        do {
            let main = session.main
            try main.perform { () throws(SQLiteFailure) in try main.checkIntegrity() }
            var census = DeviceCensus()
            try session.load(into: &census)
            let head = session.progress.withLock(\.head)
            let storeID = UUID()
            try main.perform { () throws(SQLiteFailure) in try main.setStoreID(storeID) }
            try session.close()
            try syncFile(draft)
            return Restored(
                deviceCount: census.deviceCount, revision: head.highWaterMarks.revision,
                formerStoreID: head.storeID, storeID: storeID)
        } catch {
            session.abandon()
            throw .backup(file, error)
        }
    }

}

/// Counts devices, and has everything read for it.
private struct DeviceCensus: StoreLoader {
    var deviceCount = 0

    mutating func device(_ device: StoredDevice) { self.deviceCount += 1 }
    func project(_ record: ProjectRecord) {}
    func cohort(_ record: CohortRecord) {}
    func release(_ record: ReleaseRecord) {}
    func attributeKey(_ record: AttributeKeyRecord) {}
    func attribute(_ key: AttributeKeyID, of device: DeviceID, in project: ProjectID, state: AttributeState) {}
    func request(_ request: RememberedRequest) {}
}

extension Connection {
    /// Holds every page and index against the rules of SQLite's format.
    fileprivate func checkIntegrity() throws(SQLiteFailure) {
        let check = try Statement("PRAGMA integrity_check(1)", on: self.handle)
        guard try check.next() else { throw .malformed("the check for integrity said nothing") }
        let finding = try check.string(0)
        guard finding == "ok" else { throw .malformed(finding) }
    }

    fileprivate func setStoreID(_ storeID: UUID) throws(SQLiteFailure) {
        let update = try Statement("UPDATE head SET store_id = ?1", on: self.handle)
        update.bind(storeID, at: 1)
        try update.run()
        guard update.changeCount == 1 else { throw .malformed("the head is missing") }
    }
}

/// The file that an operator names.
private final class BackupFile {
    private let path: String
    private let descriptor: Int32
    private let status: stat

    /// - Throws: `corrupt` and `newerVersion` where the file's header shows that it is not for this program, `failed`
    ///   where it cannot be read.
    init(path: String) throws(StoreError) {
        // Without waiting for a writer, should it be a pipe.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw StoreError(.failed, "cannot read \(path): \(systemReason())") }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw StoreError(.failed, "\(path) is no file")
        }
        self.path = path
        self.descriptor = descriptor
        self.status = status
        try self.inspect()
    }

    deinit {
        close(self.descriptor)
    }

    private func inspect() throws(StoreError) {
        guard let header = DatabaseHeader(descriptor: self.descriptor) else {
            throw StoreError(.failed, "cannot read \(self.path): \(systemReason()); check the disk")
        }
        guard header.isOurs else { throw StoreError(.corrupt, "\(self.path) is damaged or no backup of Rollcall") }
        guard header.version <= Schema.version else {
            throw StoreError(
                .newerVersion,
                "\(self.path) was written by a newer rollcalld (format \(header.version), this one knows "
                    + "\(Schema.version)); restore it with that version")
        }
        if let byteCount = header.fileByteCount, byteCount != Int64(self.status.st_size) {
            throw StoreError(
                .corrupt,
                "\(self.path) has \(self.status.st_size) bytes where \(byteCount) were written; it is not whole")
        }
        var log = stat()
        guard stat("\(self.path)-wal", &log) != 0 || log.st_size == 0 else {
            throw StoreError(
                .corrupt,
                "\(self.path) is a part of a database, of which \(self.path)-wal is another; a backup is one file")
        }
    }

    /// Whether this is what lies at `path`.
    func isFile(at path: String) -> Bool {
        var other = stat()
        return stat(path, &other) == 0 && (other.st_dev, other.st_ino) == (self.status.st_dev, self.status.st_ino)
    }

    /// Copies it to a file that is not there yet.
    func copy(to draft: String) throws(StoreError) {
        let target = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw StoreError(.failed, "cannot make \(draft): \(systemReason())") }
        defer { close(target) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var position = 0
        while true {
            let count = pread(self.descriptor, &buffer, buffer.count, position)
            guard count != 0 else { return }
            guard count > 0 else {
                throw StoreError(.failed, "cannot read \(self.path): \(systemReason()); check the disk")
            }
            let writtenCount = pwrite(target, buffer, count, position)
            guard writtenCount > 0 else {
                throw StoreError(.failed, "cannot write \(draft): \(systemReason()); free some space")
            }
            position += writtenCount
        }
    }
}

private func syncFile(_ path: String) throws(StoreError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    guard descriptor >= 0, fsync(descriptor) == 0 else {
        throw StoreError(.failed, "cannot make \(path) durable: \(systemReason()); check the disk")
    }
}

extension StoreError {
    /// The error for the backup in `file` whose copy was found to be bad.
    fileprivate static func backup(_ file: String, _ error: any Error) -> StoreError {
        let failure = error as? SQLiteFailure
        if let error = error as? StoreError, error.code != .corrupt { return error }
        guard failure.map({ StoreError.reading(file, $0).code == .corrupt }) ?? true else {
            return StoreError(.failed, "cannot check the copy of \(file); check the disk", cause: error)
        }
        // The copy's path, and what to do about a store, would mislead.
        let finding = (error as? StoreError)?.cause ?? error
        return StoreError(.corrupt, "\(file) is damaged; restore another backup", cause: finding)
    }
}

// MARK: - Taking the place

extension StoreFolder {
    /// Where a backup is until it has been checked and takes its place.
    var draftPath: String { "\(self.databasePath).restoring" }

    /// Whether there is a database, or something that belongs to one.
    var hasStore: Bool {
        ([""] + Self.companionSuffixes).contains { access(self.databasePath + $0, F_OK) == 0 }
    }

    /// Removes what a restore that did not come to its end has left.
    func removeDraft() {
        for suffix in [""] + Self.companionSuffixes { unlink(self.draftPath + suffix) }
    }

    /// Moves the store that is there aside, and the draft to its place.
    ///
    /// While there is no database the draft keeps a daemon from making a new one.
    /// - Returns: where the former database is; nil where there was none.
    fileprivate func placeDraft(at time: Timestamp) throws(StoreError) -> String? {
        let replacedPath = self.hasStore ? self.freePath(at: time) : nil
        if let replacedPath {
            // The database first: what is left then is not taken for a store.
            for suffix in [""] + Self.companionSuffixes where access(self.databasePath + suffix, F_OK) == 0 {
                try self.move(self.databasePath + suffix, to: replacedPath + suffix)
            }
            try self.sync()
        }
        try self.move(self.draftPath, to: self.databasePath)
        try self.sync()
        return replacedPath
    }

    private func move(_ path: String, to target: String) throws(StoreError) {
        guard rename(path, target) == 0 else {
            throw StoreError(
                .failed, "cannot move \(path) to \(target): \(systemReason()); move it, then restore again")
        }
    }

    /// A name beside the database that is not taken, such as `rollcall.sqlite.replaced-20261126T101500Z`.
    private func freePath(at time: Timestamp) -> String {
        let digits = time.description.prefix { $0 != "." }.filter { $0 != "-" && $0 != ":" }
        let path = "\(self.databasePath).replaced-\(digits)Z"
        var free = path
        var number = 1
        while ([""] + Self.companionSuffixes).contains(where: { access(free + $0, F_OK) == 0 }) {
            number += 1
            free = "\(path)-\(number)"
        }
        return free
    }
}
