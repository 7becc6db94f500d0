// Numbers that one thread moves and every thread reads, at the price of plain ones.

internal import DeviceModel
internal import Glibc
internal import Synchronization

/// A row of counters that start at 0.
///
/// Moving one is a load, an addition and a store, none of which waits for another processor: that is what a counter shared
/// by all threads would cost, and what rules it out where a call takes half a microsecond.
///
/// ## Concurrency
/// One thread at a time moves them; any thread reads them at any time, each by itself.
package final class Counters: Sendable {
    /// The memory is the object's own until it goes, and is reached by atomic operations alone.
    private nonisolated(unsafe) let start: UnsafeMutablePointer<Atomic<Int64>>
    private let count: Int

    package init(count: Int) {
        // Zero bytes are a counter at 0, and what is never touched takes no memory: most methods are never called.
        guard let memory = calloc(count, MemoryLayout<Atomic<Int64>>.stride) else {
            preconditionFailure("There is no memory for \(count) counters.")
        }
        self.start = memory.bindMemory(to: Atomic<Int64>.self, capacity: count)
        self.count = count
    }

    deinit {
        free(self.start)
    }

    /// A counter that has come to the largest number stays there.
    package func add(_ number: Int64, at index: Int) {
        precondition(index >= 0 && index < self.count, "There is no such counter.")
        let sum = self.start[index].load(ordering: .relaxed).saturatingAdd(number)
        self.start[index].store(sum, ordering: .relaxed)
    }

    /// Moves a counter up to `number`, if it is below.
    package func raise(to number: Int64, at index: Int) {
        precondition(index >= 0 && index < self.count, "There is no such counter.")
        if self.start[index].load(ordering: .relaxed) < number {
            self.start[index].store(number, ordering: .relaxed)
        }
    }

    package func value(at index: Int) -> Int64 {
        precondition(index >= 0 && index < self.count, "There is no such counter.")
        return self.start[index].load(ordering: .relaxed)
    }
}
