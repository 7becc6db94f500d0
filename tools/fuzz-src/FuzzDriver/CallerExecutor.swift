// Where the steps of what is fed run: on the thread that feeds.

internal import Dispatch
internal import Synchronization

/// Runs a task on the thread that waits for its end. Changing threads would take longer than most inputs do.
final class CallerExecutor: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])
    private let arrivals = DispatchSemaphore(value: 0)
    private let isDone = Atomic(false)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.jobs.withLock { $0.append(job) }
        self.arrivals.signal()
    }

    /// Returns when `body` has.
    func run(_ body: @escaping @Sendable () async -> Void) {
        self.isDone.store(false, ordering: .relaxed)
        // Whoever calls wants an answer, and only a task can await.
        Task(executorPreference: self) {
            await body()
            self.isDone.store(true, ordering: .relaxed)
        }
        while !self.isDone.load(ordering: .relaxed) {
            self.arrivals.wait()
            self.jobs.withLock { $0.removeFirst() }.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}
