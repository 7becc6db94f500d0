// A compiled statement with raw binds and columns: no row object, no argument array, no String unless asked for.

internal import DeviceModel
internal import FoundationEssentials
internal import GRDBSQLite

/// A prepared statement, for use on its connection's queue only.
final class Statement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer

    /// - Throws: where `sql` does not compile against the schema.
    init(_ sql: String, on connection: OpaquePointer) throws(SQLiteFailure) {
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else { throw SQLiteFailure(code, on: connection) }
        self.handle = handle
        self.connection = connection
    }

    deinit {
        sqlite3_finalize(self.handle)
    }

    // MARK: Running

    /// Runs a statement that returns no row, then makes it ready to run again. Bound values stay bound.
    func run() throws(SQLiteFailure) {
        let code = sqlite3_step(self.handle)
        let failure = code == SQLITE_DONE || code == SQLITE_ROW ? nil : SQLiteFailure(code, on: self.connection)
        sqlite3_reset(self.handle)
        if let failure { throw failure }
    }

    /// Moves to the next row; false after the last.
    func next() throws(SQLiteFailure) -> Bool {
        switch sqlite3_step(self.handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw SQLiteFailure(code, on: self.connection)
        }
    }

    /// Ends a walk over rows.
    func reset() {
        sqlite3_reset(self.handle)
    }

    /// How many rows the last insert, update or delete of this connection touched.
    var changeCount: Int {
        Int(sqlite3_changes(self.connection))
    }

    // MARK: Binding: parameters count from 1

    func bind(_ value: Int64, at index: Int32) {
        self.check(sqlite3_bind_int64(self.handle, index, value))
    }

    func bind(_ value: Int64?, at index: Int32) {
        if let value {
            self.bind(value, at: index)
        } else {
            self.check(sqlite3_bind_null(self.handle, index))
        }
    }

    func bind(_ value: Double, at index: Int32) {
        self.check(sqlite3_bind_double(self.handle, index, value))
    }

    func bind(_ value: String, at index: Int32) {
        var value = value
        value.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                self.check(
                    sqlite3_bind_text(
                        self.handle, index, characters.baseAddress ?? emptyText, Int32(characters.count), copied))
            }
        }
    }

    func bind(_ value: UUID, at index: Int32) {
        withUnsafeBytes(of: value.uuid) { bytes in
            self.check(sqlite3_bind_blob(self.handle, index, bytes.baseAddress, Int32(bytes.count), copied))
        }
    }

    /// Runs the statement with `bytes` bound at `index`, without a copy of them.
    func run(binding bytes: [UInt8], at index: Int32) throws(SQLiteFailure) {
        let result: Result<Void, SQLiteFailure> = bytes.withUnsafeBytes { bytes in
            self.check(sqlite3_bind_blob(self.handle, index, bytes.baseAddress, Int32(bytes.count), nil))
            return Result { () throws(SQLiteFailure) in try self.run() }
        }
        try result.get()
    }

    /// A bind fails only for an index that the statement does not have, a value over 2 GB or want of memory.
    private func check(_ code: Int32) {
        precondition(code == SQLITE_OK, "a value could not be bound to a prepared statement")
    }

    // MARK: Columns: from 0, of the current row

    func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(self.handle, column) == SQLITE_NULL
    }

    func int64(_ column: Int32) -> Int64 {
        sqlite3_column_int64(self.handle, column)
    }

    func optionalInt64(_ column: Int32) -> Int64? {
        self.isNull(column) ? nil : self.int64(column)
    }

    func double(_ column: Int32) -> Double {
        sqlite3_column_double(self.handle, column)
    }

    /// The bytes of a text or blob, valid until the next step or reset.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        // The blob call on a text column hands out the page's own bytes; the text call may copy them to end them
        // with NUL.
        let start = sqlite3_column_blob(self.handle, column)
        return UnsafeRawBufferPointer(
            start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(self.handle, column)))
    }

    /// As ``bytes(_:)``, of a text whose bytes are seen to be UTF-8. Most are ASCII, of which nothing is copied for that.
    func text(_ column: Int32) throws(SQLiteFailure) -> UnsafeRawBufferPointer {
        let bytes = self.bytes(column)
        if !bytes.allSatisfy({ $0 < 0x80 }) { _ = try self.string(column) }
        return bytes
    }

    func string(_ column: Int32) throws(SQLiteFailure) -> String {
        guard let text = String(validating: self.bytes(column), as: UTF8.self) else {
            throw .malformed("a stored text is not UTF-8")
        }
        return text
    }

    func timestamp(_ column: Int32) throws(SQLiteFailure) -> Timestamp {
        guard let time = Timestamp(microseconds: self.int64(column)) else {
            throw .malformed("a stored time is out of range")
        }
        return time
    }

    func uuid(_ column: Int32) throws(SQLiteFailure) -> UUID {
        let bytes = self.bytes(column)
        guard bytes.count == 16 else { throw .malformed("a stored UUID has \(bytes.count) bytes") }
        return UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}

/// SQLITE_TRANSIENT, which the importer cannot express: SQLite copies the bytes before the call returns.
private let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

/// An address for a text of no bytes: a null one would bind NULL.
private nonisolated(unsafe) let emptyText: UnsafePointer<CChar> = {
    let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    byte.initialize(to: 0)
    return UnsafePointer(byte)
}()
