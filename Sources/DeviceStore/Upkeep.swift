// What happens behind the commits: folding, pruning, copying the WAL.

internal import DeviceModel
internal import Dispatch
internal import Synchronization

/// Work in the background of a session, one bounded slice at a time, from ``start()`` to ``stop()``.
///
/// ## Concurrency
/// Slices run on a queue of their own. What they write goes through the session's main connection, in turns with
/// commits, so
/// that a commit waits for one slice at most.
final class Upkeep: Sendable {
    private struct Schedule {
        var isStopped = true
        /// When the next slice is due; nil where none is.
        var due: DispatchTime?
        /// Until when the last slice rests or backs off, whatever is due meanwhile.
        var restsUntil = DispatchTime(uptimeNanoseconds: 0)
        /// Tells the slice that is due from those that an earlier one made needless.
        var generation: UInt64 = 0
    }

    private let session: Session
    private let options: SQLiteStore.Options
    private let queue = DispatchQueue(label: "rollcall.store.upkeep", qos: .utility)
    private let schedule = Mutex(Schedule())
    /// The stretch being folded and how many slices failed in a row; both are touched on `queue` only.
    private nonisolated(unsafe) var window: FoldWindow?
    private nonisolated(unsafe) var failureCount = 0

    init(_ session: Session, options: SQLiteStore.Options) {
        self.session = session
        self.options = options
    }

    /// Rows in a transaction while no commit can be waiting.
    private static let settlingRowCountMax = 16_384

    // MARK: From the committing thread

    /// Everything was read: what it comes to may be written.
    func start() {
        self.schedule.withLock { schedule in
            guard schedule.isStopped else { return }
            schedule.isStopped = false
            schedule.due = nil
        }
        self.committed()
    }

    /// A batch was committed: something may be due.
    func committed() {
        let (backlogCount, walFrameCount) = self.session.progress.withLock { ($0.backlogCount, $0.walFrameCount) }
        if walFrameCount >= self.options.checkpointFrameCount || backlogCount >= self.options.foldBacklogCount {
            self.wake(afterMilliseconds: 0)
        } else {
            self.wake(afterMilliseconds: self.options.foldDelayMilliseconds)
        }
    }

    /// Nobody holds an old state any more: the WAL is copied if it has grown enough meanwhile.
    func snapshotEnded() {
        let main = self.session.main
        let walFrameCount = main.perform { main.walFrameCount }
        self.session.progress.withLock { $0.walFrameCount = walFrameCount }
        self.committed()
    }

    /// Folds everything and prunes what is due, before it returns; the committing thread is the one that waits.
    func settle() throws(SQLiteFailure) {
        let result: Result<Void, SQLiteFailure> = self.queue.sync {
            Result { () throws(SQLiteFailure) in
                while try self.foldSlice(rowCountMax: Self.settlingRowCountMax) != .idle {
                    _ = try self.checkpoint()
                }
                while try self.pruneSlice() {}
            }
        }
        try result.get()
    }

    /// Copies the WAL if it is due, before it returns.
    func checkpointIfDue() throws(SQLiteFailure) {
        let result: Result<Void, SQLiteFailure> = self.queue.sync {
            Result { () throws(SQLiteFailure) in _ = try self.checkpoint() }
        }
        try result.get()
    }

    /// Waits for the slice that runs and lets no other start by itself.
    func stop() {
        self.schedule.withLock { $0.isStopped = true }
        self.queue.sync {}
    }

    // MARK: Turns

    private func wake(afterMilliseconds milliseconds: Int) {
        let asked = DispatchTime.now() + .milliseconds(milliseconds)
        let next = self.schedule.withLock { schedule -> (due: DispatchTime, generation: UInt64)? in
            let due = max(asked, schedule.restsUntil)
            if schedule.isStopped { return nil }
            if let earlier = schedule.due, earlier <= due { return nil }
            schedule.due = due
            schedule.generation += 1
            return (due, schedule.generation)
        }
        guard let next else { return }
        self.queue.asyncAfter(deadline: next.due) { self.turn(next.generation) }
    }

    private func turn(_ generation: UInt64) {
        let isDue = self.schedule.withLock { schedule in
            guard !schedule.isStopped, schedule.generation == generation else { return false }
            schedule.due = nil
            return true
        }
        guard isDue else { return }
        let milliseconds: Int?
        do {
            milliseconds = try self.step()
            self.failureCount = 0
        } catch {
            let failure = StoreError.background(self.session.path, error)
            // Whatever is written to a damaged file can only make it worse.
            if error.isDamage { self.session.progress.withLock { $0.damage = failure } }
            if self.failureCount == 0 || error.isDamage { self.options.onBackgroundFailure(failure) }
            guard !error.isDamage else { return }
            self.failureCount += 1
            milliseconds = min(60_000, 100 << min(self.failureCount, 10))
        }
        guard let milliseconds else { return }
        self.schedule.withLock { $0.restsUntil = .now() + .milliseconds(milliseconds) }
        self.wake(afterMilliseconds: milliseconds)
    }

