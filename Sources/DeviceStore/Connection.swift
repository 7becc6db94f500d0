// One SQLite connection: GRDB opens it and serialises access to it, statements on it are raw.

internal import Foundation
internal import GRDB
internal import GRDBSQLite
internal import Metering

/// A connection to the database in WAL mode, with its compiled statements.
///
/// ## Concurrency
/// Everything but `perform` and `close` is called inside `perform`, which runs one body at a time, in the order of
/// the calls.
final class Connection: @unchecked Sendable {
    /// What the connection may do, and how its cache is bounded.
    struct Purpose {
        var label: String
        var isReadOnly = false
        var cacheByteCount = 2 << 20
        /// The file's size in pages beyond which SQLite reports a full disk; nil for none.
        var pageCountMax: Int?
        /// Where the ends of transactions are counted, in nanoseconds.
        var syncTimes: Histogram?
    }

    private let queue: DatabaseQueue
    let handle: OpaquePointer
    private let syncTimes: Histogram?
    private var statements: [Statement?]
    /// Frames in the WAL after this connection's last transaction.
    private(set) var walFrameCount = 0
    private var isClosed = false

    /// - Throws: where the file at `path` is not there, cannot be opened or is not a database.
    init(path: String, _ purpose: Purpose) throws(SQLiteFailure) {
        var configuration = Configuration()
        configuration.label = purpose.label
        configuration.readonly = purpose.isReadOnly
        configuration.foreignKeysEnabled = false
        // Without this GRDB ends the process where a transaction cannot be rolled back, which a failing disk can cause.
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .timeout(2)
        self.syncTimes = purpose.syncTimes
        let pageCountMax = purpose.pageCountMax
        let cacheKibibyteCount = purpose.cacheByteCount >> 10
        configuration.prepareDatabase { database in
            try database.execute(
                sql: """
                    PRAGMA synchronous = FULL;
                    PRAGMA wal_autocheckpoint = 0;
                    PRAGMA journal_size_limit = 67108864;
                    PRAGMA cache_size = -\(cacheKibibyteCount);
                    """)
            if let pageCountMax {
                _ = try Int.fetchOne(database, sql: "PRAGMA max_page_count = \(pageCountMax)")
            }
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            self.queue = queue
            self.handle = try queue.writeWithoutTransaction { database in
                guard let handle = database.sqliteConnection else {
                    throw SQLiteFailure(code: SQLITE_MISUSE, message: "the connection is closed")
                }
                return handle
            }
        } catch {
            throw SQLiteFailure(error)
        }
        self.statements = Array(repeating: nil, count: Query.allCases.count)
        self.perform {
            let context = Unmanaged.passUnretained(self).toOpaque()
            sqlite3_wal_hook(
                self.handle,
                { context, _, _, frameCount in
                    if let context {
                        Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().walFrameCount = Int(frameCount)
                    }
                    return SQLITE_OK
                }, context)
        }
    }

