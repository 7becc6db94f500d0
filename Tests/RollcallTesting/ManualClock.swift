// A host's clocks, which only a test moves.

package import DeviceModel
internal import Synchronization

/// The time that a test says it is, and how much of it has passed.
package final class ManualClock: Sendable {
    private struct Times {
        var now: Timestamp
        var uptimeMicroseconds: Int64 = 0
    }

    private let times: Mutex<Times>

    package init(_ now: Timestamp = Timestamp(seconds: 1_700_000_000, nanoseconds: 0) ?? .epoch) {
        self.times = Mutex(Times(now: now))
    }

    /// What the wall clock shows.
    package var now: Timestamp {
        self.times.withLock { $0.now }
    }

    package var uptimeMicroseconds: Int64 {
        self.times.withLock { $0.uptimeMicroseconds }
    }

    /// Lets time pass.
    package func advance(microseconds: Int64) {
        self.times.withLock { times in
            times.now = times.now.advanced(byMicroseconds: microseconds)
            times.uptimeMicroseconds += microseconds
        }
    }

    /// Sets the wall clock forward or back, in no time.
    package func step(microseconds: Int64) {
        self.times.withLock { $0.now = $0.now.advanced(byMicroseconds: microseconds) }
    }
}
