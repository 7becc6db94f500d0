// rollcall.v1.GetStatsResponse.

package import CRollcallProto
package import DeviceModel
package import ProtobufC

// MARK: - To messages

extension Arena {
    /// `stats` as a message; its spans are truncated to microseconds.
    package func message(_ stats: ServerStats) -> UnsafeMutablePointer<Rollcall__V1__GetStatsResponse> {
        let message = self.make(Messages.getStatsResponse)
        message.pointee.uptime = self.message(stats.uptime)
        message.pointee.n_connections = stats.connections.count
        message.pointee.connections = self.pointers(stats.connections) { self.message($0) }
        message.pointee.n_calls = stats.calls.count
        message.pointee.calls = self.pointers(stats.calls) { self.message($0) }
        message.pointee.writer = self.message(stats.writer)
        message.pointee.store = self.message(stats.store)
        message.pointee.index = self.message(stats.index)
        message.pointee.watchers = self.message(stats.watchers)
        message.pointee.process = self.message(stats.process)
        return message
    }

    private func message(_ distribution: Distribution) -> UnsafeMutablePointer<Rollcall__V1__Distribution> {
        let message = self.make(Messages.distribution)
        message.pointee.count = distribution.count
        message.pointee.sum = distribution.sum
        message.pointee.max = distribution.max
        message.pointee.p50 = distribution.quantile(0.5)
        message.pointee.p90 = distribution.quantile(0.9)
        message.pointee.p99 = distribution.quantile(0.99)
        message.pointee.p999 = distribution.quantile(0.999)
        message.pointee.n_buckets = distribution.buckets.count
        message.pointee.buckets = self.pointers(distribution.buckets) { bucket in
            let message = self.make(Messages.distributionBucket)
            message.pointee.upper_bound = bucket.upperBound
            message.pointee.count = bucket.count
            return message
        }
        return message
    }

    private func message(
        _ connections: ServerStats.Connections
    ) -> UnsafeMutablePointer<Rollcall__V1__ConnectionStats> {
        let message = self.make(Messages.connectionStats)
        message.pointee.protocol = self.text(connections.wire)
        message.pointee.open_count = connections.openCount
        message.pointee.total_count = connections.totalCount
        message.pointee.received_bytes = connections.receivedByteCount
        message.pointee.sent_bytes = connections.sentByteCount
        return message
    }

    private func message(_ calls: ServerStats.Calls) -> UnsafeMutablePointer<Rollcall__V1__CallStats> {
        let message = self.make(Messages.callStats)
        message.pointee.protocol = self.text(calls.wire)
        message.pointee.method = self.text(calls.method)
        message.pointee.n_codes = calls.ended.count
        message.pointee.codes = self.pointers(calls.ended) { ended in
            let message = self.make(Messages.codeCount)
            message.pointee.code = ended.code
            message.pointee.count = ended.count
            return message
        }
        message.pointee.open_count = calls.openCount
        message.pointee.latency_nanoseconds = self.message(calls.latency)
        return message
    }

    private func message(_ writer: ServerStats.Writer) -> UnsafeMutablePointer<Rollcall__V1__WriterStats> {
        let message = self.make(Messages.writerStats)
        message.pointee.queued_calls = writer.queuedCallCount
        message.pointee.queued_calls_max = writer.queuedCallCountMax
        message.pointee.queued_bytes = writer.queuedByteCount
        message.pointee.refused_calls = writer.refusedCallCount
        message.pointee.group_calls = self.message(writer.groupCallCounts)
        message.pointee.commit_nanoseconds = self.message(writer.commitTimes)
        message.pointee.failed_commits = writer.failedCommitCount
        return message
    }

    private func message(_ store: ServerStats.Store) -> UnsafeMutablePointer<Rollcall__V1__StoreStats> {
        let message = self.make(Messages.storeStats)
        message.pointee.database_bytes = store.databaseByteCount
        message.pointee.wal_bytes = store.walByteCount
        message.pointee.unfolded_changes = store.unfoldedChangeCount
        message.pointee.sync_nanoseconds = self.message(store.syncTimes)
        return message
    }

    private func message(_ index: ServerStats.Index) -> UnsafeMutablePointer<Rollcall__V1__IndexStats> {
        let message = self.make(Messages.indexStats)
        message.pointee.projects = index.projectCount
        message.pointee.devices = index.deviceCount
        message.pointee.n_memory = index.memory.count
        message.pointee.memory = self.pointers(index.memory) { self.message($0) }
        return message
    }

    private func message(_ watchers: ServerStats.Watchers) -> UnsafeMutablePointer<Rollcall__V1__WatcherStats> {
        let message = self.make(Messages.watcherStats)
        message.pointee.watchers = watchers.count
        message.pointee.catching_up = watchers.catchingUpCount
        message.pointee.lag_revisions = watchers.lagRevisionCount
        message.pointee.backlog_changes = watchers.backlogChangeCount
        message.pointee.backlog_bytes = watchers.backlogByteCount
        message.pointee.too_slow = watchers.tooSlowCount
        return message
    }

