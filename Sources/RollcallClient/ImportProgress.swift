// How far an import has come.

/// What has become of the first items of an import.
public struct ImportProgress: Hashable, Sendable {
    /// An item that was not imported.
    public struct Failure: Hashable, Sendable {
        /// The item's position in the import, from 1.
        public var position: Int64
        public var error: RollcallError

        public init(position: Int64, error: RollcallError) {
            self.position = position
            self.error = error
        }
    }

    /// How many items are dealt with, from the first one on: each of them is durable, or has failed.
    public var acceptedThrough: Int64 = 0
    public var createdCount: Int64 = 0
    /// Items whose device existed, whether or not they changed it.
    public var updatedCount: Int64 = 0
    public var failedCount: Int64 = 0
    /// Those that were not told before, by position; at the end of the import, the first 1,000 of all.
    public var failures: [Failure] = []

    public init() {}
}