    /// Does one thing that is due.
    ///
    /// - Returns: for how long to rest before the next, in milliseconds; nil where nothing is due.
    private func step() throws(SQLiteFailure) -> Int? {
        if try self.checkpoint() { return 0 }
        let started = DispatchTime.now()
        switch try self.foldSlice(rowCountMax: self.options.sliceRowCountMax) {
        case .slice: break
        case .windowDone: _ = try self.pruneSlice()
        case .idle: guard try self.pruneSlice() else { return nil }
        }
        // Two thirds of the time are the commits', unless the fold would never catch up that way.
        let backlogCount = self.session.progress.withLock(\.backlogCount)
        guard backlogCount < self.options.foldBacklogCountMax else { return 0 }
        let elapsed = DispatchTime.now().uptimeNanoseconds - started.uptimeNanoseconds
        return 1 + Int(elapsed * 2 / 1_000_000)
    }

    // MARK: Slices, on the queue

    private enum FoldOutcome {
        case idle, slice, windowDone
    }

    private func foldSlice(rowCountMax: Int) throws(SQLiteFailure) -> FoldOutcome {
        let (session, main) = (self.session, self.session.main)
        let progress = session.progress.withLock { $0 }
        if self.window == nil {
            guard progress.backlogCount > 0 else { return .idle }
            let side = session.side
            self.window = try side.perform { () throws(SQLiteFailure) in
                try side.readWindow(
                    after: progress.foldedThrough, through: progress.head.highWaterMarks.revision.rawValue)
            }
        }
        guard var window = self.window else { return .idle }
        let slice = window.nextSlice(rowCountMax: rowCountMax)
        let isLast = window.isLast(slice)
        try self.write { () throws(SQLiteFailure) in
            try main.write(slice)
            if isLast { try main.finish(window, time: progress.head.time.microseconds) }
        }
        guard isLast else {
            window.advance(past: slice)
            self.window = window
            return .slice
        }
        self.window = nil
        let through = window.through
        session.progress.withLock { $0.foldedThrough = through }
        return .windowDone
    }

    /// - Returns: whether there may be more to prune.
    private func pruneSlice() throws(SQLiteFailure) -> Bool {
        let (main, options) = (self.session.main, self.options)
        let time = self.session.progress.withLock(\.head.time.microseconds)
        var isMore = false
        try self.write { () throws(SQLiteFailure) in
            let requests = try main.pruneRequests(
                countMax: options.requestCountMax, oldest: time - options.requestAgeMicrosecondsMax,
                rowCountMax: options.sliceRowCountMax)
            let records = try main.pruneLog(
                byteCountMax: options.logByteCountMax, oldest: time - options.logAgeMicrosecondsMax,
                rowCountMax: options.sliceRowCountMax)
            let retired = try main.pruneRetired(rowCountMax: options.sliceRowCountMax)
            isMore = requests || records || retired
        }
        return isMore
    }

    /// Runs a transaction of the background. One that fails, however it ends, may run again: each sets and deletes,
    /// none adds up.
    private func write(_ body: () throws(SQLiteFailure) -> Void) throws(SQLiteFailure) {
        do {
            try self.session.write(body)
        } catch {
            throw error.failure
        }
    }

    /// Copies the WAL into the database if it has grown enough.
    ///
    /// The side connection copies nearly all of it beside the commits. Only when nothing is left to copy does the next
    /// commit start the WAL over, so the last frames are copied between two commits.
    /// - Returns: whether it was due.
    private func checkpoint() throws(SQLiteFailure) -> Bool {
        guard self.session.progress.withLock(\.walFrameCount) >= self.options.checkpointFrameCount else { return false }
        let (main, side) = (self.session.main, self.session.side)
        for _ in 0..<4 {
            let rest = try side.perform { () throws(SQLiteFailure) in try side.checkpoint() }
            if rest <= self.options.checkpointFrameCount / 16 { break }
        }
        _ = try main.perform { () throws(SQLiteFailure) in try main.checkpoint() }
        self.session.progress.withLock { $0.walFrameCount = 0 }
        return true
    }
}
