// The latest changes in memory, for those who watch.

internal import DequeModule
internal import DeviceModel
internal import Dispatch
internal import Synchronization

/// Keeps what the last batches changed for as long as somebody watches, and tells the watchers of each.
///
/// The writer appends and goes on: it waits for nobody, and nobody's slowness costs it anything. All watchers read the same
/// changes at their own pace; one that is further behind than the bound finds them gone.
///
/// ## Concurrency
/// The writer publishes, watchers read from any thread. The mutex holds the values; watchers are woken on a queue of the
/// feed's own.
final class ChangeFeed: Sendable {
    /// What watchers want to know of changes.
    enum Demand {
        /// Nobody watches, or all who do still read the log.
        case nothing
        case devices
        case devicesWithAttributes
    }

    enum Part {
        /// What the batches after the place changed, in order; at least one batch.
        case batches([WatchedBatch])
        case upToDate
        /// What comes next was never kept, and is found in the store.
        case notKept
        /// What comes next was kept, until the bound was reached.
        case dropped
    }

    fileprivate struct Watcher {
        let wake: AsyncStream<Void>.Continuation
        let lose: AsyncStream<Never>.Continuation
        let wantsAttributes: Bool
        /// It keeps up, and has read everything through this; nil while it reads the log, and needs nothing to be kept.
        var position: Revision?
    }

    fileprivate struct State {
        var batches: Deque<WatchedBatch> = []
        var changeCount = 0
        var byteCount = 0
        /// The last batch's, kept or not.
        var through: Revision
        /// Everything after it is in ``batches``.
        var keptAfter: Revision
        /// Everything through it that was kept is dropped.
        var droppedThrough: Revision
        var watchers: [UInt64: Watcher] = [:]
        /// Those that have gone after they fell too far behind.
        var tooSlowCount: Int64 = 0
        var nextWatcher: UInt64 = 0
        /// Whether watchers are being woken, some after others.
        var isWaking = false
        /// Whether something has happened meanwhile.
        var isWakeDue = false
        /// Whether the next heartbeat is scheduled.
        var isBeating = false
        var ending: RegistryError?
    }

    private let state: Mutex<State>
    private let limits: Limits
    private let wakeQueue = DispatchQueue(label: "rollcall.feed")

    init(_ revision: Revision, limits: Limits) {
        self.state = Mutex(State(through: revision, keptAfter: revision, droppedThrough: .zero))
        self.limits = limits
    }

    // MARK: The writer

    var demand: Demand {
        self.state.withLock { state in
            let keepingUp = state.watchers.values.lazy.filter { $0.position != nil }
            if keepingUp.isEmpty { return .nothing }
            return keepingUp.contains(where: \.wantsAttributes) ? .devicesWithAttributes : .devices
        }
    }

    /// Tells of a batch that readers see now.
    ///
    /// - Parameter batch: Nil where nobody kept up when it was to be taken down.
    func publish(_ batch: WatchedBatch?, through: Revision) {
        let (wakes, dropped, lost) = self.state.withLock { state -> (Bool, [WatchedBatch], [Watcher]) in
            state.through = through
            var dropped: [WatchedBatch] = []
            if let batch {
                dropped = state.append(batch, limits: self.limits)
            } else {
                dropped = state.forget()
            }
            return (state.startWaking(), dropped, dropped.isEmpty ? [] : state.lostWatchers)
        }
        // Let go of here, where nobody waits for it.
        _ = dropped
        for watcher in lost { watcher.lose.finish() }
        if wakes { self.wakeAll() }
    }

    /// Ends every watch once it has caught up, and takes no more of them.
    func end(_ error: RegistryError) {
        let wakes = self.state.withLock { state -> Bool in
            state.ending = error
            return state.startWaking()
        }
        if wakes { self.wakeAll() }
    }

    /// The store was read anew, so that what happened up to `through` is not known step by step: watchers find it in there.
    func reset(through: Revision) {
        let wakes = self.state.withLock { state -> Bool in
            state.through = through
            _ = state.forget()
            return state.startWaking()
        }
        if wakes { self.wakeAll() }
    }

    /// How many watchers are woken at once, and how long the others wait for each of them: what a watcher does with a change
    /// takes about a third of that, and the rest is for other callers. Of few watchers each hears of everything at once; of
    /// hundreds each hears a little later of more.
    private static let wakeCountAtOnce = 16
    private static let wakeNanoseconds = 100_000

