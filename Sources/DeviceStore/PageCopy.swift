// SQLite's online backup (https://www.sqlite.org/backup.html), as far as a snapshot needs it.

internal import GRDBSQLite

/// Copies a database, as its connection sees it, into an empty file. The connection has a transaction open throughout,
/// so that no commit of others makes the copy begin anew.
///
/// ## Concurrency
/// On the connection's queue only.
final class PageCopy {
    private let target: OpaquePointer
    private var backup: OpaquePointer?

    /// - Throws: where the file cannot be opened.
    init(of source: Connection, to path: String) throws(SQLiteFailure) {
        var target: OpaquePointer?
        let code = sqlite3_open_v2(path, &target, SQLITE_OPEN_READWRITE, nil)
        guard code == SQLITE_OK, let target else {
            sqlite3_close(target)
            throw SQLiteFailure(code: code, message: String(cString: sqlite3_errstr(code)))
        }
        // It is complete or thrown away, so there is nothing to roll back and nothing to sync.
        sqlite3_exec(target, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", nil, nil, nil)
        guard let backup = sqlite3_backup_init(target, "main", source.handle, "main") else {
            let failure = SQLiteFailure(sqlite3_extended_errcode(target), on: target)
            sqlite3_close(target)
            throw failure
        }
        self.target = target
        self.backup = backup
    }

    /// Pages in all, known after the first step.
    var pageCount: Int {
        max(1, Int(sqlite3_backup_pagecount(self.backup)))
    }

    /// Copies some more pages.
    ///
    /// - Returns: how many are left.
    func step(pageCount: Int) throws(SQLiteFailure) -> Int {
        let code = sqlite3_backup_step(self.backup, Int32(clamping: pageCount))
        guard code == SQLITE_OK || code == SQLITE_DONE else {
            throw SQLiteFailure(code: code, message: String(cString: sqlite3_errstr(code)))
        }
        return code == SQLITE_DONE ? 0 : Int(sqlite3_backup_remaining(self.backup))
    }

    /// Brings everything to the file.
    func finish() throws(SQLiteFailure) {
        let code = sqlite3_backup_finish(self.backup)
        self.backup = nil
        guard code == SQLITE_OK else { throw SQLiteFailure(code, on: self.target) }
    }

    deinit {
        sqlite3_backup_finish(self.backup)
        sqlite3_close(self.target)
    }
}
