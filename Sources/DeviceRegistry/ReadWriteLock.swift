// A value that many threads read at once and one changes.

internal import CRollcallShims
internal import Glibc

/// Holds a value behind a reader-writer lock in which a waiting writer goes before new readers.
///
/// ## Concurrency
/// Any thread may read. Only one thread, the owner's writer, may call ``withExclusive(_:)``, ``replace(with:)`` and
/// ``withWriterView(_:)``.
/// The value's address never changes, and neither does the lock's; both live as long as this object.
final class ReadWriteLock<Value: ~Copyable>: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<rollcall_rwlock>
    private let value: UnsafeMutablePointer<Value>

    init(_ value: consuming Value) {
        self.lock = .allocate(capacity: 1)
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
        let error = rollcall_rwlock_init(self.lock)
        precondition(error == 0, "A reader-writer lock could not be made: errno \(error).")
    }

    deinit {
        self.value.deinitialize(count: 1)
        self.value.deallocate()
        pthread_rwlock_destroy(self.lock)
        self.lock.deallocate()
    }

    /// Reads on the calling thread. Not to be nested: a waiting writer would stop the inner one for ever.
    func withShared<Result, Failure: Error>(
        _ body: (borrowing Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let error = pthread_rwlock_rdlock(self.lock)
        precondition(error == 0, "A shared hold was refused: errno \(error).")
        defer { pthread_rwlock_unlock(self.lock) }
        return try body(self.value.pointee)
    }

    /// Changes the value while nobody reads it.
    func withExclusive<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let error = pthread_rwlock_wrlock(self.lock)
        precondition(error == 0, "The exclusive hold was refused: errno \(error).")
        defer { pthread_rwlock_unlock(self.lock) }
        return try body(&self.value.pointee)
    }

    /// Puts another value in the place of this one while nobody reads it, and does `body` within the same hold.
    func replace(with value: consuming Value, _ body: () -> Void) {
        let error = pthread_rwlock_wrlock(self.lock)
        precondition(error == 0, "The exclusive hold was refused: errno \(error).")
        defer { pthread_rwlock_unlock(self.lock) }
        self.value.pointee = value
        body()
    }

    /// Reads without the lock, which the one thread that may change the value can do: readers change nothing.
    func withWriterView<Result, Failure: Error>(
        _ body: (borrowing Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(self.value.pointee)
    }
}
