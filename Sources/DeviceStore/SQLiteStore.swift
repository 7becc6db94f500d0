// The store on SQLite: a folder of its own, a commit a batch, everything else behind it.

package import DeviceModel
internal import Metering
internal import Synchronization

/// Durable state in an SQLite database in WAL mode, each batch synced before its commit returns.
///
/// A batch appends its device changes to a log; device rows follow from the log in the background, once the store has
/// been loaded, and verified where whoever wrote last did not close it. Before that, after a load or a verification that
/// failed, and once damage is found, nothing is written: what cannot be read is left to be looked into as it was found.
package final class SQLiteStore: DeviceStore {
    /// The database's name in its folder.
    package static let fileName = "rollcall.sqlite"

    private enum State {
        case open(Session, Upkeep)
        /// The last batch's outcome is unknown: nothing is written until the file is opened anew.
        case unsettled(Session)
        case closed
    }

    private let folder: StoreFolder
    private let options: Options
    private let state: Mutex<State>
    private let snapshots: SnapshotTaker
    /// Whether the last load read everything.
    private let isLoaded = Atomic(false)
    /// Whether the file was closed properly, or was looked through since.
    private let isVerified: Atomic<Bool>
    /// One for all sessions.
    private let syncTimes: Histogram

    /// Opens the store in `folder`, which it makes, with a new database, where there is none.
    ///
    /// - Throws: `locked` where another process has the folder; `newerVersion` and `corrupt` where the file is not
    /// for this
    ///   program, which leaves it as it is; `failed` where folder or file cannot be made, read or written.
    package init(folder path: String, options: Options = Options()) throws(StoreError) {
        let folder = try StoreFolder(path: path)
        let syncTimes = Histogram()
        do {
            try folder.prepareDatabase()
            let session = try Self.open(folder, options, syncTimes)
            self.state = Mutex(.open(session, Upkeep(session, options: options)))
            self.isVerified = Atomic(session.progress.withLock(\.isMarkedClean) && !folder.hadLog)
        } catch {
            folder.removeTraces()
            folder.release()
            throw error
        }
        self.folder = folder
        self.options = options
        self.snapshots = SnapshotTaker(options: options)
        self.syncTimes = syncTimes
    }

    private static func open(
        _ folder: StoreFolder, _ options: Options, _ syncTimes: Histogram
    ) throws(StoreError) -> Session {
        do {
            return try Session(path: folder.databasePath, options: options, syncTimes: syncTimes)
        } catch {
            throw .reading(folder.databasePath, error)
        }
    }

    package func head() throws(StoreError) -> StoreHead {
        try self.opened().0.progress.withLock(\.head)
    }

    package func load(into loader: inout some StoreLoader) throws(StoreError) {
        let (session, upkeep) = try self.opened()
        do {
            try session.load(into: &loader)
        } catch {
            self.isLoaded.store(false, ordering: .relaxed)
            upkeep.stop()
            throw error
        }
        self.isLoaded.store(true, ordering: .relaxed)
        if !self.needsVerification { upkeep.start() }
    }

    package var needsVerification: Bool {
        !self.isVerified.load(ordering: .relaxed)
    }

    /// - Complexity: O(bytes of the file), which is read once.
    package func verify(while isWanted: @escaping @Sendable () -> Bool) throws(StoreError) {
        let (session, upkeep) = try self.opened()
        let finding: String?
        do {
            finding = try session.check(while: isWanted)
        } catch {
            throw .reading(session.path, error)
        }
        if let finding {
            let damage = StoreError.damaged(session.path, "is damaged (\(finding))")
            session.progress.withLock { $0.damage = damage }
            throw damage
        }
        self.isVerified.store(true, ordering: .relaxed)
        if self.isLoaded.load(ordering: .relaxed) { upkeep.start() }
    }

    /// - Complexity: O(rows), about a microsecond each, and one sync of the file.
    package func commit(_ batch: MutationBatch) throws(StoreError) {
        let (session, upkeep) = try self.opened()
        if let damage = session.progress.withLock(\.damage) { throw damage }
        guard !self.needsVerification else {
            throw StoreError(
                .unavailable, "\(session.path) was not closed properly and has not been looked through yet")
        }
        let isNext: Bool
        do {
            isNext = try session.commit(batch)
        } catch {
            guard !error.failure.isDamage else {
                let damage = StoreError.damaged(session.path, "is damaged", cause: error.failure)
                session.progress.withLock { $0.damage = damage }
                upkeep.stop()
                throw damage
            }
            switch error {
            case .rolledBack(let failure):
                throw .rolledBack(session.path, failure)
            case .unknown(let failure):
                self.state.withLock { $0 = .unsettled(session) }
                upkeep.stop()
                throw .unknown(session.path, failure)
            }
        }
        guard isNext else {
            throw StoreError(.conflict, "\(session.path) has had another writer since it was read; start again from it")
        }
        upkeep.committed()
    }

    package func reopen() throws(StoreError) -> StoreHead {
        switch self.state.withLock({ $0 }) {
        case .closed: throw self.closedError
        case .open(let session, let upkeep):
            if let damage = session.progress.withLock(\.damage) { throw damage }
            // First, so that nobody begins to read what is about to be closed.
            self.state.withLock { $0 = .unsettled(session) }
            upkeep.stop()
            self.snapshots.finish()
            session.abandon()
        case .unsettled(let session):
            self.snapshots.finish()
            session.abandon()
        }
        let session = try Self.open(self.folder, self.options, self.syncTimes)
        do {
            // A sync that failed may have left frames in the WAL that are in memory only, which no later sync would
            // write.
            // They are copied into the database, and synced there, before anything is built on them.
            let main = session.main
            _ = try main.perform { () throws(SQLiteFailure) in try main.checkpoint(truncating: true) }
        } catch {
            session.abandon()
            throw .reading(session.path, error)
        }
        let upkeep = Upkeep(session, options: self.options)
        self.state.withLock { $0 = .open(session, upkeep) }
        if self.isLoaded.load(ordering: .relaxed), !self.needsVerification { upkeep.start() }
        return session.progress.withLock(\.head)
    }

    package func changes(
        after first: Revision, through last: Revision, of devices: Set<DeviceID>?
    ) throws(StoreError) -> [DeviceChange] {
        try self.readFeed { feed throws(SQLiteFailure) in
            try feed.readChanges(after: first, through: last, of: devices)
        }
    }

    package func feedStart() throws(StoreError) -> Revision {
        try self.readFeed { feed throws(SQLiteFailure) in try feed.readFeedStart() }
    }

    package func retiredNames(
        releases: Set<ReleaseID>, cohorts: Set<CohortID>
    ) throws(StoreError) -> RetiredNames {
        try self.readFeed { feed throws(SQLiteFailure) in
            try feed.readRetiredNames(releases: releases, cohorts: cohorts)
        }
    }

    package func retirement(ofProject slug: String) throws(StoreError) -> Revision? {
        try self.readFeed { feed throws(SQLiteFailure) in try feed.readRetirement(ofProject: slug) }
    }

    private func readFeed<Value>(
        _ body: (Connection) throws(SQLiteFailure) -> Value
    ) throws(StoreError) -> Value {
        let session = try self.opened().0
        do {
            let feed = session.feed
            return try feed.perform { () throws(SQLiteFailure) in try body(feed) }
        } catch {
            throw .reading(session.path, error)
        }
    }

    package func snapshot(while isWanted: () -> Bool) throws(StoreError) -> StoreSnapshot? {
        defer { (try? self.opened())?.1.snapshotEnded() }
        return try self.snapshots.take(while: isWanted) { () throws(StoreError) in try self.opened().0 }
    }

    package var stats: ServerStats.Store {
        var stats = ServerStats.Store()
        (stats.databaseByteCount, stats.walByteCount) = self.folder.fileByteCounts
        if case .open(let session, _) = self.state.withLock({ $0 }) {
            stats.unfoldedChangeCount = Int64(session.progress.withLock(\.backlogCount))
        }
        stats.syncTimes = self.syncTimes.distribution
        return stats
    }

    package func close() {
        // First, so that nobody begins to read what is about to be closed.
        let state = self.state.withLock { state in
            defer { state = .closed }
            return state
        }
        self.snapshots.finish()
        switch state {
        case .closed: return
        case .open(let session, let upkeep):
            upkeep.stop()
            let isSound = session.progress.withLock { $0.damage == nil } && !self.needsVerification
            guard isSound, self.isLoaded.load(ordering: .relaxed) else {
                session.abandon()
                self.folder.removeTraces()
                break
            }
            do {
                try upkeep.settle()
                try session.close()
            } catch {
                // Nothing is lost: what was not folded or copied is found at the next start.
                self.options.onBackgroundFailure(.background(session.path, error))
                session.abandon()
            }
        case .unsettled(let session):
            session.abandon()
        }
        self.folder.release()
    }

    deinit {
        self.close()
    }

    private func opened() throws(StoreError) -> (Session, Upkeep) {
        switch self.state.withLock({ $0 }) {
        case .open(let session, let upkeep): return (session, upkeep)
        case .unsettled(let session): throw .unknown(session.path, nil)
        case .closed: throw self.closedError
        }
    }

    private var closedError: StoreError {
        StoreError(.failed, "\(self.folder.databasePath) is closed")
    }

    // MARK: For tests: what the background does, now

    /// Folds and prunes all that is due, before it returns.
    func settle() throws(StoreError) {
        let (session, upkeep) = try self.opened()
        do {
            try upkeep.settle()
            try upkeep.checkpointIfDue()
        } catch {
            throw .background(session.path, error)
        }
    }
}
