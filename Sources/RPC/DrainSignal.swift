// How calls that last learn that the server is going away.

internal import Synchronization

/// Raised once, when a drain begins.
///
/// Whatever would outlast a drain looks at it, or waits for it, and ends by itself: what runs is otherwise left to
/// finish.
///
/// ## Concurrency
/// Any thread raises it and any task waits. Waiters are woken after the mutex is let go.
package final class DrainSignal: Sendable {
    private struct State {
        var isRaised = false
        /// Tasks that wait, each under a number of its own.
        var waiters: [UInt64: AsyncStream<Never>.Continuation] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Whether a drain has begun.
    package var isRaised: Bool {
        self.state.withLock { $0.isRaised }
    }

    /// Tasks that wait now.
    package var waiterCount: Int {
        self.state.withLock { $0.waiters.count }
    }

    /// Begins the drain; a second call does nothing more.
    package func raise() {
        let waiters = self.state.withLock { state in
            state.isRaised = true
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values {
            waiter.finish()
        }
    }

    /// Returns when a drain has begun, or the task is cancelled.
    package func raised() async {
        let (ending, continuation) = AsyncStream.makeStream(of: Never.self)
        let number = self.state.withLock { state -> UInt64? in
            guard !state.isRaised else { return nil }
            state.nextWaiter += 1
            state.waiters[state.nextWaiter] = continuation
            return state.nextWaiter
        }
        guard let number else { return }
        for await _ in ending {}
        self.state.withLock { _ = $0.waiters.removeValue(forKey: number) }
    }
}
