// A store that fails on command and commits when it is told to.

package import DeviceModel
package import DeviceStore
internal import Dispatch
internal import Synchronization

/// Passes everything on to another store, but for the faults that a test orders.
///
/// ## Concurrency
/// Tests order faults, hold and release from any thread; commits come from the registry's writer.
package final class FailingStore<Base: DeviceStore>: DeviceStore {
    /// What goes wrong with a commit.
    package enum Fault: Hashable, Sendable {
        /// Nothing is written; later batches may succeed.
        case unavailable
        /// Nobody can say what became of the batch, though the test can: it landed, or it did not. Until
        /// ``reopen()`` every
        /// further commit fails likewise.
        case outcomeUnknown(isLanded: Bool)
        /// Another writer was first.
        case conflict
        /// The store is found to be damaged.
        case corrupt
    }

    /// What comes of a verification.
    private enum Verification {
        case notNeeded
        case underWay
        case over(StoreError?)
    }

    private struct State {
        /// What goes wrong with the commits to come; nil for one that succeeds.
        var faults: [Fault?] = []
        var reopenFailureCount = 0
        var snapshotFailureCount = 0
        var isUnsettled = false
        var isClosed = false
        var verification = Verification.notNeeded
        var isHolding = false
        /// One for each commit that is held.
        var gates: [DispatchSemaphore] = []
        var waiters: [CheckedContinuation<Void, Never>] = []
        var committed: [MutationBatch] = []
    }

    /// The store that holds the state.
    package let base: Base
    private let state = Mutex(State())
    private let verificationGate = DispatchSemaphore(value: 0)

    package init(_ base: Base) {
        self.base = base
    }

    // MARK: Orders

    /// Lets the next `count` commits fail, once `successCount` others have succeeded.
    package func fail(_ fault: Fault, next count: Int = 1, after successCount: Int = 0) {
        self.state.withLock {
            $0.faults += Array(repeating: nil, count: successCount) + Array(repeating: fault, count: count)
        }
    }

    /// Lets the next `count` reopenings fail.
    package func failReopenings(next count: Int) {
        self.state.withLock { $0.reopenFailureCount = count }
    }

    /// Lets the store ask for a verification, which goes on until ``endVerification(_:)`` or until it is cut short.
    package func requireVerification() {
        self.state.withLock { $0.verification = .underWay }
    }

    /// Ends the verification, with an error where there is one.
    package func endVerification(_ error: StoreError? = nil) {
        self.state.withLock { $0.verification = .over(error) }
        self.verificationGate.signal()
    }

    /// Lets the next `count` snapshots fail, as on a full disk.
    package func failSnapshots(next count: Int) {
        self.state.withLock { $0.snapshotFailureCount = count }
    }

    /// Keeps every commit from now on waiting until ``release()``.
    package func hold() {
        self.state.withLock { $0.isHolding = true }
    }

    /// Waits until a commit is held.
    package func heldCommit() async {
        await withCheckedContinuation { continuation in
            let isHeld = self.state.withLock { state in
                if !state.gates.isEmpty { return true }
                state.waiters.append(continuation)
                return false
            }
            if isHeld { continuation.resume() }
        }
    }

    /// Lets the held commits, and all later ones, go on.
    package func release() {
        let gates = self.state.withLock { state in
            state.isHolding = false
            defer { state.gates = [] }
            return state.gates
        }
        for gate in gates { gate.signal() }
    }

    /// The batches that landed, in order.
    package var committed: [MutationBatch] {
        self.state.withLock { $0.committed }
    }

    /// Whether the store was closed.
    package var isClosed: Bool {
        self.state.withLock { $0.isClosed }
    }

    // MARK: DeviceStore

    package func head() throws(StoreError) -> StoreHead {
        try self.base.head()
    }

    package func load(into loader: inout some StoreLoader) throws(StoreError) {
        try self.base.load(into: &loader)
    }

    package var needsVerification: Bool {
        self.state.withLock { state in
            if case .notNeeded = state.verification { return self.base.needsVerification }
            return true
        }
    }

    package func verify(while isWanted: @escaping @Sendable () -> Bool) throws(StoreError) {
        while case .underWay = self.state.withLock({ $0.verification }) {
            guard isWanted() else { throw StoreError(.failed, "the verification of the test's store was cut short") }
            _ = self.verificationGate.wait(timeout: .now() + .milliseconds(1))
        }
        if case .over(let error?) = self.state.withLock({ $0.verification }) { throw error }
        try self.base.verify(while: isWanted)
    }

    package func commit(_ batch: MutationBatch) throws(StoreError) {
        self.waitWhileHeld()
        if self.state.withLock({ $0.isUnsettled }) { throw Self.unknown }
        let fault = self.state.withLock { $0.faults.isEmpty ? nil : $0.faults.removeFirst() }
        switch fault {
        case nil:
            try self.land(batch)
        case .unavailable:
            throw StoreError(.unavailable, "the test's store takes no change for now")
        case .conflict:
            throw StoreError(.conflict, "the test's store has had another writer")
        case .corrupt:
            throw StoreError(.corrupt, "the test's store is damaged")
        case .outcomeUnknown(let isLanded):
            if isLanded { try self.land(batch) }
            self.state.withLock { $0.isUnsettled = true }
            throw Self.unknown
        }
    }

    package func reopen() throws(StoreError) -> StoreHead {
        let isFailing = self.state.withLock { state in
            guard state.reopenFailureCount > 0 else { return false }
            state.reopenFailureCount -= 1
            return true
        }
        if isFailing { throw StoreError(.failed, "the test's store cannot be opened for now") }
        let head = try self.base.reopen()
        self.state.withLock { $0.isUnsettled = false }
        return head
    }

    package func changes(
        after first: Revision, through last: Revision, of devices: Set<DeviceID>?
    ) throws(StoreError) -> [DeviceChange] {
        try self.base.changes(after: first, through: last, of: devices)
    }

    package func feedStart() throws(StoreError) -> Revision {
        try self.base.feedStart()
    }

    package func retiredNames(
        releases: Set<ReleaseID>, cohorts: Set<CohortID>
    ) throws(StoreError) -> RetiredNames {
        try self.base.retiredNames(releases: releases, cohorts: cohorts)
    }

    package func retirement(ofProject slug: String) throws(StoreError) -> Revision? {
        try self.base.retirement(ofProject: slug)
    }

    package func snapshot(while isWanted: () -> Bool) throws(StoreError) -> StoreSnapshot? {
        let isFailing = self.state.withLock { state in
            guard state.snapshotFailureCount > 0 else { return false }
            state.snapshotFailureCount -= 1
            return true
        }
        if isFailing { throw StoreError(.unavailable, "no space for a copy of the test's store; free some") }
        return try self.base.snapshot(while: isWanted)
    }

    package var stats: ServerStats.Store {
        self.base.stats
    }

    package func close() {
        self.state.withLock { $0.isClosed = true }
        self.base.close()
    }

    private static var unknown: StoreError {
        StoreError(.outcomeUnknown, "nobody knows what became of the change in the test's store")
    }

    private func land(_ batch: MutationBatch) throws(StoreError) {
        try self.base.commit(batch)
        self.state.withLock { $0.committed.append(batch) }
    }

    private func waitWhileHeld() {
        let (gate, waiters) = self.state.withLock { state -> (DispatchSemaphore?, [CheckedContinuation<Void, Never>]) in
            guard state.isHolding else { return (nil, []) }
            let gate = DispatchSemaphore(value: 0)
            state.gates.append(gate)
            defer { state.waiters = [] }
            return (gate, state.waiters)
        }
        for waiter in waiters { waiter.resume() }
        gate?.wait()
    }
}
