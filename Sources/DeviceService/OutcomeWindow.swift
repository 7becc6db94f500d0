// What a stream has under way at the writer: answered in order, bounded in number.

internal import NIOCore
internal import RPC
internal import Synchronization

/// The parts of one stream that are not answered yet, in the order in which they came.
///
/// ## Concurrency
/// One task begins parts, another one takes their outcomes; these come from any thread. Tasks are resumed after the
/// mutex is let go.
final class OutcomeWindow<Outcome: Sendable>: Sendable {
    fileprivate struct State {
        /// From the first one that is not taken; nil where the outcome is not known yet.
        var outcomes = CircularBuffer<Outcome?>()
        /// The position of the last one that was taken.
        var takenPosition: Int64 = 0
        var ending: Ending?
        /// Whether an outcome has come that leaves no use for what was begun after it.
        var hasLastOutcome = false
        /// Waits for room.
        var beginner: CheckedContinuation<Void, Never>?
        /// Waits for an outcome.
        var taker: CheckedContinuation<Void, Never>?

        mutating func takeTasks() -> [CheckedContinuation<Void, Never>] {
            defer { (self.beginner, self.taker) = (nil, nil) }
            return [self.beginner, self.taker].compactMap { $0 }
        }
    }

    fileprivate enum Ending {
        /// Nothing is begun any more; what is under way is taken, and then comes this failure, if there is one.
        case finished(Status?)
        /// Nobody takes outcomes any more.
        case closed
    }

    fileprivate enum Next {
        case wait
        case outcome(Int64, Outcome)
        case end(Status?)
    }

    private let countMax: Int
    private let isLast: @Sendable (Outcome) -> Bool
    private let state = Mutex(State())

    /// - Parameters:
    ///   - countMax: how many may be under way, at least 1.
    ///   - isLast: whether an outcome leaves no use for what was begun after it.
    init(countMax: Int, isLast: @escaping @Sendable (Outcome) -> Bool = { _ in false }) {
        self.countMax = countMax
        self.isLast = isLast
    }

    /// Whether what is under way is still to be carried out.
    var isOpen: Bool {
        self.state.withLock { state in
            if case .closed? = state.ending { false } else { !state.hasLastOutcome }
        }
    }

    /// Begins a part once there is room for it, and gives its position; nil where the window is closed.
    func begin() async -> Int64? {
        while true {
            let (position, isClosed) = self.state.withLock { state -> (Int64?, Bool) in
                guard state.ending == nil else { return (nil, true) }
                guard state.outcomes.count < self.countMax else { return (nil, false) }
                state.outcomes.append(nil)
                return (state.takenPosition + Int64(state.outcomes.count), false)
            }
            if isClosed { return nil }
            if let position { return position }
            await self.wait(\.beginner) { $0.outcomes.count < self.countMax || $0.ending != nil }
        }
    }

    /// Takes note of what became of a part.
    func complete(_ position: Int64, _ outcome: Outcome) {
        let isLast = self.isLast(outcome)
        self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.hasLastOutcome = state.hasLastOutcome || isLast
            let offset = Int(position - state.takenPosition) - 1
            // What was under way when the window closed is nobody's business any more.
            guard offset < state.outcomes.count else { return nil }
            state.outcomes[state.outcomes.index(state.outcomes.startIndex, offsetBy: offset)] = outcome
            guard offset == 0 else { return nil }
            defer { state.taker = nil }
            return state.taker
        }?.resume()
    }

    /// Nothing is begun any more.
    ///
    /// - Parameter failure: what the taker is told after the last outcome.
    func finish(_ failure: Status? = nil) {
        self.end(.finished(failure))
    }

    /// Nobody takes outcomes any more.
    func close() {
        self.end(.closed)
    }

    /// Takes the next outcome once it is known; nil after the last one.
    ///
    /// - Throws: the failure that the window ended with.
    func next() async throws(Status) -> (position: Int64, outcome: Outcome)? {
        while true {
            let (next, beginner) = self.state.withLock { $0.takeNext() }
            beginner?.resume()
            switch next {
            case .outcome(let position, let outcome): return (position, outcome)
            case .end(let failure?): throw failure
            case .end(nil): return nil
            case .wait: await self.wait(\.taker) { $0.hasNext }
            }
        }
    }

    private func end(_ ending: Ending) {
        let tasks = self.state.withLock { state in
            switch (state.ending, ending) {
            case (.closed?, _), (.finished?, .finished): break
            case (_, .closed):
                state.ending = ending
                state.outcomes = CircularBuffer()
            case (nil, .finished): state.ending = ending
            }
            return state.takeTasks()
        }
        for task in tasks { task.resume() }
    }

    private func wait(
        _ task: WritableKeyPath<State, CheckedContinuation<Void, Never>?>, until isOver: (State) -> Bool
    ) async {
        await withCheckedContinuation { continuation in
            let isOver = self.state.withLock { state in
                if isOver(state) { return true }
                precondition(state[keyPath: task] == nil, "A window has one task at each of its ends.")
                state[keyPath: task] = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}

extension OutcomeWindow.State {
    fileprivate var hasNext: Bool {
        if case .some(.some) = self.outcomes.first { return true }
        return self.ending != nil && self.outcomes.isEmpty
    }

    fileprivate mutating func takeNext() -> (OutcomeWindow.Next, beginner: CheckedContinuation<Void, Never>?) {
        if case .some(.some(let outcome)) = self.outcomes.first {
            self.outcomes.removeFirst()
            self.takenPosition += 1
            defer { self.beginner = nil }
            return (.outcome(self.takenPosition, outcome), self.beginner)
        }
        guard self.outcomes.isEmpty, let ending = self.ending else { return (.wait, nil) }
        if case .finished(let failure) = ending { return (.end(failure), nil) }
        return (.end(nil), nil)
    }
}
