// What an operator, a limit or a test sets for a store.

package import DeviceModel

extension SQLiteStore {
    /// How much is kept, and how work in the background is paced.
    package struct Options: Sendable {
        /// For how long a request is remembered, in microseconds, and how many are.
        package var requestAgeMicrosecondsMax: Int64
        package var requestCountMax: Int
        /// For how long a change stays in the log after it is folded, in microseconds, and how many bytes of them do.
        package var logAgeMicrosecondsMax: Int64
        package var logByteCountMax: Int
        /// For how long a snapshot may hold an old state, and so keep the WAL from being copied, in seconds.
        package var snapshotSecondsMax: Int
        /// What a snapshot leaves free on the disk.
        package var snapshotFreeByteCountMin: Int64
        /// Told of a failure in the background, after which the work is tried again until it succeeds: of the first one only,
        /// and of damage, after which it is not. Runs on the store's own queue.
        package var onBackgroundFailure: @Sendable (StoreError) -> Void = { _ in }

        /// How long a change waits to be folded while there are few, in milliseconds.
        ///
        /// Waiting pays: a page that takes the changes of ten devices is written once instead of ten times.
        package var foldDelayMilliseconds = 60_000
        /// How many changes call for a fold at once.
        package var foldBacklogCount = 262_144
        /// How many changes may wait before the fold stops resting between its slices.
        package var foldBacklogCountMax = 2 << 20
        /// How many rows a transaction of the fold or of pruning touches at most: what a commit may have to wait for.
        package var sliceRowCountMax = 256
        /// How many frames (pages of 4 KiB) the WAL holds before it is copied into the database.
        package var checkpointFrameCount = 4_096
        /// How many pages a snapshot copies between two looks at whether to go on.
        package var snapshotStepPageCount = 256
        /// Pages that the database may have; nil for as many as the disk holds.
        package var pageCountMax: Int?

        package init(limits: Limits = Limits()) {
            self.requestAgeMicrosecondsMax = limits.requestIDAgeMicrosecondsMax
            self.requestCountMax = limits.requestIDCountMax
            self.logAgeMicrosecondsMax = limits.feedAgeMicrosecondsMax
            self.logByteCountMax = limits.feedByteCountMax
            self.snapshotSecondsMax = limits.backupCopySecondsMax
            self.snapshotFreeByteCountMin = limits.backupFreeByteCountMin
        }
    }
}