    private func message(_ process: ServerStats.Process) -> UnsafeMutablePointer<Rollcall__V1__ProcessStats> {
        let message = self.make(Messages.processStats)
        message.pointee.resident_bytes = process.residentByteCount
        message.pointee.descriptors = process.descriptorCount
        message.pointee.descriptors_max = process.descriptorCountMax
        message.pointee.processor_time = self.message(process.processorTime)
        return message
    }
}

// MARK: - From messages

extension ServerStats {
    /// - Throws: ``WireValueError`` where a part is absent or a span out of its range.
    package init(from message: UnsafePointer<Rollcall__V1__GetStatsResponse>) throws(WireValueError) {
        let message = message.pointee
        self.init()
        self.uptime = .microseconds(try microseconds(of: required(message.uptime, "uptime"), field: "uptime"))
        self.connections = elements(message.connections, count: message.n_connections).map { Connections($0.pointee) }
        self.calls = elements(message.calls, count: message.n_calls).map { Calls($0.pointee) }
        self.writer = Writer(try required(message.writer, "writer").pointee)
        self.store = Store(try required(message.store, "store").pointee)
        self.index = Index(try required(message.index, "index").pointee)
        self.watchers = Watchers(try required(message.watchers, "watchers").pointee)
        self.process = try Process(required(message.process, "process").pointee)
    }
}

extension Distribution {
    /// One that is absent is empty.
    fileprivate init(_ message: UnsafeMutablePointer<Rollcall__V1__Distribution>?) {
        self.init()
        guard let message = message?.pointee else { return }
        self.sum = message.sum
        self.max = message.max
        self.buckets = elements(message.buckets, count: message.n_buckets).map {
            Bucket(upperBound: $0.pointee.upper_bound, count: $0.pointee.count)
        }
    }
}

extension ServerStats.Connections {
    fileprivate init(_ message: Rollcall__V1__ConnectionStats) {
        self.init(wire: message.protocol.string)
        self.openCount = message.open_count
        self.totalCount = message.total_count
        self.receivedByteCount = message.received_bytes
        self.sentByteCount = message.sent_bytes
    }
}

extension ServerStats.Calls {
    fileprivate init(_ message: Rollcall__V1__CallStats) {
        self.init(wire: message.protocol.string, method: message.method.string)
        self.ended = elements(message.codes, count: message.n_codes).map {
            Ended(code: $0.pointee.code, count: $0.pointee.count)
        }
        self.openCount = message.open_count
        self.latency = Distribution(message.latency_nanoseconds)
    }
}

extension ServerStats.Writer {
    fileprivate init(_ message: Rollcall__V1__WriterStats) {
        self.init()
        self.queuedCallCount = message.queued_calls
        self.queuedCallCountMax = message.queued_calls_max
        self.queuedByteCount = message.queued_bytes
        self.refusedCallCount = message.refused_calls
        self.groupCallCounts = Distribution(message.group_calls)
        self.commitTimes = Distribution(message.commit_nanoseconds)
        self.failedCommitCount = message.failed_commits
    }
}

extension ServerStats.Store {
    fileprivate init(_ message: Rollcall__V1__StoreStats) {
        self.init()
        self.databaseByteCount = message.database_bytes
        self.walByteCount = message.wal_bytes
        self.unfoldedChangeCount = message.unfolded_changes
        self.syncTimes = Distribution(message.sync_nanoseconds)
    }
}

extension ServerStats.Index {
    fileprivate init(_ message: Rollcall__V1__IndexStats) {
        self.init()
        self.projectCount = message.projects
        self.deviceCount = message.devices
        self.memory = elements(message.memory, count: message.n_memory).map {
            ServerInfo.MemoryFigure(name: $0.pointee.name.string, byteCount: $0.pointee.bytes)
        }
    }
}

extension ServerStats.Watchers {
    fileprivate init(_ message: Rollcall__V1__WatcherStats) {
        self.init()
        self.count = message.watchers
        self.catchingUpCount = message.catching_up
        self.lagRevisionCount = message.lag_revisions
        self.backlogChangeCount = message.backlog_changes
        self.backlogByteCount = message.backlog_bytes
        self.tooSlowCount = message.too_slow
    }
}

extension ServerStats.Process {
    fileprivate init(_ message: Rollcall__V1__ProcessStats) throws(WireValueError) {
        self.init()
        self.residentByteCount = message.resident_bytes
        self.descriptorCount = message.descriptors
        self.descriptorCountMax = message.descriptors_max
        let field = "process.processor_time"
        self.processorTime = .microseconds(try microseconds(of: required(message.processor_time, field), field: field))
    }
}
