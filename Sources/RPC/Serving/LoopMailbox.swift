// The way from any thread onto a connection's event loop: many letters, one hop.

package import NIOCore
internal import Synchronization

/// Collects items for an event loop, which is woken once for all that come in until it looks.
///
/// ## Concurrency
/// Any thread posts. The receiver runs on the event loop only, as its loop-bound box enforces.
package final class LoopMailbox<Item: Sendable>: Sendable {
    private struct State {
        var items: [Item] = []
        var receiver: NIOLoopBound<Receiver>?
        var isClosed = false
    }

    /// A class, so that a copy of the box keeps nothing of the handler but this reference.
    final class Receiver {
        let itemsArrived: () -> Void

        init(_ itemsArrived: @escaping () -> Void) {
            self.itemsArrived = itemsArrived
        }
    }

    package let eventLoop: any EventLoop
    private let state = Mutex(State())

    package init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Names who is told, on the event loop, that there are items to take. Called there.
    package func open(_ itemsArrived: @escaping () -> Void) {
        let receiver = NIOLoopBound(Receiver(itemsArrived), eventLoop: self.eventLoop)
        let isWaitedFor = self.state.withLock { state in
            state.receiver = receiver
            return !state.items.isEmpty
        }
        if isWaitedFor {
            itemsArrived()
        }
    }

    /// Adds an item; false where the mailbox is closed and the item is lost.
    @discardableResult
    package func post(_ item: Item) -> Bool {
        let (isTaken, receiver) = self.state.withLock { state -> (Bool, NIOLoopBound<Receiver>?) in
            guard !state.isClosed else {
                return (false, nil)
            }
            state.items.append(item)
            return (true, state.items.count == 1 ? state.receiver : nil)
        }
        if let receiver {
            self.eventLoop.execute {
                receiver.value.itemsArrived()
            }
        }
        return isTaken
    }

    /// Exchanges what has arrived for `items`, which the caller has emptied and whose memory is used again.
    package func take(_ items: inout [Item]) {
        self.state.withLock { swap(&$0.items, &items) }
    }

    /// Takes nothing more, lets go of the receiver and returns what it has not seen.
    @discardableResult
    package func close() -> [Item] {
        // Returned, so that what the items hold is let go of outside the lock.
        self.state.withLock { state in
            defer { state = State(isClosed: true) }
            return state
        }.items
    }
}
