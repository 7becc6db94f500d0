// What waits for the writer, bounded in calls and bytes.

internal import DequeModule
internal import DeviceModel

/// One mutation that waits.
struct QueuedMutation: Sendable {
    let request: MutationRequest
    /// Asked once when the writer takes it; false means that the caller has given up.
    let claim: @Sendable () -> Bool
    let completion: @Sendable (Result<MutationOutcome, RegistryError>) -> Void
}

/// The queue's state; its owner keeps it behind a mutex.
struct WriteQueue: Sendable {
    enum Submission: Equatable {
        /// Queued; the writer is awake and will come to it.
        case queued
        /// Queued; the writer must be woken.
        case queuedFirst
        case refusedFull
        case refusedDraining
    }

    private var waiting: Deque<QueuedMutation> = []
    private var byteCount = 0
    private var isWriterAwake = false
    private var isDraining = false
    private let callCountMax: Int
    private let byteCountMax: Int

    init(limits: Limits) {
        self.callCountMax = limits.writeQueueCallCountMax
        self.byteCountMax = limits.writeQueueByteCountMax
    }

    mutating func submit(_ mutation: QueuedMutation) -> Submission {
        guard !self.isDraining else { return .refusedDraining }
        guard self.waiting.count < self.callCountMax,
            self.byteCount + mutation.request.byteCount <= self.byteCountMax
        else { return .refusedFull }
        self.waiting.append(mutation)
        self.byteCount += mutation.request.byteCount
        guard !self.isWriterAwake else { return .queued }
        self.isWriterAwake = true
        return .queuedFirst
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
        default: 1
        }
    }
}
