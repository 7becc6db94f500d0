// The parts of a server's statistics as JSON; times are nanoseconds.

internal import JSONText
internal import RPC
internal import RollcallClient

extension Distribution {
    fileprivate var json: JSON {
        .object([
            ("count", .int(self.count)), ("sum", .int(self.sum)), ("max", .int(self.max)),
            ("p50", .int(self.quantile(0.5))), ("p90", .int(self.quantile(0.9))), ("p99", .int(self.quantile(0.99))),
            ("p999", .int(self.quantile(0.999))),
        ])
    }
}

extension ServerStats.Connections {
    var json: JSON {
        .object([
            ("protocol", .string(self.wire)), ("open_count", .int(self.openCount)),
            ("total_count", .int(self.totalCount)), ("received_bytes", .int(self.receivedByteCount)),
            ("sent_bytes", .int(self.sentByteCount)),
        ])
    }
}

extension ServerStats.Calls {
    /// Without the package that all of Rollcall's own methods share.
    var shortMethod: String {
        let package = "rollcall.v1."
        return self.method.hasPrefix(package) ? String(self.method.dropFirst(package.count)) : self.method
    }

    /// - Parameter interval: What the counts are of; nil leaves out how many calls a second that makes.
    func json(per interval: Duration?) -> JSON {
        var members: [(name: String, value: JSON)] = [
            ("protocol", .string(self.wire)), ("method", .string(self.method)), ("count", .int(self.count)),
        ]
        if let interval {
            let seconds = max(1e-9, interval / .seconds(1))
            members.append(("calls_per_second", .double(Double(self.count) / seconds)))
        }
        members.append(("failed_count", .int(self.failedCount)))
        let codes = self.ended.map { (name: Status.Code(rawValue: $0.code).description, value: JSON.int($0.count)) }
        members.append(("codes", .object(codes)))
        members.append(("open_count", .int(self.openCount)))
        members.append(("latency_nanoseconds", self.latency.json))
        return .object(members)
    }
}

extension ServerStats.Writer {
    var json: JSON {
        .object([
            ("queued_calls", .int(self.queuedCallCount)), ("queued_calls_max", .int(self.queuedCallCountMax)),
            ("queued_bytes", .int(self.queuedByteCount)), ("refused_calls", .int(self.refusedCallCount)),
            ("group_calls", self.groupCallCounts.json), ("commit_nanoseconds", self.commitTimes.json),
            ("failed_commits", .int(self.failedCommitCount)),
        ])
    }
}

extension ServerStats.Store {
    var json: JSON {
        .object([
            ("database_bytes", .int(self.databaseByteCount)), ("wal_bytes", .int(self.walByteCount)),
            ("unfolded_changes", .int(self.unfoldedChangeCount)), ("sync_nanoseconds", self.syncTimes.json),
        ])
    }
}

extension ServerStats.Index {
    var json: JSON {
        .object([
            ("projects", .int(self.projectCount)), ("devices", .int(self.deviceCount)),
            (
                "memory",
                .array(self.memory.map { .object([("name", .string($0.name)), ("bytes", .int($0.byteCount))]) })
            ),
        ])
    }
}

extension ServerStats.Watchers {
    var json: JSON {
        .object([
            ("watchers", .int(self.count)), ("catching_up", .int(self.catchingUpCount)),
            ("lag_revisions", .int(self.lagRevisionCount)), ("backlog_changes", .int(self.backlogChangeCount)),
            ("backlog_bytes", .int(self.backlogByteCount)), ("too_slow", .int(self.tooSlowCount)),
        ])
    }
}

extension ServerStats.Process {
    var json: JSON {
        .object([
            ("resident_bytes", .int(self.residentByteCount)), ("descriptors", .int(self.descriptorCount)),
            ("descriptors_max", .int(self.descriptorCountMax)),
            ("processor_seconds", .double(self.processorTime / .seconds(1))),
        ])
    }
}
