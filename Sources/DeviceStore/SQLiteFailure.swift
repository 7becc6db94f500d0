// What SQLite answers when it cannot, and what that means to a caller of the store.

internal import GRDB
internal import GRDBSQLite
internal import Glibc

/// A result code other than success, with SQLite's words for it.
struct SQLiteFailure: Error, CustomStringConvertible {
    /// The extended result code.
    var code: Int32
    var message: String
    /// The system's words for the failed call behind an error of input or output; nil where there are none.
    var systemReason: String?

    init(code: Int32, message: String) {
        self.code = code
        self.message = message
    }

    /// What the last call on `connection` left behind.
    init(_ code: Int32, on connection: OpaquePointer) {
        self.init(code: code, message: String(cString: sqlite3_errmsg(connection)))
        if [SQLITE_IOERR, SQLITE_CANTOPEN].contains(self.primaryCode) {
            let number = Self.systemErrorNumber(connection)
            self.systemReason = number == 0 ? nil : String(cString: strerror(number))
        }
    }

    /// The error number that the files of `connection` had last, its log's first; 0 where they had none.
    private static func systemErrorNumber(_ connection: OpaquePointer) -> Int32 {
        var log: UnsafeMutablePointer<sqlite3_file>?
        var number: Int32 = 0
        sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log)
        if let log, let control = log.pointee.pMethods?.pointee.xFileControl {
            _ = control(log, SQLITE_FCNTL_LAST_ERRNO, &number)
        }
        if number == 0 { sqlite3_file_control(connection, "main", SQLITE_FCNTL_LAST_ERRNO, &number) }
        return number == 0 ? sqlite3_system_errno(connection) : number
    }

    /// What GRDB threw.
    init(_ error: any Error) {
        if let failure = error as? SQLiteFailure {
            self = failure
        } else if let error = error as? DatabaseError {
            self.init(code: error.extendedResultCode.rawValue, message: error.message ?? "no message")
        } else {
            self.init(code: SQLITE_ERROR, message: "\(error)")
        }
    }

    /// Stored values that contradict what this program writes.
    static func malformed(_ message: String) -> SQLiteFailure {
        SQLiteFailure(code: SQLITE_CORRUPT, message: message)
    }

    /// The code without its extension.
    var primaryCode: Int32 {
        self.code & 0xFF
    }

    /// Whether the file holds what this program did not write.
    var isDamage: Bool {
        [SQLITE_CORRUPT, SQLITE_NOTADB].contains(self.primaryCode)
    }

    /// In few words.
    var reason: String {
        self.systemReason ?? self.message
    }

    var description: String {
        "SQLite error \(self.code): \(self.message)" + (self.systemReason.map { " (\($0))" } ?? "")
    }
}

extension StoreError {
    /// The error for a failure to open or read the file at `path`.
    static func reading(_ path: String, _ failure: SQLiteFailure) -> StoreError {
        switch failure.primaryCode {
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            .damaged(path, "is damaged or not a Rollcall database", cause: failure)
        case SQLITE_FULL:
            StoreError(.failed, "no space to open \(path); free some", cause: failure)
        case SQLITE_BUSY, SQLITE_LOCKED:
            StoreError(.locked, "\(path) is in use by another process; stop that process first", cause: failure)
        default:
            StoreError(
                .failed,
                "cannot read \(path) (\(failure.reason)); check the disk and the permissions of file and folder",
                cause: failure)
        }
    }

    /// The error for a file at `path` that is read, but is not or does not hold what this program writes.
    static func damaged(_ path: String, _ finding: String, cause: (any Error)? = nil) -> StoreError {
        StoreError(
            .corrupt,
            "\(path) \(finding); move it away together with \(path)-wal, which is a part of it where it is there, "
                + "then restore it from a backup", cause: cause)
    }

    /// The error for rows in the file at `path` that a loader refused, which knows them but not the file.
    static func contradiction(_ path: String, _ error: StoreError) -> StoreError {
        .damaged(path, "contradicts itself", cause: error)
    }

    /// The error for a batch that was rolled back.
    static func rolledBack(_ path: String, _ failure: SQLiteFailure) -> StoreError {
        switch failure.primaryCode {
        case SQLITE_FULL:
            StoreError(.unavailable, "no space to write \(path); free some, writes then go on", cause: failure)
        case SQLITE_READONLY:
            StoreError(
                .unavailable, "\(path) is read-only now; make it writable, writes then go on", cause: failure)
        default:
            StoreError(
                .unavailable, "\(path) did not take the change (\(failure.reason)) and holds none of it",
                cause: failure)
        }
    }

    /// The error for a batch of which nobody can say whether it is durable.
    static func unknown(_ path: String, _ failure: SQLiteFailure?) -> StoreError {
        StoreError(
            .outcomeUnknown,
            "an error of the disk\(failure.map { " (\($0.reason))" } ?? "") left open whether \(path) holds the change; "
                + "check it, writes go on once it takes them",
            cause: failure)
    }

    /// The error for a copy of the file at `path` that was not made.
    static func copying(_ path: String, _ failure: SQLiteFailure) -> StoreError {
        switch failure.primaryCode {
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            .reading(path, failure)
        case SQLITE_FULL:
            StoreError(
                .unavailable, "no space for a copy of \(path), which takes as much again; free some", cause: failure)
        default:
            StoreError(.unavailable, "cannot copy \(path) within its folder; check the disk", cause: failure)
        }
    }

    /// The error for a failure of work in the background, which is tried again.
    static func background(_ path: String, _ failure: SQLiteFailure) -> StoreError {
        switch failure.primaryCode {
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            .reading(path, failure)
        default:
            StoreError(
                .unavailable, "cannot tidy \(path) for now; nothing is lost and it is tried again", cause: failure)
        }
    }
}