    /// Runs `body` when no other is running.
    func perform<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        let result = self.queue.writeWithoutTransaction { _ in Result(catching: body) }
        return try result.get()
    }

    /// Brings the file's tables up to ``Schema/version``; a file that has to be changed for that is looked through first.
    func migrate() throws(SQLiteFailure) {
        let finding = try self.perform { () throws(SQLiteFailure) -> String? in
            guard try self.number("PRAGMA user_version") < Int64(Schema.version) else { return nil }
            return try self.quickCheck(while: { true })
        }
        if let finding { throw .malformed(finding) }
        do {
            try Schema.migrator.migrate(self.queue)
        } catch {
            throw SQLiteFailure(error)
        }
    }

    /// Lets go of the file, once; nothing but this is called afterwards.
    func close() throws(SQLiteFailure) {
        let isOpen = self.perform {
            defer { self.isClosed = true }
            // A statement that is left would keep the connection open.
            self.statements = []
            return !self.isClosed
        }
        guard isOpen else { return }
        do {
            try self.queue.close()
        } catch {
            throw SQLiteFailure(error)
        }
    }

    // MARK: Inside perform

    /// The compiled statement for `query`.
    ///
    /// - Throws: where it does not compile, or the connection was closed by another thread meanwhile.
    func statement(_ query: Query) throws(SQLiteFailure) -> Statement {
        guard !self.isClosed else { throw SQLiteFailure(code: SQLITE_MISUSE, message: "the connection is closed") }
        if let statement = self.statements[query.rawValue] { return statement }
        let statement = try Statement(query.sql, on: self.handle)
        self.statements[query.rawValue] = statement
        return statement
    }

    /// Runs a statement once that is not worth keeping.
    func execute(_ sql: String) throws(SQLiteFailure) {
        try Statement(sql, on: self.handle).run()
    }

    /// The number that `sql` returns in its first row.
    func number(_ sql: String) throws(SQLiteFailure) -> Int64 {
        let statement = try Statement(sql, on: self.handle)
        return try statement.next() ? statement.int64(0) : 0
    }

    /// How many rows this connection has inserted, updated and deleted since it was opened.
    var totalChangeCount: Int64 {
        sqlite3_total_changes64(self.handle)
    }

    /// Reads every page and row (`PRAGMA quick_check`), for as long as `isWanted` says so.
    ///
    /// - Returns: what is wrong, in SQLite's words; nil where nothing is.
    func quickCheck(while isWanted: @escaping @Sendable () -> Bool) throws(SQLiteFailure) -> String? {
        guard isWanted() else { throw SQLiteFailure(code: SQLITE_INTERRUPT, message: "the check was cut short") }
        let wish = Wish(isWanted: isWanted)
        sqlite3_progress_handler(
            self.handle, 10_000,
            { context in
                guard let context else { return 0 }
                return Unmanaged<Wish>.fromOpaque(context).takeUnretainedValue().isWanted() ? 0 : 1
            }, Unmanaged.passUnretained(wish).toOpaque())
        defer { withExtendedLifetime(wish) { sqlite3_progress_handler(self.handle, 0, nil, nil) } }
        do throws(SQLiteFailure) {
            let check = try Statement("PRAGMA quick_check(1)", on: self.handle)
            guard try check.next() else { throw .malformed("the check gave no answer") }
            let words = try check.string(0)
            return words == "ok" ? nil : words.split(separator: "\n").joined(separator: " ")
        } catch {
            // Damage may be such that the check itself cannot go on.
            guard error.isDamage else { throw error }
            return error.message
        }
    }

    /// Whether a transaction is open.
    var isInTransaction: Bool {
        sqlite3_get_autocommit(self.handle) == 0
    }

    /// Runs `body` in a transaction.
    ///
    /// - Throws: `rolledBack` where the file holds nothing of it, `unknown` where it may.
    func transaction(_ body: () throws(SQLiteFailure) -> Void) throws(TransactionFailure) {
        do {
            try self.statement(.begin).run()
            try body()
        } catch {
            throw self.rollback() ? .rolledBack(error) : .unknown(error)
        }
        let start = ContinuousClock.now
        do {
            try self.statement(.commit).run()
            self.syncTimes?.record(since: start)
        } catch {
            // After an input/output error at this point the commit record may lie in the file all the same.
            let isRolledBack = self.rollback()
            throw isRolledBack && error.primaryCode != SQLITE_IOERR ? .rolledBack(error) : .unknown(error)
        }
    }

    /// Ends the open transaction, if there is one, with nothing of it kept.
    ///
    /// - Returns: whether no transaction is open any more.
    func rollback() -> Bool {
        guard self.isInTransaction else { return true }
        try? self.statement(.rollback).run()
        return !self.isInTransaction
    }

    /// Copies what the WAL holds into the database without waiting for anybody (`SQLITE_CHECKPOINT_PASSIVE`).
    ///
    /// - Returns: how many frames of the WAL remain to be copied.
    func checkpoint(truncating: Bool = false) throws(SQLiteFailure) -> Int {
        var frameCount: Int32 = 0
        var copiedCount: Int32 = 0
        let mode = truncating ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
        let code = sqlite3_wal_checkpoint_v2(self.handle, nil, mode, &frameCount, &copiedCount)
        guard code == SQLITE_OK else { throw SQLiteFailure(code, on: self.handle) }
        return Int(frameCount - copiedCount)
    }
}

/// Whether what takes long is still wanted.
private final class Wish: Sendable {
    let isWanted: @Sendable () -> Bool

    init(isWanted: @escaping @Sendable () -> Bool) {
        self.isWanted = isWanted
    }
}

/// Why a transaction did not succeed.
enum TransactionFailure: Error {
    /// Nothing of it is in the file.
    case rolledBack(SQLiteFailure)
    /// It may be in the file.
    case unknown(SQLiteFailure)

    var failure: SQLiteFailure {
        switch self {
        case .rolledBack(let failure), .unknown(let failure): failure
        }
    }
}
