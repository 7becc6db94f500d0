// How fast frames may come that carry no call.

/// Counts what costs the server work and carries no call: ``countMax`` of it since the count last began anew, which it does when
/// it is full and a window has passed.
///
/// Clients measure their bandwidth with a PING for almost every reply, so that many are in order; a flood is more than any
/// client has a use for.
struct FrameRate: Hashable {
    static let countMax = 4_096
    static let windowNanoseconds: UInt64 = 100_000_000

    private var windowStart: UInt64 = 0
    private var count = 0

    /// Counts a frame; false where there are too many in too short a time.
    ///
    /// - Parameters:
    ///   - weight: How many frames it counts for.
    ///   - now: The clock, in nanoseconds; asked only now and then.
    mutating func mayTake(weight: Int = 1, now: () -> UInt64) -> Bool {
        self.count += weight
        guard self.count > Self.countMax else { return true }
        let now = now()
        guard now - self.windowStart >= Self.windowNanoseconds else { return false }
        self.windowStart = now
        self.count = 0
        return true
    }
}