    private func wakeAll() {
        self.wakeQueue.async {
            let watchers = self.state.withLock { state in
                state.isWakeDue = false
                return Array(state.watchers.values)
            }
            self.wake(watchers[...])
        }
    }

    /// Wakes some, and later the rest; then all again where something has happened meanwhile.
    private func wake(_ watchers: ArraySlice<Watcher>) {
        let first = watchers.prefix(Self.wakeCountAtOnce)
        for watcher in first { watcher.wake.yield() }
        self.wakeQueue.asyncAfter(deadline: .now() + .nanoseconds(first.count * Self.wakeNanoseconds)) {
            let rest = watchers.dropFirst(first.count)
            if !rest.isEmpty {
                self.wake(rest)
            } else if self.state.withLock({ $0.wakingGoesOn() }) {
                self.wakeAll()
            }
        }
    }

    /// Wakes everybody now and then, for as long as there is somebody: watchers are told how far they are though nothing happens.
    private func beat() {
        let isFirst = self.state.withLock { state in
            defer { state.isBeating = true }
            return !state.isBeating
        }
        guard isFirst else { return }
        // Four times as often as a bookmark is due, which is then late by a quarter at most.
        let nanoseconds = max(1_000_000, Int(self.limits.watchHeartbeatNanoseconds / 4))
        self.wakeQueue.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { [weak self] in
            guard let self else { return }
            let (goesOn, wakes) = self.state.withLock { state in
                state.isBeating = false
                return (!state.watchers.isEmpty, state.startWaking())
            }
            guard goesOn else { return }
            if wakes { self.wakeAll() }
            self.beat()
        }
    }

    // MARK: Watchers

    /// Adds a watcher for as long as the subscription lives.
    ///
    /// - Throws: where there are too many, or none is taken any more.
    func subscribe(wantsAttributes: Bool) throws(RegistryError) -> Subscription {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let (lost, lose) = AsyncStream.makeStream(of: Never.self)
        let number = try self.state.withLock { state throws(RegistryError) in
            if let ending = state.ending { throw ending }
            guard state.watchers.count < self.limits.watcherCountMax else {
                throw .tooManyWatchers(countMax: self.limits.watcherCountMax)
            }
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = Watcher(wake: wake, lose: lose, wantsAttributes: wantsAttributes)
            return state.nextWatcher
        }
        self.beat()
        return Subscription(self, number, wakes, lost, wantsAttributes: wantsAttributes)
    }

    /// A watcher's place among the others.
    final class Subscription: Sendable {
        /// An element whenever there may be something to read; waiting for the next one ends with the task.
        let wakes: AsyncStream<Void>
        /// Ends when what comes next for a watcher that is to keep up was dropped, or with the subscription.
        let lost: AsyncStream<Never>
        private let feed: ChangeFeed
        private let number: UInt64
        private let wantsAttributes: Bool

        fileprivate init(
            _ feed: ChangeFeed, _ number: UInt64, _ wakes: AsyncStream<Void>, _ lost: AsyncStream<Never>,
            wantsAttributes: Bool
        ) {
            self.lost = lost
            self.feed = feed
            self.number = number
            self.wakes = wakes
            self.wantsAttributes = wantsAttributes
        }

        /// What happened after `revision`.
        ///
        func read(after revision: Revision) -> Part {
            self.feed.state.withLock { state in
                if state.watchers[self.number]?.position != nil { state.watchers[self.number]?.position = revision }
                guard revision < state.through else { return .upToDate }
                guard revision >= state.keptAfter else {
                    return revision < state.droppedThrough ? .dropped : .notKept
                }
                let batches = state.batches(after: revision, changeCount: Self.changeCountMax)
                // Those from before the first watcher that wants attributes are without.
                guard !self.wantsAttributes || batches.allSatisfy(\.hasAttributes) else { return .notKept }
                return batches.isEmpty ? .upToDate : .batches(batches)
            }
        }

        /// From here on what happens is kept for the watcher, which is lost once that is dropped.
        func keepUp(from revision: Revision) {
            self.feed.state.withLock { $0.watchers[self.number]?.position = revision }
        }

        /// Why the watch is to end once it has caught up; nil while it goes on.
        var ending: RegistryError? {
            self.feed.state.withLock { $0.ending }
        }

