// The chunks of an import on their way through the writer.

internal import DeviceRegistry
internal import Synchronization

/// A chunk that the writer has, or had.
///
/// ## Concurrency
/// The writer's thread gives the result; one task waits for it.
final class PendingChunk: Sendable {
    private struct State {
        var result: Result<MutationOutcome, RegistryError>?
        var waiter: CheckedContinuation<Void, Never>?
        var isAbandoned = false
    }

    /// What became of a chunk's items.
    struct Outcome {
        var outcome: ImportOutcome
        /// Those that the writer never saw included, by position.
        var failures: [ImportOutcome.Failure]
        var lastPosition: Int64
    }

    private let refusals: [ImportOutcome.Failure]
    private let lastPosition: Int64
    private let state = Mutex(State())

    init(refusals: [ImportOutcome.Failure], lastPosition: Int64) {
        self.refusals = refusals
        self.lastPosition = lastPosition
    }

    func fulfil(_ result: Result<MutationOutcome, RegistryError>) {
        self.update { $0.result = result }
    }

    /// Waits no longer: nobody will give a result.
    func abandon() {
        self.update { $0.isAbandoned = true }
    }

    /// Waits for the result.
    ///
    /// - Throws: `RegistryError` where the chunk as a whole was refused; `CancellationError`.
    func outcome() async throws -> Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOver = self.state.withLock { state in
                    guard state.result == nil, !state.isAbandoned else { return true }
                    state.waiter = waiter
                    return false
                }
                if isOver { waiter.resume() }
            }
        } onCancel: {
            self.abandon()
        }
        guard let result = self.state.withLock({ $0.result }) else { throw CancellationError() }
        guard case .imported(let outcome) = try result.get() else {
            preconditionFailure("An import answers what became of its items.")
        }
        let failures = (outcome.failures + self.refusals).sorted { $0.position < $1.position }
        return Outcome(outcome: outcome, failures: failures, lastPosition: self.lastPosition)
    }

    private func update(_ change: (inout State) -> Void) {
        self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            change(&state)
            defer { state.waiter = nil }
            return state.waiter
        }?.resume()
    }
}

/// Chunks in the order in which the writer gets them, with room for a few.
///
/// ## Concurrency
/// One task enters and appends, another one takes; any thread ends the line. Continuations are resumed outside the lock.
final class ChunkLine: Sendable {
    private struct State {
        var count = 0
        var isEnded = false
        var hasFailed = false
        var roomWaiter: CheckedContinuation<Void, Never>?
    }

    private let countMax: Int
    private let state = Mutex(State())
    private let chunks: AsyncThrowingStream<PendingChunk, any Error>
    private let continuation: AsyncThrowingStream<PendingChunk, any Error>.Continuation

    /// - Parameter countMax: how many chunks may be on their way.
    init(countMax: Int) {
        self.countMax = countMax
        (self.chunks, self.continuation) = AsyncThrowingStream.makeStream()
    }

    // MARK: Filling

    /// Waits for room for a chunk, and takes it.
    ///
    /// - Throws: `CancellationError` when the line has ended.
    func enter() async throws(CancellationError) {
        await withCheckedContinuation { waiter in
            let mayPass = self.state.withLock { state in
                guard state.count >= self.countMax, !state.isEnded else { return true }
                state.roomWaiter = waiter
                return false
            }
            if mayPass { waiter.resume() }
        }
        let isEnded = self.state.withLock { state in
            state.count += 1
            return state.isEnded
        }
        if isEnded { throw CancellationError() }
    }

    func append(_ chunk: PendingChunk) {
        self.continuation.yield(chunk)
    }

    /// No chunk follows, because of `error` if there is one.
    func finish(throwing error: (any Error)? = nil) {
        self.continuation.finish(throwing: error)
    }

    // MARK: Emptying

    /// The next chunk, in the order in which they were appended; nil after the last.
    ///
    /// - Throws: what the line was finished with, after its last chunk.
    func next() async throws -> PendingChunk? {
        var iterator = self.chunks.makeAsyncIterator()
        return try await iterator.next()
    }

    /// A chunk has been dealt with.
    func leave() {
        self.update { $0.count -= 1 }
    }

    /// Nobody takes chunks any more: those that the writer has not begun are dropped, and nobody enters.
    func end() {
        self.update { $0.isEnded = true }
    }

    /// A chunk was refused as a whole: those after it are dropped.
    func failed() {
        self.state.withLock { $0.hasFailed = true }
    }

    /// Whether the writer is to take a chunk.
    var isWanted: Bool {
        self.state.withLock { !$0.isEnded && !$0.hasFailed }
    }

    private func update(_ change: (inout State) -> Void) {
        self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            change(&state)
            defer { state.roomWaiter = nil }
            return state.roomWaiter
        }?.resume()
    }
}
