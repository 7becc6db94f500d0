// What readers tell the writer: an order that they would have use for.

internal import Synchronization

/// An order that queries missed, until somebody takes it to build it. It lies in the fleet itself: most queries read no more of it
/// than that there is none.
///
/// ## Concurrency
/// Readers that share the index make and take wishes at any time.
struct OrderWish: ~Copyable {
    private let isMade = Atomic<Bool>(false)
    private let name = Mutex<OrderName?>(nil)

    /// Asks for an order. Where another one is asked for already, the next query that misses this one asks again.
    func make(_ name: OrderName) {
        self.name.withLock { wish in
            if wish == nil { wish = name }
        }
        self.isMade.store(true, ordering: .relaxed)
    }

    /// The order that is asked for, which is not any more then. - Complexity: O(1); no lock where nothing is asked for.
    @inline(__always)
    func take() -> OrderName? {
        guard self.isMade.load(ordering: .relaxed) else { return nil }
        self.isMade.store(false, ordering: .relaxed)
        return self.name.withLock { wish in
            defer { wish = nil }
            return wish
        }
    }
}
