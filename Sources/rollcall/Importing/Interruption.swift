// Ctrl-C while something is under way that is better brought to an end than broken off.

internal import Glibc
internal import Synchronization

/// Whether the person at the terminal wants the command to end.
enum Interruption {
    private static let count = Atomic<Int>(0)

    /// From now on the first Ctrl-C is noted, and the second one ends the program at once.
    static func expect() {
        // Made before the handler needs it: a signal may come at any time.
        self.count.store(0, ordering: .relaxed)
        signal(SIGINT) { _ in
            guard Interruption.count.add(1, ordering: .relaxed).oldValue == 0 else {
                _exit(ExitStatus.interrupted.rawValue)
            }
        }
    }

    static var hasCome: Bool { self.count.load(ordering: .relaxed) > 0 }
}
