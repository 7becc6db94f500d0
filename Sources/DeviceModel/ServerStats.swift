// What a running server has counted and measured.

/// Calls, the writer, the store, the index, watchers and the process, as of one moment. Counts and distributions are since the
/// server's start; whoever wants a rate asks twice.
public struct ServerStats: Hashable, Sendable {
    /// Since the server began to serve.
    public var uptime: Duration = .zero
    public var connections: [Connections] = []
    /// By protocol and method; only what was ever called.
    public var calls: [Calls] = []
    public var writer = Writer()
    public var store = Store()
    public var index = Index()
    public var watchers = Watchers()
    public var process = Process()

    public init() {}

    /// The connections of one protocol.
    public struct Connections: Hashable, Sendable {
        /// `ttrpc` or `grpc`.
        public var wire: String
        public var openCount: Int64 = 0
        public var totalCount: Int64 = 0
        public var receivedByteCount: Int64 = 0
        public var sentByteCount: Int64 = 0

        public init(wire: String) {
            self.wire = wire
        }
    }

    /// The calls of one method by one protocol.
    public struct Calls: Hashable, Sendable {
        /// Calls that ended with one code.
        public struct Ended: Hashable, Sendable {
            /// As in google.rpc.Code; 0 for those that went well.
            public var code: Int32
            public var count: Int64

            public init(code: Int32, count: Int64) {
                self.code = code
                self.count = count
            }
        }

        /// What ``method`` is for calls that came to no method.
        public static let unknownMethod = "unknown"

        /// `ttrpc` or `grpc`.
        public var wire: String
        /// Service and name, such as `rollcall.v1.Devices/GetDevice`.
        public var method: String
        /// By code.
        public var ended: [Ended] = []
        /// Those that have begun and not ended.
        public var openCount: Int64 = 0
        /// From the read that brought a call to the write of its answer, in nanoseconds; for a stream its whole life.
        public var latency = Distribution()

        public init(wire: String, method: String) {
            self.wire = wire
            self.method = method
        }

        /// Those that have ended.
        public var count: Int64 {
            self.ended.reduce(0) { $0 + $1.count }
        }

        /// Those that have ended and did not go well.
        public var failedCount: Int64 {
            self.ended.reduce(0) { $1.code == 0 ? $0 : $0 + $1.count }
        }
    }

    /// The one writer, and what waits for it.
    public struct Writer: Hashable, Sendable {
        public var queuedCallCount: Int64 = 0
        /// The most that ever waited.
        public var queuedCallCountMax: Int64 = 0
        public var queuedByteCount: Int64 = 0
        /// Calls that were refused because as many waited as may.
        public var refusedCallCount: Int64 = 0
        /// How many calls the writer took at a time.
        public var groupCallCounts = Distribution()
        /// How long each commit took that made changes durable, in nanoseconds.
        public var commitTimes = Distribution()
        public var failedCommitCount: Int64 = 0

        public init() {}
    }

    /// The files on disk.
    public struct Store: Hashable, Sendable {
        public var databaseByteCount: Int64 = 0
        /// What is on disk and has not been copied into the database.
        public var walByteCount: Int64 = 0
        /// Changes of the log that the device rows do not show yet.
        public var unfoldedChangeCount: Int64 = 0
        /// How long the write and sync of each commit's end took, in nanoseconds: the disk's part of it.
        public var syncTimes = Distribution()

        public init() {}
    }

    /// What is kept in memory.
    public struct Index: Hashable, Sendable {
        public var projectCount: Int64 = 0
        public var deviceCount: Int64 = 0
        /// By part.
        public var memory: [ServerInfo.MemoryFigure] = []

        public init() {}
    }

    /// Those who watch.
    public struct Watchers: Hashable, Sendable {
        public var count: Int64 = 0
        /// Those of them that still read what was before them.
        public var catchingUpCount: Int64 = 0
        /// How many revisions the slowest of the others is behind.
        public var lagRevisionCount: Int64 = 0
        /// Changes that are kept for them, and about how many bytes those take.
        public var backlogChangeCount: Int64 = 0
        public var backlogByteCount: Int64 = 0
        /// Those that were ended because they were too slow.
        public var tooSlowCount: Int64 = 0

        public init() {}
    }

    /// The daemon as the system sees it.
    public struct Process: Hashable, Sendable {
        public var residentByteCount: Int64 = 0
        public var descriptorCount: Int64 = 0
        public var descriptorCountMax: Int64 = 0
        /// Of all threads, in the kernel and out of it.
        public var processorTime: Duration = .zero

        public init() {}
    }
}

extension ServerStats {
    /// What happened since `earlier`: counts and distributions are of that time alone, everything else is as it is now.
    ///
    /// A server that was started anew meanwhile has counted from its start.
    public func since(_ earlier: ServerStats) -> ServerStats {
        guard !self.isOfAnotherStart(than: earlier) else { return self }
        var difference = self
        for index in difference.connections.indices {
            let wire = self.connections[index].wire
            guard let former = earlier.connections.first(where: { $0.wire == wire }) else { continue }
            difference.connections[index].totalCount -= former.totalCount
            difference.connections[index].receivedByteCount -= former.receivedByteCount
            difference.connections[index].sentByteCount -= former.sentByteCount
        }
        for index in difference.calls.indices {
            let (wire, method) = (self.calls[index].wire, self.calls[index].method)
            guard let former = earlier.calls.first(where: { $0.wire == wire && $0.method == method }) else { continue }
            difference.calls[index] = self.calls[index].since(former)
        }
        difference.writer.refusedCallCount -= earlier.writer.refusedCallCount
        difference.writer.groupCallCounts = self.writer.groupCallCounts.since(earlier.writer.groupCallCounts)
        difference.writer.commitTimes = self.writer.commitTimes.since(earlier.writer.commitTimes)
        difference.writer.failedCommitCount -= earlier.writer.failedCommitCount
        difference.store.syncTimes = self.store.syncTimes.since(earlier.store.syncTimes)
        difference.watchers.tooSlowCount -= earlier.watchers.tooSlowCount
        difference.process.processorTime -= earlier.process.processorTime
        return difference
    }

    /// How much time ``since(_:)`` is about.
    public func interval(since earlier: ServerStats) -> Duration {
        self.isOfAnotherStart(than: earlier) ? self.uptime : self.uptime - earlier.uptime
    }

    /// Whether the server was started anew since `earlier`: something has become less that never does.
    private func isOfAnotherStart(than earlier: ServerStats) -> Bool {
        func connectionCount(_ stats: ServerStats) -> Int64 { stats.connections.reduce(0) { $0 + $1.totalCount } }
        return earlier.uptime > self.uptime || earlier.process.processorTime > self.process.processorTime
            || connectionCount(earlier) > connectionCount(self)
    }
}

extension ServerStats.Calls {
    fileprivate func since(_ earlier: Self) -> Self {
        var difference = self
        difference.ended = self.ended.compactMap { ended in
            let former = earlier.ended.first { $0.code == ended.code }?.count ?? 0
            return ended.count > former ? Ended(code: ended.code, count: ended.count - former) : nil
        }
        difference.latency = self.latency.since(earlier.latency)
        return difference
    }
}
