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
        /// A commit's outcome is unknown: the batch may or may not be stored. Nothing is written until the store was opened anew.
        case doubtful(MutationBatch)
        /// Another writer changed the store, or the store and the index differ: nothing is ever written again.
        case lost(String)
    }

    private struct Answer {
        let mutation: QueuedMutation
        let result: Result<MutationOutcome, RegistryError>
    }

    private let store: any DeviceStore
    private let index: ReadWriteLock<RegistryIndex>
    private let limits: Limits
    private let storeID: UUID
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let didPublish: @Sendable (Revision) -> Void
    private var sequence: Int64
    private var marks: HighWaterMarks
    private var memory: RequestMemory
    /// Releases that no device had when they were last looked at, and that the store still holds.
    private var unusedReleases: [(ReleaseID, ProjectID)] = []
    private var storeState = StoreState.open

    init(
        store: any DeviceStore,
        head: StoreHead,
        index: ReadWriteLock<RegistryIndex>,
        memory: RequestMemory,
        limits: Limits,
        logger: Logger,
        now: @escaping @Sendable () -> Timestamp,
        didPublish: @escaping @Sendable (Revision) -> Void
    ) {
        self.store = store
        self.index = index
        self.limits = limits
        self.storeID = head.storeID
        self.logger = logger
        self.now = now
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
            now: self.now(), storeTag: Etag.storeTag(of: self.storeID), limits: self.limits, marks: self.marks)
        self.reclaimReleases(&pending)
        let answers = self.evaluate(group, &pending)
        guard !pending.isEmpty else {
            for answer in answers { answer.mutation.completion(answer.result) }
            return
        }
        let batch = MutationBatch(
            sequence: self.sequence + 1, time: pending.now, changes: pending.changes, requests: pending.requests,
            highWaterMarks: pending.marks)
        do {
            try self.store.commit(batch)
        } catch {
            let refusal = self.commitFailed(error, batch)
            for answer in answers { answer.mutation.completion(.failure(refusal)) }
            return
        }
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
        self.index.withExclusive { index in
            for change in batch.changes {
                index.apply(change)
            }
            self.unusedReleases = index.takeUnusedReleases()
        }
        self.didPublish(batch.highWaterMarks.revision)
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
    private func commitFailed(_ error: StoreError, _ batch: MutationBatch) -> RegistryError {
        self.logger.error("store.commit.failed", metadata: ["error": "\(error)", "batch": "\(batch.sequence)"])
        switch error.code {
        case .unavailable:
            break
        case .outcomeUnknown, .failed:
            self.storeState = .doubtful(batch)
        case .conflict, .corrupt, .locked, .newerVersion:
            self.storeState = .lost(error.message)
        }
        return .storeUnavailable(error.message)
    }

    /// Opens the store anew where its state is in doubt.
    ///
    /// - Returns: the refusal to give where it takes no batches; nil where it does.
    private func refusalUnlessOpen() -> RegistryError? {
        switch self.storeState {
        case .open:
            return nil
        case .lost(let message):
            return .storeUnavailable(message)
        case .doubtful(let batch):
            do {
                let head = try self.store.reopen()
                self.settle(batch, head)
            } catch {
                self.logger.error("store.reopen.failed", metadata: ["error": "\(error)"])
                return .storeUnavailable(error.message)
            }
            guard case .lost(let message) = self.storeState else { return nil }
            return .storeUnavailable(message)
        }
    }

    /// Brings the index to where the reopened store stands: with the doubtful batch or without it.
    private func settle(_ batch: MutationBatch, _ head: StoreHead) {
        guard head.storeID == self.storeID else {
            self.storeState = .lost("The store was replaced by another one while it was open.")
            return
        }
        switch head.sequence {
        case batch.sequence:
            self.storeState = .open
            self.publish(batch)
        case batch.sequence - 1:
            self.storeState = .open
        default:
            self.storeState = .lost(
                "The store ends with batch \(head.sequence), and neither \(batch.sequence - 1) nor \(batch.sequence).")
        }
        self.logger.notice(
            "store.reopened", metadata: ["batch": "\(head.sequence)", "doubtful": "\(batch.sequence)"])
    }
}

extension RegistryError {
    fileprivate static func storeUnavailable(_ message: String) -> RegistryError {
        RegistryError(
            .unavailable, .storeUnavailable,
            "The store cannot commit, so whether the change took place is unknown; repeat it with the same request_id. \(message)"
        )
    }
}
