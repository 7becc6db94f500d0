// Every bound of the contract, by name.

/// What a caller may send, hold and ask for; the defaults are the contract's.
package struct Limits: Hashable, Sendable {
    // MARK: Messages and connections

    /// The longest path that every Unix's socket address holds; nothing to set.
    package static let socketPathByteCountMax = 103

    // Nothing to set: how much may say who may call, and of how much of that an audit tells.

    package static let accessRuleCountMax = 256
    package static let accessRuleByteCountMax = 4_096
    /// Groups of one caller; Linux lets a process have no more.
    package static let peerGroupCountMax = 65_536
    /// Refused calls of one user that the audit tells in a minute, each with a line; the others it counts.
    package static let auditedRefusalCountMaxPerMinute = 100

    package var messageByteCountMax = 4 << 20
    package var connectionCountMax = 16_384
    package var connectionCountMaxPerUser = 16_384
    /// The last places go only to users with few connections, and the last of those only to root and the daemon's own user.
    package var connectionReserveCount = 256
    package var connectionOperatorReserveCount = 16
    /// How many connections are few: of a user, and of one process of root or of the daemon's own user.
    package var connectionAssuredCountPerUser = 16
    /// How many connections are accepted a second where they keep coming, and how many at once after a pause; the others
    /// wait in the kernel.
    package var connectionCountMaxPerSecond = 2_000
    package var connectionBurstCount = 128
    /// How long a connection over a limit is kept to be told so, in nanoseconds.
    package var refusedConnectionNanoseconds: Int64 = 5_000_000_000
    package var callCountMaxPerConnection = 1_024
    package var callCountMaxPerUser = 8_192
    package var queuedOutputByteCountMax = 8 << 20
    /// What waits for the peers of all connections together, output or input; over it, those are ended that hold the most.
    package var queuedTotalByteCountMax = 256 << 20
    /// With more than this waiting for a user's connections it is given no long answers.
    package var queuedByteCountMaxPerUser = 32 << 20
    package var undeliveredInputByteCountMax = 1 << 20
    package var partialInputByteCountMax = 16 << 20
    package var decodingArenaByteCountMax = 32 << 20

    /// How long an event loop may spend in one turn on calls that can go on elsewhere, in nanoseconds.
    package var loopTurnNanosecondsMax: Int64 = 4_000_000

    // MARK: The writer

    package var writeQueueCallCountMax = 8_192
    package var writeQueueByteCountMax = 64 << 20
    package var groupCallCountMax = 512
    package var groupRowCountMax = 2_048
    package var groupByteCountMax = 4 << 20
    package var batchItemCountMax = 1_000
    /// How many devices of a purge are deleted at once, between the mutations of others.
    package var purgeStepDeviceCountMax = 250
    /// How many check-ins of a stream may be under way; it is not read further until one of them is acknowledged.
    package var checkInCountMaxPerStream = 1_024

    // MARK: Imports and exports

    package var importChunkItemCountMax = 1_000
    package var importChunkByteCountMax = 1 << 20
    /// How many chunks of one import may be on their way to the store.
    package var importChunkCountMax = 4
    /// Failures that the last message of an import repeats, in number and in bytes, whichever is fewer.
    package var importSummaryFailureCountMax = 1_000
    package var importSummaryByteCountMax = 1 << 20
    /// At how many bytes a message of an export ends.
    package var exportMessageByteCount = 256 << 10

    // MARK: Backups

    package var backupCountMax = 1
    /// How many bytes of the file a message of a backup holds.
    package var backupMessageByteCount = 256 << 10
    /// For how long a backup may read the store, in seconds; what is committed meanwhile stays in the log of the database.
    package var backupCopySecondsMax = 300
    /// What the copy of a backup leaves free on the disk.
    package var backupFreeByteCountMin: Int64 = 64 << 20
    /// For how long whoever makes a backup may take nothing of it, in nanoseconds.
    package var backupStallNanosecondsMax: Int64 = 60_000_000_000

    // MARK: Lists

    /// How many keys a count divides devices by; nothing to set.
    package static let groupKeyCountMax = 2

    package var pageSizeDefault = 100
    package var pageSizeMax = 1_000
    package var pageByteCountMax = 3 << 20
    package var filterValueCountMax = 1_000
    package var filterByteCountMax = 8 << 10
    package var filterDepthMax = 32
    package var filterTermCountMax = 256
    package var groupCountDefault = 1_000
    package var groupCountMax = 10_000
    /// How long a query may be expected to hold the index, in nanoseconds; one that takes longer is answered in slices.
    package var queryHoldNanosecondsMax = 500_000
    /// What the indexes may take, over all projects, that are built when a query would have had a use for them.
    package var lazyIndexByteCountMax = 1 << 30

    // MARK: What a project holds

    package var attributeKeyCountMaxPerDevice = 256
    package var attributeKeyCountMaxPerProject = 4_096
    package var releaseCountMaxPerProject = 100_000
    package var cohortCountMaxPerProject = 10_000
    package var projectCountMax = 1_000

    // MARK: Times

    /// How far ahead of the server's clock a check-in's time may be.
    package var clockSkewMicrosecondsMax: Int64 = 5 * 60 * 1_000_000
    /// What an activity filter means by recent, unless it says.
    package var activityWindowMicrosecondsDefault: Int64 = 24 * 60 * 60 * 1_000_000
    package var requestIDAgeMicrosecondsMax: Int64 = 24 * 60 * 60 * 1_000_000
    package var requestIDCountMax = 100_000
    package var feedAgeMicrosecondsMax: Int64 = 24 * 60 * 60 * 1_000_000
    package var feedByteCountMax = 1 << 30

    // MARK: Watching

    package var watcherCountMax = 1_024
    package var watcherCountMaxPerUser = 768
    /// How many changes, and about how many bytes of them, are kept for watchers that are behind; one that is further behind
    /// is ended.
    package var watchBacklogCountMax = 65_536
    package var watchBacklogByteCountMax = 64 << 20
    /// How long a watcher may hear nothing before it is told a revision, in nanoseconds.
    package var watchHeartbeatNanoseconds: Int64 = 30_000_000_000

    package init() {}
}

