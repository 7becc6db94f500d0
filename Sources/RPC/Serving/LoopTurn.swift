// How long calls have kept an event loop in one turn, so that those that can go on elsewhere do before it is too long.

internal import Glibc
package import NIOCore

/// What the calling thread's event loop has spent, in its present turn, on calls whose methods may postpone them.
///
/// A turn serves every connection that has something to say. Each may say little, and a thousand of them a lot: whoever is
/// served last in the turn waits for all of it.
package final class LoopTurn {
    private var nanoseconds: Int64 = 0

    package init() {}

    /// The calling thread's own, made on its first use and freed when the thread ends. On an event loop only.
    package static var current: LoopTurn {
        guard let address = pthread_getspecific(Self.key) else { return Self.makeCurrent() }
        return Unmanaged<LoopTurn>.fromOpaque(address).takeUnretainedValue()
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = pthread_key_create(&key) { address in
            if let address { Unmanaged<LoopTurn>.fromOpaque(address).release() }
        }
        precondition(code == 0, "The process has a key left for the turns of its event loops.")
        return key
    }()

    private static func makeCurrent() -> LoopTurn {
        let turn = LoopTurn()
        let code = pthread_setspecific(Self.key, Unmanaged.passRetained(turn).toOpaque())
        precondition(code == 0, "A thread can hold on to the turn of its event loop.")
        return turn
    }

    /// Whether what can go on elsewhere should.
    package func isOver(_ nanosecondsMax: Int64) -> Bool {
        self.nanoseconds >= nanosecondsMax
    }

    /// Counts a call that began at `start`; what the loop does next but for its connections begins a new turn.
    package func called(since start: NIODeadline, on eventLoop: any EventLoop) {
        if self.nanoseconds == 0 {
            let turn = NIOLoopBound(self, eventLoop: eventLoop)
            eventLoop.execute { turn.value.nanoseconds = 0 }
        }
        self.nanoseconds += max(1, (NIODeadline.now() - start).nanoseconds)
    }
}
