// Makes those who stream messages out wait while the connection's reader is behind.

internal import Synchronization

/// Lets messages through to a connection while its queued output is below a mark.
///
/// ## Concurrency
/// Tasks of any thread wait; the event loop opens and shuts. Continuations are resumed outside the lock.
package final class OutputGate: Sendable {
    private typealias Waiter = CheckedContinuation<Void, Never>

    private struct State {
        var isChannelWritable = true
        /// Let through, but not yet with the channel.
        var byteCount = 0
        var closedBy: Status?
        var waiters: [UInt64: Waiter] = [:]
        var nextWaiter: UInt64 = 0

        mutating func takeWaiters() -> [Waiter] {
            defer { self.waiters = [:] }
            return Array(self.waiters.values)
        }
    }

    private enum Admission {
        case admitted
        case closed(Status)
        case wait(UInt64)
    }

    private let byteCountMax: Int
    private let state = Mutex(State())

    /// - Parameter byteCountMax: how much may be on its way to the channel before others wait.
    package init(byteCountMax: Int) {
        self.byteCountMax = byteCountMax
    }

    /// Waits for room, then takes `byteCount` of it; one message may go beyond the mark.
    ///
    /// - Throws: the connection's last status when it is over, CANCELLED when the task is cancelled.
    package func admit(byteCount: Int) async throws(Status) {
        while true {
            let admission = self.state.withLock { state -> Admission in
                if let status = state.closedBy {
                    return .closed(status)
                }
                guard state.isChannelWritable, state.byteCount < self.byteCountMax else {
                    state.nextWaiter += 1
                    return .wait(state.nextWaiter)
                }
                state.byteCount += byteCount
                return .admitted
            }
            switch admission {
            case .admitted:
                return
            case .closed(let status):
                throw status
            case .wait(let id):
                guard !Task.isCancelled else {
                    throw .cancelled("The call is over.")
                }
                await self.wait(id)
            }
        }
    }

    private func wait(_ id: UInt64) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOver = self.state.withLock { state in
                    // Cancellation raises the flag before it looks for the waiter, so one of the two sees the other.
                    let mayPass = state.isChannelWritable && state.byteCount < self.byteCountMax
                    guard !Task.isCancelled, !mayPass, state.closedBy == nil else {
                        return true
                    }
                    state.waiters[id] = waiter
                    return false
                }
                if isOver {
                    waiter.resume()
                }
            }
        } onCancel: {
            self.state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }

    /// What was let through has reached the channel.
    package func release(byteCount: Int) {
        self.update { $0.byteCount -= byteCount }
    }

    /// The channel has become writable, or full.
    package func setChannelWritable(_ isWritable: Bool) {
        self.update { $0.isChannelWritable = isWritable }
    }

    /// Lets nothing through any more.
    package func close(_ status: Status) {
        self.update { $0.closedBy = $0.closedBy ?? status }
    }

    private func update(_ change: (inout State) -> Void) {
        let waiters = self.state.withLock { state -> [Waiter] in
            change(&state)
            let mayPass = state.isChannelWritable && state.byteCount < self.byteCountMax
            return mayPass || state.closedBy != nil ? state.takeWaiters() : []
        }
        for waiter in waiters {
            waiter.resume()
        }
    }
}
