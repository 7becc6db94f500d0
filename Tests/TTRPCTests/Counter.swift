import Synchronization

/// A number that several threads raise.
final class Counter: Sendable {
    private let number = Mutex(0)

    var value: Int {
        self.number.withLock { $0 }
    }

    func increment() -> Int {
        self.number.withLock { number in
            number += 1
            return number
        }
    }
}
