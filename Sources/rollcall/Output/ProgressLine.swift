// A line on a terminal that tells how far something has come.

internal import Synchronization

/// Rewrites one line of standard error a few times a second; silent where no person watches.
///
/// ## Concurrency
/// Any task shows it.
final class ProgressLine: Sendable {
    private struct State {
        var shownAt: ContinuousClock.Instant?
        var width = 0
    }

    private let words: Output
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    private static let interval = Duration.milliseconds(200)

    init(_ words: Output) {
        self.words = words
    }

    /// Seconds since it was made.
    var elapsedSeconds: Double { (ContinuousClock.now - self.start) / .seconds(1) }

    /// Shows `text`, unless another one was shown just now.
    func show(_ text: () -> String) {
        guard self.words.isTerminal else { return }
        let now = ContinuousClock.now
        self.state.withLock { state in
            guard state.shownAt.map({ now - $0 >= Self.interval }) ?? true else { return }
            state.shownAt = now
            let text = text()
            let padding = String(repeating: " ", count: max(0, state.width - text.count))
            state.width = text.count
            // There is no one left to tell that telling failed.
            try? self.words.write("\r\(text)\(padding)")
        }
    }

    /// Takes the line away.
    func clear() {
        self.state.withLock { state in
            guard state.width > 0 else { return }
            try? self.words.write("\r\(String(repeating: " ", count: state.width))\r")
            state.width = 0
        }
    }
}
