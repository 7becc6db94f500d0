// The one writer: checks a group against the committed state, makes it durable, publishes it, then answers.

internal import DeviceModel
internal import DeviceQuery
internal import DeviceStore
internal import FoundationEssentials
internal import Logging

/// Carries out groups of mutations, one group at a time.
///
/// ## Concurrency
/// Every method is called on the registry's writer queue, which is serial; that is what makes `@unchecked Sendable` true.
final class Writer: @unchecked Sendable {
    /// Whether the store takes batches.
    private enum StoreState {
        case open
        /// A commit's outcome is unknown, or another writer was first: nothing is written until the store was opened anew.
        case doubtful(Doubt)
        /// Nothing is ever written to it, as the sentence says: it is damaged, or another has taken its place.
        case closed(String)
    }

    private enum Doubt {
        /// The batch may or may not be stored.
        case batch(MutationBatch)
        /// The index may differ from the store in any way.
        case everything
    }

    private struct Answer {
        let mutation: QueuedMutation
        let result: Result<MutationOutcome, RegistryError>
    }

    private let store: any DeviceStore
    private let index: ReadWriteLock<RegistryIndex>
    private let feed: ChangeFeed
    private let limits: Limits
    private let storeID: UUID
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private var ages: AgeClock
    private let didPublish: @Sendable (Revision) -> Void
    private var sequence: Int64
    private var marks: HighWaterMarks
    private var memory: RequestMemory
    /// Releases that no device had when they were last looked at, and that the store still holds.
    private var unusedReleases: [(ReleaseID, ProjectID)] = []
    private var storeState = StoreState.open
    /// Whether the last batch was refused by the store, which is logged once.
    private var isFailing = false
    private let publishedState: PublishedStoreState
    let meter = WriterMeter()

    init(
        store: any DeviceStore,
        head: StoreHead,
        index: ReadWriteLock<RegistryIndex>,
        memory: RequestMemory,
        feed: ChangeFeed,
        limits: Limits,
        logger: Logger,
        now: @escaping @Sendable () -> Timestamp,
        ages: AgeClock,
        publishedState: PublishedStoreState,
        didPublish: @escaping @Sendable (Revision) -> Void
    ) {
        self.store = store
        self.index = index
        self.feed = feed
        self.limits = limits
        self.storeID = head.storeID
        self.logger = logger
        self.now = now
        self.ages = ages
        self.publishedState = publishedState
        self.didPublish = didPublish
        self.sequence = head.sequence
        self.marks = head.highWaterMarks
        self.memory = memory
    }

    /// Answers every mutation of `group` whose caller still waits, after what it changed is durable and visible.
    func carryOut(_ group: [QueuedMutation]) {
        if let refusal = self.refusalUnlessOpen() {
            for mutation in group where mutation.claim() {
                mutation.completion(.failure(refusal))
            }
            return
        }
        var pending = PendingGroup(
            now: self.now(), age: self.ages.now, storeTag: Etag.storeTag(of: self.storeID), limits: self.limits,
            marks: self.marks)
        self.reclaimReleases(&pending)
        self.meter.groupTaken(callCount: group.count)
        let answers = self.evaluate(group, &pending)
        guard !pending.isEmpty else {
            for answer in answers { answer.mutation.completion(answer.result) }
            return
        }
        let batch = MutationBatch(
            sequence: self.sequence + 1, time: pending.age, changes: pending.changes, requests: pending.requests,
            highWaterMarks: pending.marks)
        let start = ContinuousClock.now
        do {
            try self.store.commit(batch)
            self.meter.committed(since: start)
        } catch {
            self.meter.commitFailed()
            let refusal = self.commitFailed(error, batch)
            for answer in answers { answer.mutation.completion(.failure(refusal)) }
            return
        }
        self.commitSucceeded()
        self.publish(batch)
        for answer in answers { answer.mutation.completion(answer.result) }
    }

    /// Lets go of the store.
    func close() {
        self.store.close()
    }

    /// Evaluates each mutation in turn; a verdict that rests on committed state alone is given at once.
    ///
    /// - Returns: the answers that must wait for the commit.
    private func evaluate(_ group: [QueuedMutation], _ pending: inout PendingGroup) -> [Answer] {
        self.index.withWriterView { index in
            var answers: [Answer] = []
            answers.reserveCapacity(group.count)
            for mutation in group where mutation.claim() {
                pending.beginCall()
                let changeCount = pending.changes.count
                let requestCount = pending.requests.count
                let result: Result<MutationOutcome, RegistryError>
                do throws(RegistryError) {
                    result = .success(try pending.evaluate(mutation.request, index, self.memory))
                } catch {
                    result = .failure(error)
                }
                let hasChanged = pending.changes.count > changeCount || pending.requests.count > requestCount
                if hasChanged || pending.hasTouchedPending {
                    answers.append(Answer(mutation: mutation, result: result))
                } else {
                    mutation.completion(result)
                }
            }
            return answers
        }
    }

    private func publish(_ batch: MutationBatch) {
        self.sequence = batch.sequence
        self.marks = batch.highWaterMarks
        for request in batch.requests {
            self.memory.remember(request, now: batch.time)
        }
        let watched = self.takeDown(batch)
        self.index.withExclusive { index in
            for change in batch.changes {
                index.apply(change)
            }
            self.unusedReleases = index.takeUnusedReleases()
            // Within the hold, so that whoever reads knows of which revision.
            self.didPublish(batch.highWaterMarks.revision)
        }
        self.feed.publish(watched, through: batch.highWaterMarks.revision)
    }

