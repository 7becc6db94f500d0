// A server's statistics as Prometheus metrics.

internal import DeviceModel
internal import RPC

extension ServerStats {
    /// Every metric, in the text format of Prometheus.
    ///
    /// The process's own begin with `rollcall_process_`: those that begin with `process_` are of whoever reads the file.
    var prometheusText: String {
        var text = PrometheusText()
        text.family("rollcall_uptime_seconds", .gauge, "Time since the daemon started to serve.")
        text.sample("rollcall_uptime_seconds", value: "\(self.uptime / .seconds(1))")
        self.writeConnections(to: &text)
        self.writeCalls(to: &text)
        self.writer.write(to: &text)
        self.store.write(to: &text)
        self.index.write(to: &text)
        self.watchers.write(to: &text)
        self.process.write(to: &text)
        return text.text
    }

    private func writeConnections(to text: inout PrometheusText) {
        func family(
            _ name: String, _ kind: PrometheusText.Kind, _ help: String, _ value: (Connections) -> Int64
        ) {
            text.family(name, kind, help)
            for connections in self.connections {
                text.sample(name, [("protocol", connections.wire)], value: "\(value(connections))")
            }
        }
        family("rollcall_connections", .gauge, "Connections that are open.", \.openCount)
        family("rollcall_connections_opened_total", .counter, "Connections since the start.", \.totalCount)
        family("rollcall_received_bytes_total", .counter, "Bytes that came in.", \.receivedByteCount)
        family("rollcall_sent_bytes_total", .counter, "Bytes that were handed to the system.", \.sentByteCount)
    }

    private func writeCalls(to text: inout PrometheusText) {
        text.family("rollcall_calls_total", .counter, "Calls that have ended, by method and code.")
        for calls in self.calls {
            for ended in calls.ended {
                let code = Status.Code(rawValue: ended.code).description
                text.sample("rollcall_calls_total", calls.labels + [("code", code)], value: "\(ended.count)")
            }
        }
        text.family("rollcall_calls_open", .gauge, "Calls that have begun and not ended.")
        for calls in self.calls {
            text.sample("rollcall_calls_open", calls.labels, value: "\(calls.openCount)")
        }
        text.family(
            "rollcall_call_duration_seconds", .histogram,
            "From the read that brought a call to the write of its answer; the whole life of a stream.")
        for calls in self.calls {
            text.times("rollcall_call_duration_seconds", calls.latency, calls.labels)
        }
    }
}

extension ServerStats.Calls {
    fileprivate var labels: PrometheusText.Labels {
        [("protocol", self.wire), ("method", self.method)]
    }
}

extension PrometheusText {
    /// A microsecond to seventeen seconds.
    private static let timeBounds = (10...34).map { Int64(1) << Int64($0) }
    /// As many calls as the writer takes at a time, by default.
    private static let groupBounds = (0...9).map { Int64(1) << Int64($0) }

    fileprivate mutating func times(_ name: String, _ nanoseconds: Distribution, _ labels: Labels = []) {
        self.histogram(name, nanoseconds, labels, bounds: Self.timeBounds, unit: 1e9)
    }

    fileprivate mutating func groups(_ name: String, _ counts: Distribution) {
        self.histogram(name, counts, bounds: Self.groupBounds, unit: 1)
    }
}

extension ServerStats.Writer {
    fileprivate func write(to text: inout PrometheusText) {
        text.family("rollcall_write_queue_calls", .gauge, "Calls that wait for the writer.", self.queuedCallCount)
        text.family(
            "rollcall_write_queue_calls_max", .gauge, "The most calls that ever waited.", self.queuedCallCountMax)
        text.family("rollcall_write_queue_bytes", .gauge, "What the calls that wait take.", self.queuedByteCount)
        text.family(
            "rollcall_write_queue_refused_total", .counter, "Calls refused because the queue was full.",
            self.refusedCallCount)
        text.family("rollcall_write_group_calls", .histogram, "Calls that the writer took at a time.")
        text.groups("rollcall_write_group_calls", self.groupCallCounts)
        text.family("rollcall_commit_duration_seconds", .histogram, "Commits that made changes durable.")
        text.times("rollcall_commit_duration_seconds", self.commitTimes)
        text.family("rollcall_commits_failed_total", .counter, "Commits that failed.", self.failedCommitCount)
    }
}

extension ServerStats.Store {
    fileprivate func write(to text: inout PrometheusText) {
        text.family("rollcall_store_database_bytes", .gauge, "Size of the database.", self.databaseByteCount)
        text.family("rollcall_store_wal_bytes", .gauge, "Size of the write-ahead log.", self.walByteCount)
        text.family(
            "rollcall_store_unfolded_changes", .gauge, "Changes of the log that the device rows do not show yet.",
            self.unfoldedChangeCount)
        text.family("rollcall_store_sync_duration_seconds", .histogram, "Ends of transactions: write and sync.")
        text.times("rollcall_store_sync_duration_seconds", self.syncTimes)
    }
}

extension ServerStats.Index {
    fileprivate func write(to text: inout PrometheusText) {
        text.family("rollcall_projects", .gauge, "Projects.", self.projectCount)
        text.family("rollcall_devices", .gauge, "Devices of all projects.", self.deviceCount)
        text.family("rollcall_index_bytes", .gauge, "What the parts of the index take in memory.")
        for figure in self.memory {
            text.sample("rollcall_index_bytes", [("part", figure.name)], value: "\(figure.byteCount)")
        }
    }
}

extension ServerStats.Watchers {
    fileprivate func write(to text: inout PrometheusText) {
        text.family("rollcall_watchers", .gauge, "Those who watch.", self.count)
        text.family(
            "rollcall_watchers_catching_up", .gauge, "Watchers that still read what was before.", self.catchingUpCount)
        text.family(
            "rollcall_watcher_lag_revisions", .gauge, "How far the slowest of the other watchers is behind.",
            self.lagRevisionCount)
        text.family(
            "rollcall_watch_backlog_changes", .gauge, "Changes that are kept for watchers.", self.backlogChangeCount)
        text.family("rollcall_watch_backlog_bytes", .gauge, "What those take, about.", self.backlogByteCount)
        text.family(
            "rollcall_watchers_too_slow_total", .counter, "Watchers that were ended because they were too slow.",
            self.tooSlowCount)
    }
}

extension ServerStats.Process {
    fileprivate func write(to text: inout PrometheusText) {
        text.family(
            "rollcall_process_resident_memory_bytes", .gauge, "Memory that is resident.", self.residentByteCount)
        text.family("rollcall_process_open_fds", .gauge, "Descriptors that are open.", self.descriptorCount)
        text.family("rollcall_process_max_fds", .gauge, "Descriptors that may be open.", self.descriptorCountMax)
        text.family("rollcall_process_cpu_seconds_total", .counter, "Processor time of all threads.")
        text.sample("rollcall_process_cpu_seconds_total", value: "\(self.processorTime / .seconds(1))")
    }
}
