// A wall clock that only a test moves.

package import DeviceModel
internal import Synchronization

/// The time that a test says it is.
package final class ManualClock: Sendable {
    private let time: Mutex<Timestamp>

    package init(_ now: Timestamp = Timestamp(seconds: 1_700_000_000, nanoseconds: 0) ?? .epoch) {
        self.time = Mutex(now)
    }

    package var now: Timestamp {
        get { self.time.withLock { $0 } }
        set { self.time.withLock { $0 = newValue } }
    }

    package func advance(microseconds: Int64) {
        self.time.withLock { $0 = $0.advanced(byMicroseconds: microseconds) }
    }
}