    /// What the batch changes, for those who watch; nil where nobody does.
    private func takeDown(_ batch: MutationBatch) -> WatchedBatch? {
        switch self.feed.demand {
        case .nothing: nil
        case .devices: self.index.withWriterView { WatchedBatch(batch, withAttributes: false, $0) }
        case .devicesWithAttributes: self.index.withWriterView { WatchedBatch(batch, withAttributes: true, $0) }
        }
    }

    /// Deletes releases that the last groups left without a device.
    private func reclaimReleases(_ pending: inout PendingGroup) {
        guard !self.unusedReleases.isEmpty else { return }
        self.index.withWriterView { index in
            for (release, project) in self.unusedReleases
            where index.project(id: project) != nil && index.release(id: release, in: project) != nil
                && index.deviceCount(withRelease: release, in: project) == 0
            {
                pending.deleteUnusedRelease(release, in: project)
            }
        }
    }
}

// MARK: - Store faults

extension Writer {
    /// The store could not be looked through before its first batch, or it is damaged: it takes none. Reads go on.
    func verificationFailed(_ error: StoreError) {
        self.logger.error("store.verification.failed", metadata: ["error": "\(error)"])
        self.close(self.sentence(for: error))
    }

    /// Refuses every change from now on, in these words.
    func close(_ sentence: String) {
        self.storeState = .closed(sentence)
        self.publishedState.store(.closed(reason: sentence))
    }

    private func sentence(for error: StoreError) -> String {
        error.code == .corrupt
            ? "The store is damaged and takes no changes, and nothing was changed: \(error.message)."
            : "The store was not closed properly and could not be checked, and nothing was changed: \(error.message); "
                + "restart the server."
    }

    private func commitSucceeded() {
        guard self.isFailing else { return }
        self.isFailing = false
        self.publishedState.store(.ready)
        self.logger.notice("store.commit.recovered")
    }

    private func commitFailed(_ error: StoreError, _ batch: MutationBatch) -> RegistryError {
        self.failed("store.commit.failed", error)
        switch error.code {
        case .unavailable:
            return .storeUnavailable("The store could not take the change, and nothing was changed: \(error.message).")
        case .conflict:
            self.storeState = .doubtful(.everything)
            return .storeUnavailable("Another writer was first, and nothing was changed: \(error.message).")
        case .corrupt:
            self.close(self.sentence(for: error))
            return .storeUnavailable(self.sentence(for: error))
        case .outcomeUnknown, .locked, .newerVersion, .failed:
            self.storeState = .doubtful(.batch(batch))
            return .storeUnavailable(
                "Whether the change took place is unknown; repeat it with the same request_id: \(error.message).")
        }
    }

    /// Tells of a failure: in the log once, until the store takes changes again.
    private func failed(_ event: Logger.Message, _ error: StoreError) {
        self.publishedState.store(.failing(reason: "\(error.message)."))
        self.logger.log(level: self.isFailing ? .debug : .error, event, metadata: ["error": "\(error)"])
        self.isFailing = true
    }

    /// Opens the store anew where its state is in doubt.
    ///
    /// - Returns: the refusal to give where it takes no batches; nil where it does.
    private func refusalUnlessOpen() -> RegistryError? {
        switch self.storeState {
        case .open:
            return nil
        case .closed(let sentence):
            return .storeUnavailable(sentence)
        case .doubtful(let doubt):
            do throws(StoreError) {
                try self.settle(doubt, try self.store.reopen())
            } catch {
                self.failed("store.reopen.failed", error)
                if error.code == .corrupt { self.close(self.sentence(for: error)) }
                return .storeUnavailable("The store takes no changes now, and nothing was changed: \(error.message).")
            }
        }
        guard case .closed(let sentence) = self.storeState else { return nil }
        return .storeUnavailable(sentence)
    }

    /// Brings the index to where the reopened store stands.
    private func settle(_ doubt: Doubt, _ head: StoreHead) throws(StoreError) {
        guard head.storeID == self.storeID else {
            self.close(
                "Another store has taken the place of the one that was open, and nothing was changed; restart the server."
            )
            self.logger.critical("store.replaced", metadata: ["found": "\(head.storeID)", "known": "\(self.storeID)"])
            return
        }
        if case .batch(let batch) = doubt, head.sequence == batch.sequence {
            self.publish(batch)
        } else if case .batch(let batch) = doubt, head.sequence == batch.sequence - 1 {
            // The batch is not stored, and the index never saw it.
        } else {
            self.ages.reach(head.time)
            try self.reload(head)
        }
        self.storeState = .open
        self.logger.notice("store.reopened", metadata: ["batch": "\(head.sequence)"])
    }

    /// Reads everything again and puts it in the place of what readers see.
    private func reload(_ head: StoreHead) throws(StoreError) {
        var loader = IndexLoader(
            index: RegistryIndex(storeID: self.storeID, limits: self.limits),
            memory: RequestMemory(limits: self.limits), now: self.ages.now)
        try self.store.load(into: &loader)
        self.sequence = head.sequence
        self.marks = head.highWaterMarks
        self.memory = loader.memory
        let index = loader.finish()
        self.unusedReleases = []
        self.index.replace(with: index) { self.didPublish(head.highWaterMarks.revision) }
        self.feed.reset(through: head.highWaterMarks.revision)
    }
}

extension RegistryError {
    fileprivate static func storeUnavailable(_ message: String) -> RegistryError {
        RegistryError(.unavailable, .storeUnavailable, message)
    }
}
