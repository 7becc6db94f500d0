// Gives memory back to the system that a storm of connections or replies left with the allocator.

internal import CRollcallShims
internal import Dispatch
internal import Synchronization

/// Returns free memory to the system once enough of it has been let go of.
///
/// The allocator keeps what is freed for the next storm, for ever. Returning it takes time from threads that allocate, so
/// it happens seldom, and after the storm rather than within.
///
/// ## Concurrency
/// Told on any thread; memory is returned on a queue of its own.
final class MemoryReturn: Sendable {
    private struct State {
        /// Let go of since memory was last returned.
        var byteCount = 0
        /// Of that, since the last look.
        var recentByteCount = 0
        var lookCount = 0
        var isDue = false
    }

    /// With less than this let go of there is hardly anything to return.
    private static let byteCountMin = 16 << 20
    /// With less than this let go of between two looks the storm is over.
    private static let recentByteCountMax = 1 << 20
    private static let lookInterval = DispatchTimeInterval.seconds(1)
    /// So many looks are waited for the end of a storm.
    private static let lookCountMax = 30
    /// About what a connection takes that says nothing.
    static let connectionByteCount = 16 << 10

    private let queue = DispatchQueue(label: "rollcall.memory", qos: .utility)
    private let state = Mutex(State())

    /// Notes that memory was let go of.
    func released(byteCount: Int) {
        let becomesDue = self.state.withLock { state in
            state.byteCount += byteCount
            state.recentByteCount += byteCount
            guard state.byteCount >= Self.byteCountMin, !state.isDue else {
                return false
            }
            state.isDue = true
            return true
        }
        if becomesDue {
            self.lookLater()
        }
    }

    private func lookLater() {
        self.queue.asyncAfter(deadline: .now() + Self.lookInterval) {
            let isOver = self.state.withLock { state in
                state.lookCount += 1
                guard state.recentByteCount > Self.recentByteCountMax, state.lookCount < Self.lookCountMax else {
                    state = State()
                    return true
                }
                state.recentByteCount = 0
                return false
            }
            if isOver {
                rollcall_memory_return()
            } else {
                self.lookLater()
            }
        }
    }
}
