// How far an import may be ahead of what the server has dealt with.

internal import Synchronization

/// Lets a sender be a bounded number of items ahead of the server's word.
///
/// ## Concurrency
/// One task waits, another one moves the window on.
final class ImportWindow: Sendable {
    fileprivate struct State {
        var sentCount: Int64 = 0
        var acceptedThrough: Int64 = 0
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let countMax: Int64
    private let state = Mutex(State())

    init(countMax: Int64) {
        self.countMax = countMax
    }

    /// Waits until items may be sent, and counts `count` of them as sent.
    func send(_ count: Int) async throws(CancellationError) {
        while true {
            let mayPass = self.state.withLock { state in
                guard state.sentCount - state.acceptedThrough < self.countMax else { return false }
                state.sentCount += Int64(count)
                return true
            }
            if mayPass { return }
            guard !Task.isCancelled else { throw CancellationError() }
            await self.wait()
        }
    }

    func accepted(through position: Int64) {
        self.state.withLock { state in
            state.acceptedThrough = position
            return state.takeWaiter()
        }?.resume()
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOver = self.state.withLock { state in
                    // Cancellation raises the flag before it looks for the waiter, so one of the two sees the other.
                    guard !Task.isCancelled, state.sentCount - state.acceptedThrough >= self.countMax else {
                        return true
                    }
                    state.waiter = waiter
                    return false
                }
                if isOver { waiter.resume() }
            }
        } onCancel: {
            self.state.withLock { $0.takeWaiter() }?.resume()
        }
    }
}

extension ImportWindow.State {
    fileprivate mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
        defer { self.waiter = nil }
        return self.waiter
    }
}
