// How long a query took, for its explanation.

internal import Glibc

/// Measures from when it is made, by a clock that never steps.
struct Stopwatch {
    private let start = Self.now

    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    var elapsedNanoseconds: Int64 { Self.now - self.start }
}
