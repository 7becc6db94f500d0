// How much stream input may wait for its readers.

internal import Synchronization

/// Counts what was read for streams and nobody has taken yet: for one stream, or for all of a connection.
///
/// ## Concurrency
/// The event loop adds, readers of any thread remove.
package final class InputBudget: Sendable {
    private struct State {
        var byteCount = 0
        var isExceeded = false
    }

    private let byteCountMax: Int
    private let whole: InputBudget?
    private let mayResume: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - whole: The budget that this one is a part of.
    ///   - mayResume: Told when, after too much was waiting, half of the bound is free again.
    package init(byteCountMax: Int, partOf whole: InputBudget? = nil, mayResume: @escaping @Sendable () -> Void) {
        self.byteCountMax = byteCountMax
        self.whole = whole
        self.mayResume = mayResume
    }

    /// What waits now.
    package var byteCount: Int {
        self.state.withLock { $0.byteCount }
    }

    /// Whether nothing more should be read at present.
    package var isExceeded: Bool {
        self.state.withLock { $0.isExceeded }
    }

    func add(byteCount: Int) {
        self.state.withLock { state in
            state.byteCount += byteCount
            state.isExceeded = state.isExceeded || state.byteCount > self.byteCountMax
        }
        self.whole?.add(byteCount: byteCount)
    }

    func remove(byteCount: Int) {
        let mayResume = self.state.withLock { state in
            state.byteCount -= byteCount
            guard state.isExceeded, state.byteCount <= self.byteCountMax / 2 else {
                return false
            }
            state.isExceeded = false
            return true
        }
        if mayResume {
            self.mayResume()
        }
        self.whole?.remove(byteCount: byteCount)
    }
}
