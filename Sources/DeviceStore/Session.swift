// The database while it is open: the connections to its file, and where they stand.

internal import DeviceModel
internal import Metering
internal import Synchronization

/// An open database.
final class Session: Sendable {
    /// Where the store stands, known without asking the file.
    struct Progress {
        var head: StoreHead
        var foldedThrough: Int64
        var walFrameCount = 0
        /// Whether the file says that it was closed properly, which the next write takes back.
        var isMarkedClean: Bool
        /// Why nothing is written any more; nil while the file is sound.
        var damage: StoreError?

        /// Changes that are not folded yet.
        var backlogCount: Int {
            Int(self.head.highWaterMarks.revision.rawValue - self.foldedThrough)
        }
    }

    let path: String
    /// Writes everything: commits, and between them slices of work in the background.
    let main: Connection
    /// Reads the log and copies the WAL, so that neither holds up a commit.
    let side: Connection
    /// Reads the log for those who watch, beside everything else.
    let feed: Connection
    /// Reads nothing. The last connection to a file copies the WAL into it and removes the WAL; this one cannot, for it
    /// is read-only, so that what is closed before it leaves both as they are.
    private let keeper: Connection
    let progress: Mutex<Progress>

    /// - Parameter syncTimes: where the ends of transactions are counted; nil for nowhere.
    /// - Throws: where the file cannot be opened, brought up to date or understood.
    init(path: String, options: SQLiteStore.Options, syncTimes: Histogram? = nil) throws(SQLiteFailure) {
        self.path = path
        let keeper = try Connection(path: path, .init(label: "rollcall.store.keeper", isReadOnly: true))
        var others: [Connection] = []
        do {
            let main = try Connection(
                path: path,
                .init(
                    label: "rollcall.store.main", cacheByteCount: 16 << 20, pageCountMax: options.pageCountMax,
                    syncTimes: syncTimes))
            others.append(main)
            try main.migrate()
            let side = try Connection(path: path, .init(label: "rollcall.store.side"))
            others.append(side)
            let feed = try Connection(path: path, .init(label: "rollcall.store.feed", isReadOnly: true))
            others.append(feed)
            let row = try main.perform { () throws(SQLiteFailure) in try main.readHead() }
            self.main = main
            self.side = side
            self.feed = feed
            self.keeper = keeper
            self.progress = Mutex(
                Progress(head: row.head, foldedThrough: row.foldedThrough, isMarkedClean: row.isClean))
        } catch {
            for connection in others { try? connection.close() }
            try? keeper.close()
            throw error
        }
    }

    /// Makes `batch` durable.
    ///
    /// - Returns: false where the last batch is not the one before it.
    func commit(_ batch: borrowing MutationBatch) throws(TransactionFailure) -> Bool {
        let main = self.main
        var isNext = true
        do {
            try self.write { () throws(SQLiteFailure) in
                isNext = try main.write(batch)
                if !isNext { throw SQLiteFailure.malformed("the last batch is not the one before") }
            }
        } catch {
            if case .rolledBack = error, !isNext { return false }
            throw error
        }
        let (sequence, time, marks) = (batch.sequence, batch.time, batch.highWaterMarks)
        self.progress.withLock { progress in
            progress.head.sequence = sequence
            progress.head.time = time
            progress.head.highWaterMarks = marks
        }
        return true
    }

    /// Runs a transaction on the main connection; the first that changes anything takes the mark of a clean end away.
    func write(_ body: () throws(SQLiteFailure) -> Void) throws(TransactionFailure) {
        let main = self.main
        let isMarkedClean = self.progress.withLock(\.isMarkedClean)
        let walFrameCount = try main.perform { () throws(TransactionFailure) -> Int? in
            let changeCount = main.totalChangeCount
            try main.transaction { () throws(SQLiteFailure) in
                try body()
                if isMarkedClean, main.totalChangeCount != changeCount { try main.run(.updateClean, 0) }
            }
            return main.totalChangeCount == changeCount ? nil : main.walFrameCount
        }
        guard let walFrameCount else { return }
        self.progress.withLock { progress in
            progress.walFrameCount = walFrameCount
            progress.isMarkedClean = false
        }
    }

    /// Looks through the file on a connection of its own, for as long as `isWanted` says so; writes nothing.
    ///
    /// - Returns: what is wrong with it; nil where nothing is.
    func check(while isWanted: @escaping @Sendable () -> Bool) throws(SQLiteFailure) -> String? {
        let connection = try Connection(path: self.path, .init(label: "rollcall.store.check", isReadOnly: true))
        defer { try? connection.close() }
        return try connection.perform { () throws(SQLiteFailure) in try connection.quickCheck(while: isWanted) }
    }

    /// Hands everything to `loader`, and writes nothing.
    func load(into loader: inout some StoreLoader) throws(StoreError) {
        let (main, path) = (self.main, self.path)
        try main.perform { () throws(StoreError) in
            try main.withFoldedRows(path: path) { () throws(StoreError) in
                var walk = LoadWalk(main, path: path)
                try walk.run(into: &loader)
            }
        }
    }

    /// Lets go of the file without finishing anything: it and the WAL stay as they are.
    func abandon() {
        // What cannot be closed is closed when the last statement of it goes away.
        try? self.feed.close()
        try? self.side.close()
        try? self.main.close()
        try? self.keeper.close()
    }

    /// Lets go of the file, marked as closed properly, with nothing left in the WAL.
    func close() throws(SQLiteFailure) {
        try self.markClean()
        try self.keeper.close()
        try self.feed.close()
        try self.side.close()
        let main = self.main
        _ = try main.perform { () throws(SQLiteFailure) in try main.checkpoint(truncating: true) }
        try main.close()
    }

    private func markClean() throws(SQLiteFailure) {
        guard !self.progress.withLock(\.isMarkedClean) else { return }
        let main = self.main
        do {
            try main.perform { () throws(TransactionFailure) in
                try main.transaction { () throws(SQLiteFailure) in try main.run(.updateClean, 1) }
            }
        } catch {
            throw error.failure
        }
    }
}
