// Ctrl-C: out at once, or, while something is under way that is better brought to an end than broken off, a little later.

internal import Glibc
internal import Synchronization

/// Whether the person at the terminal wants the command to end.
enum Interruption {
    private static let count = Atomic<Int>(0)
    /// The path of a file that is not to be left behind, as C has it; a handler can do no more than read it.
    private static let unfinishedPath = Atomic<UInt>(0)

    /// From now on Ctrl-C ends the program at once.
    static func endsTheProgram() {
        // Made before the handler needs it: a signal may come at any time.
        self.unfinishedPath.store(0, ordering: .relaxed)
        signal(SIGINT) { _ in Interruption.exit() }
    }

    /// From now on the first Ctrl-C is noted, and the second one ends the program at once.
    static func expect() {
        self.count.store(0, ordering: .relaxed)
        signal(SIGINT) { _ in
            guard Interruption.count.add(1, ordering: .relaxed).oldValue == 0 else { return Interruption.exit() }
        }
    }

    static var hasCome: Bool { self.count.load(ordering: .relaxed) > 0 }

    /// Names the file that goes with the program where that is ended; nil for none.
    static func unfinished(_ path: String?) {
        let copy = path.flatMap { strdup($0) }
        let former = self.unfinishedPath.exchange(UInt(bitPattern: copy), ordering: .acquiringAndReleasing)
        free(UnsafeMutablePointer<CChar>(bitPattern: former))
    }

    private static func exit() {
        if let path = UnsafePointer<CChar>(bitPattern: self.unfinishedPath.load(ordering: .acquiring)) { unlink(path) }
        _exit(ExitStatus.interrupted.rawValue)
    }
}
