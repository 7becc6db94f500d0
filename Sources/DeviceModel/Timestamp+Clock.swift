// The host's clock.

internal import Glibc

extension Timestamp {
    /// The present time by the host's clock, which may be set forward and back.
    package static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec)) ?? .epoch
    }
}
