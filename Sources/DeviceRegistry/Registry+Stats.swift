// What the registry counts of itself.

package import DeviceModel
internal import DeviceQuery
internal import DeviceStore
internal import Metering
internal import Synchronization

extension Registry {
    /// Tells of the writer, the store, the index and those who watch. Asks the system for the sizes of files.
    package func report(to stats: inout ServerStats) {
        self.queue.withLock { $0.report(to: &stats.writer) }
        self.writer.meter.report(to: &stats.writer)
        stats.store = self.store.stats
        stats.index.deviceCount = Int64(self.deviceCount)
        stats.index.projectCount = Int64(self.read { $0.projectCount })
        stats.index.memory = self.memory
        stats.watchers = self.feed.stats
    }

    /// What the parts of the index take.
    package var memory: [ServerInfo.MemoryFigure] {
        self.read { $0.memoryFigures }.reported.map { .init(name: $0.name, byteCount: Int64($0.byteCount)) }
    }

    /// Devices of every project.
    package var deviceCount: Int {
        self.read { index in
            index.projects(after: nil, limit: self.limits.projectCountMax).reduce(0) {
                $0 + index.deviceCount(in: $1.id)
            }
        }
    }
}

/// Counts what the writer does.
///
/// ## Concurrency
/// The writer counts, any thread reports.
struct WriterMeter: Sendable {
    private let groupCallCounts = Histogram()
    private let commitTimes = Histogram()
    private let failedCommits = Counters(count: 1)

    /// The writer has taken some calls together.
    func groupTaken(callCount: Int) {
        self.groupCallCounts.record(Int64(callCount))
    }

    /// A batch is durable whose commit was begun at `start`.
    func committed(since start: ContinuousClock.Instant) {
        self.commitTimes.record(since: start)
    }

    func commitFailed() {
        self.failedCommits.add(1, at: 0)
    }

    func report(to stats: inout ServerStats.Writer) {
        stats.groupCallCounts = self.groupCallCounts.distribution
        stats.commitTimes = self.commitTimes.distribution
        stats.failedCommitCount = self.failedCommits.value(at: 0)
    }
}
