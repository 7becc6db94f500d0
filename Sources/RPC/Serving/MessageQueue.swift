// Messages that came in on a stream and wait for whoever reads it.

package import NIOCore
internal import Synchronization

/// One stream's messages in order, for one reader.
///
/// ## Concurrency
/// The event loop appends and ends; one task at a time reads.
package final class MessageQueue: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer
    package typealias Failure = Status

    /// What a queued message counts beyond its bytes, so that empty ones are bounded too.
    package static let messageOverheadByteCount = 64

    private struct State {
        var messages = CircularBuffer<ByteBuffer>(initialCapacity: 0)
        var isFinished = false
        var failure: Status?
        var waiter: CheckedContinuation<Void, Never>?

        mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
            defer { self.waiter = nil }
            return self.waiter
        }
    }

    private enum Next {
        case message(ByteBuffer)
        case finished
        case failed(Status)
        case wait
    }

    private let budget: InputBudget
    private let state = Mutex(State())

    package init(budget: InputBudget) {
        self.budget = budget
    }

    /// Why the call failed, if it did.
    package var failure: Status? {
        self.state.withLock { $0.failure }
    }

    /// Adds a message; dropped where the stream is over.
    package func append(_ message: ByteBuffer) {
        let byteCount = Self.cost(of: message)
        self.budget.add(byteCount: byteCount)
        let (isTaken, waiter) = self.state.withLock { state in
            guard !state.isFinished else {
                return (false, state.takeWaiter())
            }
            state.messages.append(message)
            return (true, state.takeWaiter())
        }
        if !isTaken {
            self.budget.remove(byteCount: byteCount)
        }
        waiter?.resume()
    }

    /// No message follows.
    ///
    /// - Parameter failure: How the call ended, where it ended badly; its reader is told after the messages that wait.
    package func finish(_ failure: Status? = nil) {
        self.state.withLock { state in
            state.isFinished = true
            state.failure = state.failure ?? failure
            return state.takeWaiter()
        }?.resume()
    }

    /// The call is over: what was not taken is dropped and the reader is told why. Only the first failure counts.
    package func fail(_ status: Status) {
        let (dropped, waiter) = self.state.withLock { state in
            let dropped = state.messages
            state.messages = CircularBuffer(initialCapacity: 0)
            state.isFinished = true
            state.failure = state.failure ?? status
            return (dropped, state.takeWaiter())
        }
        if !dropped.isEmpty {
            self.budget.remove(byteCount: dropped.reduce(0) { $0 + Self.cost(of: $1) })
        }
        waiter?.resume()
    }

    private static func cost(of message: ByteBuffer) -> Int {
        message.readableBytes + Self.messageOverheadByteCount
    }

    /// Takes the next message, waiting for it; nil after the last.
    ///
    /// - Throws: the status that ended the call, or CANCELLED when the reading task is cancelled.
    package func next() async throws(Status) -> ByteBuffer? {
        while true {
            let next = self.state.withLock { state -> Next in
                if let message = state.messages.popFirst() {
                    return .message(message)
                }
                if let failure = state.failure {
                    return .failed(failure)
                }
                return state.isFinished ? .finished : .wait
            }
            switch next {
            case .message(let message):
                self.budget.remove(byteCount: Self.cost(of: message))
                return message
            case .finished:
                return nil
            case .failed(let status):
                throw status
            case .wait:
                guard !Task.isCancelled else {
                    throw .cancelled("The reader of the stream was cancelled.")
                }
                await self.wait()
            }
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOver = self.state.withLock { state in
                    // Cancellation raises the flag before it looks for the waiter, so one of the two sees the other.
                    guard !Task.isCancelled, state.messages.isEmpty, !state.isFinished else {
                        return true
                    }
                    precondition(state.waiter == nil, "A stream has one reader at a time.")
                    state.waiter = waiter
                    return false
                }
                if isOver {
                    waiter.resume()
                }
            }
        } onCancel: {
            self.state.withLock { $0.takeWaiter() }?.resume()
        }
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let queue: MessageQueue

        package mutating func next() async throws(Status) -> ByteBuffer? {
            try await self.queue.next()
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(Status) -> ByteBuffer? {
            try await self.queue.next()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(queue: self)
    }
}
