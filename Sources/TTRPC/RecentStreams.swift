// The streams that ended lately, for which frames may still be under way.

internal import RPC

/// The last 1,024 finished stream ids of a connection; the oldest makes way for the newest.
///
/// - Complexity: `insert` is constant; `contains` looks through all of them, and is asked only about stray frames.
struct RecentStreams: Sendable {
    /// How many ids are remembered.
    static let countMax = 1_024

    private var ids: [StreamID] = []
    private var oldestIndex = 0

    mutating func insert(_ id: StreamID) {
        guard self.ids.count == Self.countMax else {
            self.ids.append(id)
            return
        }
        self.ids[self.oldestIndex] = id
        self.oldestIndex = (self.oldestIndex + 1) % Self.countMax
    }

    func contains(_ id: StreamID) -> Bool {
        self.ids.contains(id)
    }
}