extension Limits {
    package struct Reported: Hashable, Sendable {
        package let name: String
        package let value: Int64
        package let unit: String
    }

    /// Every limit as GetServerInfo reports it.
    package var reported: [Reported] {
        func limit(_ name: String, _ value: Int, _ unit: String) -> Reported {
            Reported(name: name, value: Int64(value), unit: unit)
        }
        return [
            limit("message_bytes", self.messageByteCountMax, "bytes"),
            limit("connections", self.connectionCountMax, "connections"),
            limit("connections_per_uid", self.connectionCountMaxPerUser, "connections"),
            limit("connections_reserved", self.connectionReserveCount, "connections"),
            limit("connections_per_second", self.connectionCountMaxPerSecond, "connections"),
            limit("connections_at_once", self.connectionBurstCount, "connections"),
            limit("calls_per_connection", self.callCountMaxPerConnection, "calls"),
            limit("calls_per_uid", self.callCountMaxPerUser, "calls"),
            limit("queued_output_bytes", self.queuedOutputByteCountMax, "bytes"),
            limit("queued_total_bytes", self.queuedTotalByteCountMax, "bytes"),
            limit("queued_bytes_per_uid", self.queuedByteCountMaxPerUser, "bytes"),
            limit("undelivered_input_bytes", self.undeliveredInputByteCountMax, "bytes"),
            limit("partial_input_bytes", self.partialInputByteCountMax, "bytes"),
            limit("decoding_arena_bytes", self.decodingArenaByteCountMax, "bytes"),
            limit("access_rules", Self.accessRuleCountMax, "rules"),
            limit("access_rule_bytes", Self.accessRuleByteCountMax, "bytes"),
            limit("groups_per_caller", Self.peerGroupCountMax, "groups"),
            limit("audited_refusals_per_minute", Self.auditedRefusalCountMaxPerMinute, "calls"),
            limit("write_queue_calls", self.writeQueueCallCountMax, "calls"),
            limit("write_queue_bytes", self.writeQueueByteCountMax, "bytes"),
            limit("group_calls", self.groupCallCountMax, "calls"),
            limit("group_rows", self.groupRowCountMax, "rows"),
            limit("group_bytes", self.groupByteCountMax, "bytes"),
            limit("import_chunk_items", self.importChunkItemCountMax, "items"),
            limit("import_chunk_bytes", self.importChunkByteCountMax, "bytes"),
            limit("import_chunks", self.importChunkCountMax, "chunks"),
            limit("import_summary_failures", self.importSummaryFailureCountMax, "failures"),
            limit("import_summary_bytes", self.importSummaryByteCountMax, "bytes"),
            limit("export_message_bytes", self.exportMessageByteCount, "bytes"),
            limit("backups", self.backupCountMax, "backups"),
            limit("backup_message_bytes", self.backupMessageByteCount, "bytes"),
            limit("backup_copy", self.backupCopySecondsMax, "seconds"),
            limit("backup_free_bytes", Int(self.backupFreeByteCountMin), "bytes"),
            limit("backup_stall", Int(self.backupStallNanosecondsMax / 1_000_000_000), "seconds"),
            limit("batch_items", self.batchItemCountMax, "items"),
            limit("check_ins_per_stream", self.checkInCountMaxPerStream, "check-ins"),
            limit("page_size", self.pageSizeMax, "items"),
            limit("page_bytes", self.pageByteCountMax, "bytes"),
            limit("filter_values", self.filterValueCountMax, "values"),
            limit("filter_bytes", self.filterByteCountMax, "bytes"),
            limit("filter_depth", self.filterDepthMax, "levels"),
            limit("filter_terms", self.filterTermCountMax, "comparisons"),
            limit("group_by_keys", Self.groupKeyCountMax, "keys"),
            limit("sort_keys", SortKey.countMax, "keys"),
            limit("groups", self.groupCountMax, "groups"),
            limit("attribute_keys_per_device", self.attributeKeyCountMaxPerDevice, "keys"),
            limit("attribute_keys_per_project", self.attributeKeyCountMaxPerProject, "keys"),
            limit("attribute_string_bytes", FieldCheck.attributeStringByteCountMax, "bytes"),
            limit("releases_per_project", self.releaseCountMaxPerProject, "releases"),
            limit("cohorts_per_project", self.cohortCountMaxPerProject, "cohorts"),
            limit("projects", self.projectCountMax, "projects"),
            limit("clock_skew", Int(self.clockSkewMicrosecondsMax / 1_000_000), "seconds"),
            limit("request_id_age", Int(self.requestIDAgeMicrosecondsMax / 1_000_000), "seconds"),
            limit("request_ids", self.requestIDCountMax, "ids"),
            limit("feed_age", Int(self.feedAgeMicrosecondsMax / 1_000_000), "seconds"),
            limit("feed_bytes", self.feedByteCountMax, "bytes"),
            limit("watchers", self.watcherCountMax, "watchers"),
            limit("watchers_per_uid", self.watcherCountMaxPerUser, "watchers"),
            limit("watch_backlog", self.watchBacklogCountMax, "changes"),
            limit("watch_backlog_bytes", self.watchBacklogByteCountMax, "bytes"),
        ]
    }
}