        /// About how many changes a watcher takes at a time.
        private static let changeCountMax = 512

        deinit {
            let (watcher, dropped) = self.feed.state.withLock { state in
                let watcher = state.watchers.removeValue(forKey: self.number)
                if let position = watcher?.position, position < state.droppedThrough { state.tooSlowCount += 1 }
                return (watcher, state.watchers.isEmpty ? state.forget() : [])
            }
            _ = dropped
            watcher?.wake.finish()
            watcher?.lose.finish()
        }
    }

    /// Why no watch goes on; nil while they do.
    var ending: RegistryError? {
        self.state.withLock { $0.ending }
    }

    /// How many watch now.
    var watcherCount: Int {
        self.state.withLock { $0.watchers.count }
    }

    /// Who watches, and what that takes.
    var stats: ServerStats.Watchers {
        self.state.withLock { state in
            let positions = state.watchers.values.compactMap(\.position)
            var stats = ServerStats.Watchers()
            stats.count = Int64(state.watchers.count)
            stats.catchingUpCount = Int64(state.watchers.count - positions.count)
            stats.lagRevisionCount = positions.min().map { max(0, state.through.rawValue - $0.rawValue) } ?? 0
            stats.backlogChangeCount = Int64(state.changeCount)
            stats.backlogByteCount = Int64(state.byteCount)
            stats.tooSlowCount = state.tooSlowCount
            return stats
        }
    }
}

extension ChangeFeed.State {
    /// Keeps a batch, and returns those that go for it.
    fileprivate mutating func append(_ batch: WatchedBatch, limits: Limits) -> [WatchedBatch] {
        // Without changes there is nothing to tell, and nothing moves on.
        guard !batch.changes.isEmpty else { return [] }
        var dropped: [WatchedBatch] = []
        self.batches.append(batch)
        self.changeCount += batch.changes.count
        self.byteCount += batch.byteCount
        while self.batches.count > 1,
            self.changeCount > limits.watchBacklogCountMax || self.byteCount > limits.watchBacklogByteCountMax,
            let oldest = self.batches.popFirst()
        {
            self.changeCount -= oldest.changes.count
            self.byteCount -= oldest.byteCount
            self.keptAfter = oldest.through
            self.droppedThrough = oldest.through
            dropped.append(oldest)
        }
        return dropped
    }

    /// Keeps nothing: what happened so far is found in the store. Returns what was kept.
    fileprivate mutating func forget() -> [WatchedBatch] {
        let dropped = Array(self.batches)
        self.batches = []
        self.changeCount = 0
        self.byteCount = 0
        self.keptAfter = self.through
        return dropped
    }

    /// Those that are to keep up and have not.
    fileprivate var lostWatchers: [ChangeFeed.Watcher] {
        self.watchers.values.filter { $0.position.map { $0 < self.droppedThrough } ?? false }
    }

    /// Some batches after a revision, in order, with about as many changes.
    ///
    /// - Complexity: O(log n) and what it returns.
    fileprivate func batches(after revision: Revision, changeCount: Int) -> [WatchedBatch] {
        var (low, high) = (0, self.batches.count)
        while low < high {
            let middle = (low + high) / 2
            if self.batches[middle].through > revision { high = middle } else { low = middle + 1 }
        }
        var batches: [WatchedBatch] = []
        var rest = changeCount
        while low < self.batches.count, rest > 0 {
            batches.append(self.batches[low])
            rest -= self.batches[low].changes.count
            low += 1
        }
        return batches
    }

    /// Whether the waking is to begin; where it has begun, there is another one after it.
    fileprivate mutating func startWaking() -> Bool {
        guard !self.watchers.isEmpty else { return false }
        self.isWakeDue = true
        guard !self.isWaking else { return false }
        self.isWaking = true
        return true
    }

    /// Whether there is another waking after one.
    fileprivate mutating func wakingGoesOn() -> Bool {
        self.isWaking = self.isWakeDue && !self.watchers.isEmpty
        return self.isWaking
    }
}

extension RegistryError {
    fileprivate static func tooManyWatchers(countMax: Int) -> RegistryError {
        RegistryError(
            .resourceExhausted, .limitExceeded,
            "The server has \(countMax) watchers already, which is the most it takes (watchers); try again later.")
    }
}
