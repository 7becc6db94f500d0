// The clock that ages are told by: it runs with the time that passes, whatever is done to the host's clock.

internal import DeviceModel
internal import Glibc

/// Tells how old remembered requests and kept changes are.
///
/// It starts where the store's last batch left it, or at the host's time if that is later: the time in which no server
/// ran counts as far as the host's clock knows of it. From then on it follows the host's uptime, so that a step of the
/// host's clock, forward or back, makes nothing older or younger while the server runs. A step back over a restart makes
/// nothing younger either; only a host's clock that is ahead at a start ages what is stored by as much.
struct AgeClock: Sendable {
    private var start: Timestamp
    private var startUptimeMicroseconds: Int64
    private let uptimeMicroseconds: @Sendable () -> Int64

    init(hostTime: Timestamp, lastBatch: Timestamp, uptimeMicroseconds: @escaping @Sendable () -> Int64) {
        self.start = max(hostTime, lastBatch)
        self.startUptimeMicroseconds = uptimeMicroseconds()
        self.uptimeMicroseconds = uptimeMicroseconds
    }

    var now: Timestamp {
        self.start.advanced(byMicroseconds: max(0, self.uptimeMicroseconds() - self.startUptimeMicroseconds))
    }

    /// Goes on from `time` where that is ahead: another writer has been there already.
    mutating func reach(_ time: Timestamp) {
        guard time > self.now else { return }
        self.start = time
        self.startUptimeMicroseconds = self.uptimeMicroseconds()
    }
}

/// For how long the host has run, its sleep included, in microseconds.
@Sendable
package func systemUptimeMicroseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
}
