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
        /// Nobody watches.
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
        let wantsAttributes: Bool
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
        var nextWatcher: UInt64 = 0
        var isWaking = false
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
            if state.watchers.isEmpty { return .nothing }
            return state.watchers.values.contains(where: \.wantsAttributes) ? .devicesWithAttributes : .devices
        }
    }

    /// Tells of a batch that readers see now.
    ///
    /// - Parameter batch: Nil where nobody watched when it was taken down.
    func publish(_ batch: WatchedBatch?, through: Revision) {
        let wakes = self.state.withLock { state -> Bool in
            state.through = through
            if let batch, !state.watchers.isEmpty {
                state.append(batch, limits: self.limits)
            } else {
                state.forget()
            }
            return state.startWaking()
        }
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
            state.forget()
            return state.startWaking()
        }
        if wakes { self.wakeAll() }
    }

    private func wakeAll() {
        self.wakeQueue.async {
            let watchers = self.state.withLock { state in
                state.isWaking = false
                return Array(state.watchers.values)
            }
            for watcher in watchers { watcher.wake.yield() }
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
            let goesOn = self.state.withLock { state in
                state.isBeating = false
                return !state.watchers.isEmpty
            }
            guard goesOn else { return }
            self.wakeAll()
            self.beat()
        }
    }

    // MARK: Watchers

    /// Adds a watcher for as long as the subscription lives.
    ///
    /// - Throws: where there are too many, or none is taken any more.
    func subscribe(wantsAttributes: Bool) throws(RegistryError) -> Subscription {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = try self.state.withLock { state throws(RegistryError) in
            if let ending = state.ending { throw ending }
            guard state.watchers.count < self.limits.watcherCountMax else {
                throw .tooManyWatchers(countMax: self.limits.watcherCountMax)
            }
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = Watcher(wake: wake, wantsAttributes: wantsAttributes)
            return state.nextWatcher
        }
        self.beat()
        return Subscription(self, number, wakes, wantsAttributes: wantsAttributes)
    }

    /// A watcher's place among the others.
    final class Subscription: Sendable {
        /// An element whenever there may be something to read; waiting for the next one ends with the task.
        let wakes: AsyncStream<Void>
        private let feed: ChangeFeed
        private let number: UInt64
        private let wantsAttributes: Bool

        fileprivate init(_ feed: ChangeFeed, _ number: UInt64, _ wakes: AsyncStream<Void>, wantsAttributes: Bool) {
            self.feed = feed
            self.number = number
            self.wakes = wakes
            self.wantsAttributes = wantsAttributes
        }

        /// What happened after `revision`.
        func read(after revision: Revision) -> Part {
            self.feed.state.withLock { state in
                guard revision < state.through else { return .upToDate }
                guard revision >= state.keptAfter else {
                    return revision < state.droppedThrough ? .dropped : .notKept
                }
                let start = state.batches.firstIndex { $0.through > revision } ?? state.batches.endIndex
                let batches = Array(state.batches[start...].prefix(Self.batchCountMax))
                // Those from before the first watcher that wants attributes are without.
                guard !self.wantsAttributes || batches.allSatisfy(\.hasAttributes) else { return .notKept }
                return batches.isEmpty ? .upToDate : .batches(batches)
            }
        }

        /// Why the watch is to end once it has caught up; nil while it goes on.
        var ending: RegistryError? {
            self.feed.state.withLock { $0.ending }
        }

        /// How many batches a watcher takes at a time.
        private static let batchCountMax = 16

        deinit {
            let watcher = self.feed.state.withLock { state in
                defer { if state.watchers.isEmpty { state.forget() } }
                return state.watchers.removeValue(forKey: self.number)
            }
            watcher?.wake.finish()
        }
    }

    /// How many watch now.
    var watcherCount: Int {
        self.state.withLock { $0.watchers.count }
    }
}

extension ChangeFeed.State {
    fileprivate mutating func append(_ batch: WatchedBatch, limits: Limits) {
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
        }
    }

    /// Keeps nothing: what happened so far is found in the store.
    fileprivate mutating func forget() {
        self.batches = []
        self.changeCount = 0
        self.byteCount = 0
        self.keptAfter = self.through
    }

    /// Whether somebody is to be woken who was not yet.
    fileprivate mutating func startWaking() -> Bool {
        guard !self.watchers.isEmpty, !self.isWaking else { return false }
        self.isWaking = true
        return true
    }
}

extension RegistryError {
    fileprivate static func tooManyWatchers(countMax: Int) -> RegistryError {
        RegistryError(
            .resourceExhausted, .limitExceeded,
            "The server has \(countMax) watchers already, which is the most it takes (watchers); try again later.")
    }
}
