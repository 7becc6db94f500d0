// What waits for the writer, bounded in calls and bytes.

internal import DequeModule
internal import DeviceModel

/// One mutation that waits.
struct QueuedMutation: Sendable {
    let request: MutationRequest
    /// Asked once when the writer takes it; false means that the caller has given up.
    let claim: @Sendable () -> Bool
    let completion: @Sendable (Result<MutationOutcome, RegistryError>) -> Void
    /// Where there is one, the mutation waits for its turn while the queue is half full, and this is called once it is
    /// in the queue or refused.
    var queued: (@Sendable () -> Void)?
}

/// The queue's state; its owner keeps it behind a mutex.
///
/// Whoever has much to write hands in one mutation at a time, each of which waits for its turn: then half of the queue
/// is left to those who ask once and are refused where it is full. The turns are bounded as the queue is.
struct WriteQueue: Sendable {
    enum Submission: Equatable {
        /// Queued; the writer is awake and will come to it.
        case queued
        /// Queued; the writer must be woken.
        case queuedFirst
        /// Waits for its turn.
        case waiting
        case refusedFull
        case refusedDraining
    }

    private var waiting: Deque<QueuedMutation> = []
    private var byteCount = 0
    /// Those that wait for their turn; empty where nothing waits for the writer.
    private var inTurn: Deque<QueuedMutation> = []
    private var inTurnByteCount = 0
    private var isWriterAwake = false
    private(set) var isDraining = false
    private var countMax = 0
    private var refusedCount: Int64 = 0
    private let callCountMax: Int
    private let byteCountMax: Int

    init(limits: Limits) {
        self.callCountMax = limits.writeQueueCallCountMax
        self.byteCountMax = limits.writeQueueByteCountMax
    }

    mutating func submit(_ mutation: QueuedMutation) -> Submission {
        guard !self.isDraining else { return .refusedDraining }
        if mutation.queued != nil, !self.mayEnter(mutation) { return self.wait(mutation) }
        guard self.waiting.count < self.callCountMax,
            self.byteCount + mutation.request.byteCount <= self.byteCountMax
        else { return self.refuse() }
        self.waiting.append(mutation)
        self.byteCount += mutation.request.byteCount
        self.countMax = max(self.countMax, self.count)
        guard !self.isWriterAwake else { return .queued }
        self.isWriterAwake = true
        return .queuedFirst
    }

    /// Lets in those whose turn it is, which their owner then tells.
    mutating func admit() -> [QueuedMutation] {
        var admitted: [QueuedMutation] = []
        while let next = self.inTurn.first, self.mayEnter(next, isFirst: true) {
            self.inTurn.removeFirst()
            self.inTurnByteCount -= next.request.byteCount
            self.waiting.append(next)
            self.byteCount += next.request.byteCount
            admitted.append(next)
        }
        return admitted
    }

    private mutating func wait(_ mutation: QueuedMutation) -> Submission {
        guard self.inTurn.count < self.callCountMax,
            self.inTurnByteCount + mutation.request.byteCount <= self.byteCountMax
        else { return self.refuse() }
        self.inTurn.append(mutation)
        self.inTurnByteCount += mutation.request.byteCount
        self.countMax = max(self.countMax, self.count)
        return .waiting
    }

    private mutating func refuse() -> Submission {
        self.refusedCount += 1
        return .refusedFull
    }

    private var count: Int { self.waiting.count + self.inTurn.count }

    /// Tells how much waits, waited at most, and was refused.
    func report(to stats: inout ServerStats.Writer) {
        stats.queuedCallCount = Int64(self.count)
        stats.queuedCallCountMax = Int64(self.countMax)
        stats.queuedByteCount = Int64(self.byteCount + self.inTurnByteCount)
        stats.refusedCallCount = self.refusedCount
    }

    /// Whether a mutation that would wait for its turn need not.
    private func mayEnter(_ mutation: QueuedMutation, isFirst: Bool = false) -> Bool {
        guard isFirst || self.inTurn.isEmpty else { return false }
        // Always one, so that turns come however small the queue is.
        return self.waiting.isEmpty
            || self.waiting.count < self.callCountMax / 2
                && self.byteCount + mutation.request.byteCount <= self.byteCountMax / 2
    }

    /// Takes the next group in order of arrival, at least one call if any waits; an empty one puts the writer to sleep.
    mutating func takeGroup(limits: Limits) -> [QueuedMutation] {
        var group: [QueuedMutation] = []
        var byteCount = 0
        var rowCount = 0
        while let next = self.waiting.first, group.count < limits.groupCallCountMax {
            let rows = next.request.mutation.rowCount
            if !group.isEmpty,
                byteCount + next.request.byteCount > limits.groupByteCountMax
                    || rowCount + rows > limits.groupRowCountMax
            {
                break
            }
            byteCount += next.request.byteCount
            rowCount += rows
            group.append(self.waiting.removeFirst())
        }
        self.byteCount -= byteCount
        self.isWriterAwake = !group.isEmpty
        return group
    }

    /// Lets everything wait, as while the writer is busy, until ``release()``. Before anything was submitted.
    mutating func hold() {
        self.isWriterAwake = true
    }

    /// Lets what waits be taken; true where the writer must be woken for it.
    mutating func release() -> Bool {
        self.isWriterAwake = !self.waiting.isEmpty
        return self.isWriterAwake
    }

    /// Refuses what comes from now on; false where it did already.
    mutating func drain() -> Bool {
        defer { self.isDraining = true }
        return !self.isDraining
    }
}

extension Mutation {
    /// How many rows of the store it may change.
    fileprivate var rowCount: Int {
        switch self {
        case .checkIn(let checkIn): 1 + checkIn.attributes.count
        case .updateAttributes(let update): 1 + update.updates.count
        case .importDevices(let devices): devices.rowCount
        case .createDevices(let batch): batch.entries.count
        case .updateDevices(let batch): batch.entries.count
        case .deleteDevices(let batch): batch.entries.count
        case .purgeDevices(_, let step): step.ids.count
        default: 1
        }
    }
}
