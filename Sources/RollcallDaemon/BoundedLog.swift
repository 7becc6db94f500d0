// Says what may happen a thousand times a second without saying it a thousand times.

internal import Logging
internal import Synchronization

/// Logs a kind of event at most once a second, with how many went unsaid since.
final class BoundedLog: Sendable {
    private struct State {
        var next: ContinuousClock.Instant?
        var unsaidCount = 0
    }

    private static let interval = Duration.seconds(1)

    private let logger: Logger
    private let level: Logger.Level
    private let message: Logger.Message
    private let state = Mutex(State())

    init(_ logger: Logger, _ level: Logger.Level, _ message: Logger.Message) {
        self.logger = logger
        self.level = level
        self.message = message
    }

    /// Tells of one more event.
    func log(_ metadata: @autoclosure () -> Logger.Metadata, now: ContinuousClock.Instant = .now) {
        let unsaidCount = self.state.withLock { state -> Int? in
            if let next = state.next, now < next {
                state.unsaidCount += 1
                return nil
            }
            defer { state = State(next: now + Self.interval) }
            return state.unsaidCount
        }
        guard let unsaidCount else {
            return
        }
        var metadata = metadata()
        if unsaidCount > 0 {
            metadata["unsaid"] = "\(unsaidCount)"
        }
        self.logger.log(level: self.level, self.message, metadata: metadata)
    }
}
