// The registry: reads on any thread, mutations through one writer.

package import DeviceModel
package import DeviceQuery
package import DeviceStore
internal import Dispatch
package import FoundationEssentials
internal import Glibc
package import Logging
internal import Synchronization

/// Every device of every project, in memory for reading and in a store for keeping.
///
/// A mutation is answered after its transaction is durable and its change is in the index: acknowledged means durable and
/// visible, visible means durable.
///
/// ## Concurrency
/// Reads hold the shared lock on the calling thread. Mutations wait in a bounded queue for the one writer, which takes what
/// waits as a group; no group waits for another call to come.
package final class Registry: Sendable {
    package let limits: Limits
    /// Names the history that revisions, etags and page tokens belong to.
    package let storeID: UUID
    /// What etags carry of ``storeID``.
    package let storeTag: UInt32

    private let index: ReadWriteLock<RegistryIndex>
    let queue: Mutex<WriteQueue>
    let writer: Writer
    private let writerQueue = DispatchQueue(label: "rollcall.writer")
    /// Where the store is looked through before it takes changes.
    private let verificationQueue = DispatchQueue(label: "rollcall.store.verification", qos: .utility)
    private let publishedRevision: PublishedRevision
    private let publishedStoreState: PublishedStoreState
    private let logger: Logger
    private let clock: @Sendable () -> Timestamp
    let store: any DeviceStore
    let feed: ChangeFeed
    /// Where the store's feed is read: one watcher after another, so that what that takes is taken once.
    let feedQueue = DispatchQueue(label: "rollcall.feed.store")
    let runner = SliceRunner(laneCount: max(1, systemProcessorCount() / 2))
    let indexUnderWay = Mutex<WantedIndex?>(nil)
    let purgesUnderWay = PurgesUnderWay([:])
    let backupQueue = DispatchQueue(label: "rollcall.backup")
    let backupsUnderWay = Mutex(0)

    private static let drainingSentence = "The server is shutting down; try again later."

    /// Loads everything that `store` holds, on the calling thread; a store that needs verification is then looked through on
    /// another, while reads are answered and mutations wait.
    ///
    /// - Parameters:
    ///   - now: the host's clock, which dates are given by.
    ///   - uptimeMicroseconds: the host's uptime, which ages are told by.
    /// - Throws: what the store throws, and `corrupt` where its rows contradict each other.
    package init(
        store: any DeviceStore,
        limits: Limits,
        logger: Logger,
        now: @escaping @Sendable () -> Timestamp = { .now },
        uptimeMicroseconds: @escaping @Sendable () -> Int64 = systemUptimeMicroseconds
    ) throws(StoreError) {
        let head = try store.head()
        let ages = AgeClock(hostTime: now(), lastBatch: head.time, uptimeMicroseconds: uptimeMicroseconds)
        var loader = IndexLoader(
            index: RegistryIndex(storeID: head.storeID, limits: limits), memory: RequestMemory(limits: limits),
            now: ages.now)
        try store.load(into: &loader)
        let lock = ReadWriteLock(loader.finish())
        let published = PublishedRevision(head.highWaterMarks.revision)
        let feed = ChangeFeed(head.highWaterMarks.revision, limits: limits)
        self.store = store
        self.feed = feed
        self.limits = limits
        self.storeID = head.storeID
        self.storeTag = Etag.storeTag(of: head.storeID)
        self.index = lock
        let needsVerification = store.needsVerification
        var queue = WriteQueue(limits: limits)
        if needsVerification { queue.hold() }
        self.queue = Mutex(queue)
        let storeState = PublishedStoreState(needsVerification ? .checking : .ready)
        self.publishedStoreState = storeState
        self.logger = logger
        self.publishedRevision = published
        self.clock = now
        self.writer = Writer(
            store: store, head: head, index: lock, memory: loader.memory, feed: feed, limits: limits, logger: logger,
            now: now, ages: ages, publishedState: storeState, didPublish: { published.store($0) })
        if needsVerification {
            self.verificationQueue.async { self.verifyStore() }
        }
    }

    /// The server's present time.
    package func now() -> Timestamp {
        self.clock()
    }

    /// Whether the store takes changes.
    package var storeState: ServerInfo.StoreState {
        self.publishedStoreState.load()
    }

    /// The revision of the last change that readers see.
    package var revision: Revision {
        self.publishedRevision.load()
    }

    /// Reads under the shared lock, on the calling thread.
    ///
    /// Nothing borrowed from the index may leave `body`, which holds up the writer while it runs and must not read again.
    package func read<Result, Failure: Error>(
        _ body: (borrowing RegistryIndex) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try self.index.withShared(body)
    }

    /// Queues a mutation for the writer.
    ///
    /// - Parameters:
    ///   - claim: asked once, when the writer takes the mutation; false means that the caller has given up, and then neither
    ///     anything changes nor `completion` is called.
    ///   - completion: called once, on the writer's thread; on the caller's for a refusal before queueing.
    package func submit(
        _ request: MutationRequest,
        claim: @escaping @Sendable () -> Bool = { true },
        completion: @escaping @Sendable (Result<MutationOutcome, RegistryError>) -> Void
    ) {
        self.submit(QueuedMutation(request: request, claim: claim, completion: completion))
    }

    /// Queues a mutation of a caller that has many: where the queue is half full it waits for its turn, rather than be
    /// refused or keep others from being queued.
    ///
    /// - Parameter queued: called once the mutation is in the queue, or refused because as many wait for their turn as
    ///   may; the caller's next one is then welcome.
    package func submitInTurn(
        _ request: MutationRequest,
        claim: @escaping @Sendable () -> Bool = { true },
        queued: @escaping @Sendable () -> Void = {},
        completion: @escaping @Sendable (Result<MutationOutcome, RegistryError>) -> Void
    ) {
        self.submit(QueuedMutation(request: request, claim: claim, completion: completion, queued: queued))
    }

    private func submit(_ mutation: QueuedMutation) {
        switch self.queue.withLock({ $0.submit(mutation) }) {
        case .queued:
            mutation.queued?()
        case .queuedFirst:
            self.writerQueue.async { self.carryOutNextGroup() }
            mutation.queued?()
        case .waiting:
            break
        case .refusedFull:
            mutation.completion(
                .failure(
                    RegistryError(
                        .resourceExhausted, .queueFull,
                        "The write queue is full: \(self.limits.writeQueueCallCountMax) calls or \(self.limits.writeQueueByteCountMax) bytes wait; try again later."
                    )))
            mutation.queued?()
        case .refusedDraining:
            mutation.completion(
                .failure(RegistryError(.unavailable, .draining, Self.drainingSentence)))
            mutation.queued?()
        }
    }

    /// Refuses new mutations, finishes those that wait, and closes the store. Blocks; a second call does nothing more.
    package func close() {
        let isFirst = self.queue.withLock { $0.drain() }
        self.endWatches()
        // What waits for the verification is refused, which is cut short.
        self.verificationQueue.sync {}
        self.writerQueue.sync {
            self.carryOutWaiting()
            if isFirst { self.feedQueue.sync { self.writer.close() } }
        }
    }

    /// Runs `body` on the writer's thread, between two groups.
    func onWriterQueue(_ body: @escaping @Sendable () -> Void) {
        self.writerQueue.async(execute: body)
    }

    /// Builds an index a step further, and tells whether that was the last one. On the writer's thread.
    func buildStep(_ wanted: WantedIndex) -> Bool {
        self.index.withExclusive { $0.buildStep(wanted) }
    }

    /// Looks the store through, then lets the mutations go that wait for it: to be carried out, or to be refused.
    private func verifyStore() {
        self.logger.notice("store.verification.started")
        let start = ContinuousClock.now
        do throws(StoreError) {
            try self.store.verify { !self.queue.withLock(\.isDraining) }
            self.publishedStoreState.store(.ready)
            let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
            self.logger.notice("store.verified", metadata: ["milliseconds": "\(Int(milliseconds))"])
        } catch {
            let isDraining = self.queue.withLock(\.isDraining)
            self.writerQueue.sync {
                isDraining ? self.writer.close(Self.drainingSentence) : self.writer.verificationFailed(error)
            }
        }
        if self.queue.withLock({ $0.release() }) {
            self.writerQueue.async { self.carryOutNextGroup() }
        }
    }

    /// Carries out a group, and lets whatever else the writer's thread has to do go before the next one.
    private func carryOutNextGroup() {
        let group = self.takeGroup()
        guard !group.isEmpty else { return }
        self.writer.carryOut(group)
        self.writerQueue.async { self.carryOutNextGroup() }
    }

    private func carryOutWaiting() {
        while true {
            let group = self.takeGroup()
            guard !group.isEmpty else { return }
            self.writer.carryOut(group)
        }
    }

    /// Takes the next group, and lets those into the queue whose turn it then is.
    private func takeGroup() -> [QueuedMutation] {
        let (group, admitted) = self.queue.withLock { queue in
            (queue.takeGroup(limits: self.limits), queue.admit())
        }
        for mutation in admitted { mutation.queued?() }
        return group
    }
}

/// How many processors this process may run on.
private func systemProcessorCount() -> Int {
    max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}

/// A revision that the writer sets and any thread reads.
private final class PublishedRevision: Sendable {
    private let value: Atomic<Int64>

    init(_ revision: Revision) {
        self.value = Atomic(revision.rawValue)
    }

    func load() -> Revision {
        Revision(rawValue: self.value.load(ordering: .acquiring))
    }

    func store(_ revision: Revision) {
        self.value.store(revision.rawValue, ordering: .releasing)
    }
}
