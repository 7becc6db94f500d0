// The folder that holds the database: made where it is missing, held by one process, and looked at before it is opened.

internal import DeviceModel
internal import FoundationEssentials
internal import Glibc

/// A data folder that this process holds for itself until ``release()``.
struct StoreFolder: Sendable {
    /// The folder, without a slash at its end.
    let path: String
    private let lockDescriptor: Int32
    /// Which of the files beside the database there were when the folder was taken.
    private let companions: [String]
    /// Whether the database's log held something then: whoever wrote last did not close it.
    let hadLog: Bool

    /// What SQLite keeps beside a database, by what is added to its name.
    static let companionSuffixes = ["-wal", "-shm", "-journal"]
    /// What is added to the database's name for the copy that a backup sends.
    static let copySuffix = ".copy"

    var databasePath: String { "\(self.path)/\(SQLiteStore.fileName)" }

    /// Makes the folder where it is missing and takes its lock.
    ///
    /// - Throws: `locked` where another process, or another store of this one, holds it; `failed` where it cannot be
    /// made or written, or where others than its owner may write to it.
    init(path: String) throws(StoreError) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
        try Self.makeFolder(path)
        try Self.refuseOpenFolder(path)
        self.lockDescriptor = try Self.takeLock("\(path)/rollcall.lock", folder: path)
        self.companions = Self.companionSuffixes.map { "\(path)/\(SQLiteStore.fileName)\($0)" }
            .filter { access($0, F_OK) == 0 }
        var status = stat()
        self.hadLog = stat("\(path)/\(SQLiteStore.fileName)-wal", &status) == 0 && status.st_size > 0
    }

    /// The sizes of the database and of its WAL; 0 for one that is not there.
    var fileByteCounts: (database: Int64, wal: Int64) {
        func byteCount(_ path: String) -> Int64 {
            var status = stat()
            return stat(path, &status) == 0 ? Int64(status.st_size) : 0
        }
        return (byteCount(self.databasePath), byteCount("\(self.databasePath)-wal"))
    }

    /// Lets others have the folder.
    func release() {
        // The file stays: removing it would let two processes hold locks on two files of one name.
        // A process that is being started at this moment has a copy of the descriptor, which would keep the lock.
        flock(self.lockDescriptor, LOCK_UN)
        close(self.lockDescriptor)
    }

    /// Removes what looking at the database alone left beside it: a WAL that holds nothing, and the index of a WAL,
    /// where there was none before. No connection may be open.
    func removeTraces() {
        let (log, index) = ("\(self.databasePath)-wal", "\(self.databasePath)-shm")
        var status = stat()
        if !self.companions.contains(log), stat(log, &status) == 0, status.st_size == 0 { unlink(log) }
        if !self.companions.contains(index) { unlink(index) }
    }

    private static func makeFolder(_ path: String) throws(StoreError) {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try self.makeFolder(String(path[..<slash]))
        }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw StoreError(
                .failed, "cannot make the data folder \(path): \(systemReason()); choose another with --data")
        }
    }

    /// Whoever may write to the folder may put another database in place of ours.
    private static func refuseOpenFolder(_ path: String) throws(StoreError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw StoreError(.failed, "cannot look at the data folder \(path): \(systemReason())")
        }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            let mode = String(status.st_mode & 0o7777, radix: 8)
            throw StoreError(
                .failed,
                "the data folder \(path) may be written to by others than its owner (mode \(mode)); make it private with "
                    + "chmod go-w, or choose another with --data")
        }
    }

    private static func takeLock(_ path: String, folder: String) throws(StoreError) -> Int32 {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw StoreError(
                .failed, "cannot write in the data folder \(folder): \(systemReason()); choose another with --data")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = errno == EWOULDBLOCK ? self.holder(descriptor) : nil
            let why = errno == EWOULDBLOCK ? nil : systemReason()
            close(descriptor)
            if let why {
                throw StoreError(.failed, "cannot lock \(path): \(why); a data folder must be on a local disk")
            }
            throw StoreError(
                .locked,
                "the data folder \(folder) is in use by another rollcalld\(holder.map { " (process \($0))" } ?? ""); "
                    + "stop it or choose another folder with --data")
        }
        // For the sentence above only; the lock is the kernel's, so a failure to write this is no failure.
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
        return descriptor
    }

    /// The process that wrote its number into the lock file.
    private static func holder(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[..<count].prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
    }

    // MARK: The file

    /// Makes the database where there is none; otherwise checks, touching nothing, that it is one that this program
    /// knows.
    func prepareDatabase() throws(StoreError) {
        // What a process that was killed while it made a backup has left.
        unlink(self.databasePath + Self.copySuffix)
        var status = stat()
        if stat(self.databasePath, &status) == 0 {
            try self.inspect()
            self.removeDraft()
        } else if errno == ENOENT {
            guard access(self.draftPath, F_OK) != 0 else {
                throw StoreError(
                    .failed,
                    "a restore into \(self.path) did not come to its end; run it again, or remove \(self.draftPath) to "
                        + "go on without it")
            }
            // SQLite would take them for parts of the new file.
            guard self.companions.isEmpty else {
                let names = self.companions.joined(separator: " and ")
                throw StoreError(
                    .corrupt,
                    "\(self.databasePath) is missing, but of it there is still \(names); put the file back beside what "
                        + "is left, or move that away too, to start with an empty store")
            }
            try self.create()
        } else {
            throw StoreError(.failed, "cannot look at \(self.databasePath): \(systemReason()); check its permissions")
        }
    }

    /// Makes the database beside its place and moves it there whole, so that no half-made one is ever found.
    private func create() throws(StoreError) {
        let draft = "\(self.databasePath).new"
        for suffix in [""] + Self.companionSuffixes {
            unlink(draft + suffix)
        }
        let descriptor = open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StoreError(.failed, "cannot make \(draft): \(systemReason()); choose another folder with --data")
        }
        close(descriptor)
        do {
            try Schema.create(at: draft, now: .now)
        } catch {
            throw StoreError(.failed, "cannot make \(draft); check the disk's free space and its health", cause: error)
        }
        guard rename(draft, self.databasePath) == 0 else {
            throw StoreError(.failed, "cannot move \(draft) to \(self.databasePath): \(systemReason())")
        }
        try self.sync()
    }

    /// Makes durable which files there are.
    func sync() throws(StoreError) {
        let folder = open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(folder) }
        guard folder >= 0, fsync(folder) == 0 else {
            throw StoreError(
                .failed, "cannot make the files in \(self.path) durable: \(systemReason()); check the disk")
        }
    }

    private func inspect() throws(StoreError) {
        let path = self.databasePath
        guard access(path, R_OK | W_OK) == 0 else {
            throw StoreError(
                .failed, "cannot read and write \(path): \(systemReason()); check its owner and permissions")
        }
        let header = try self.header()
        guard header.isOurs else { throw .damaged(path, "is damaged or not a Rollcall database") }
        try self.check(version: header.version)

        guard self.hadLog else { return }
        try self.inspectLog(pageByteCount: header.pageByteCount)
        // A newer program that did not end well may have left its version in the WAL alone.
        let version: Int64
        do {
            let connection = try Connection(path: path, .init(label: "rollcall.store.inspection", isReadOnly: true))
            version = try connection.perform { () throws(SQLiteFailure) in
                try connection.number("PRAGMA user_version")
            }
            try connection.close()
        } catch {
            throw .reading(path, error)
        }
        try self.check(version: UInt32(truncatingIfNeeded: version))
    }

    /// SQLite would leave out what lies behind a damaged place without a word, and then write over it.
    private func inspectLog(pageByteCount: Int) throws(StoreError) {
        let (path, log) = (self.databasePath, "\(self.databasePath)-wal")
        let damage: LogInspection.Damage?
        do {
            damage = try LogInspection.damage(
                in: log, indexPath: "\(path)-shm", pageByteCount: pageByteCount)
        } catch {
            throw StoreError(.failed, "cannot read \(log): \(String(cString: strerror(error.number))); check the disk")
        }
        guard let damage else { return }
        throw .damaged(
            path,
            "has lost acknowledged changes: \(log), in which they lie, is damaged or cut off from byte \(damage.offset) on"
        )
    }

    private func check(version: UInt32) throws(StoreError) {
        guard version <= Schema.version else {
            throw StoreError(
                .newerVersion,
                "\(self.databasePath) was written by a newer rollcalld (format \(version), this one knows "
                    + "\(Schema.version)); run that version, or restore a backup made before it")
        }
    }

    private func header() throws(StoreError) -> DatabaseHeader {
        let descriptor = open(self.databasePath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw StoreError(.failed, "cannot read \(self.databasePath): \(systemReason()); check its permissions")
        }
        // Closing a descriptor drops every POSIX lock that this process has on the file; the folder's lock makes sure
        // that no connection of ours has one yet.
        defer { close(descriptor) }
        guard let header = DatabaseHeader(descriptor: descriptor) else {
            throw StoreError(.failed, "cannot read \(self.databasePath): \(systemReason()); check the disk")
        }
        return header
    }
}

/// The words for the last failed system call.
func systemReason() -> String {
    String(cString: strerror(errno))
}
