// What has become of each line of a file that is imported.

internal import RollcallClient
internal import Synchronization

/// Knows which line each item on its way came from, counts, and passes on what failed.
///
/// ## Concurrency
/// The task that sends and the one that hears of progress share it.
final class ImportLedger: Sendable {
    fileprivate struct State {
        /// Items on their way, in order, from ``firstIndex`` on.
        var onTheirWay: [(line: Int, serial: String)] = []
        var firstIndex = 0
        /// How many items were dealt with before the first of them.
        var acceptedCount: Int64 = 0
        var createdCount: Int64 = 0
        var updatedCount: Int64 = 0
        var failedCount: Int64 = 0
        /// The last line whose device the server has dealt with.
        var acceptedLine = 0
        var lastLine = 0
        var byteCount = 0
        var shownCount = 0
        var fileFault: String?
        /// Where every failure is written as a record of CSV.
        var failures: ByteOutput?
    }

    private let words: Output
    private let state = Mutex(State())

    /// Failures that are shown as they come; the rest goes to the file.
    fileprivate static let shownCountMax = 10

    init(words: Output) {
        self.words = words
    }

    /// From now on writes every failure to a file, as a record of CSV.
    func report(to failures: ByteOutput?) throws(OutputError) {
        try failures?.write(Array(CSV.record(["line", "device_serial", "reason"]).utf8))
        self.state.withLock { $0.failures = failures }
    }

    // MARK: Reading

    func read(byteCount: Int) {
        self.state.withLock { $0.byteCount += byteCount }
    }

    func sent(line: Int, serial: String) {
        self.state.withLock { state in
            state.onTheirWay.append((line, serial))
            state.lastLine = line
        }
    }

    /// A line holds no device that could be sent.
    func failed(line: Int, serial: String, reason: String) throws(OutputError) {
        let isShown = self.state.withLock { state in
            state.lastLine = line
            state.failedCount += 1
            return state.takeShown()
        }
        try self.report(line, serial, reason, isShown)
    }

    /// A line is left out.
    func skipped(line: Int) {
        self.state.withLock { $0.lastLine = line }
    }

    /// The file is read to its end; if nothing is as far in it as what was to be left out, it is another file.
    func reachedEnd(skippedLineCount: Int) {
        self.state.withLock { state in
            guard skippedLineCount > state.lastLine else { return }
            let last = state.lastLine == 0 ? "there is no device in it" : "the last device is on line \(state.lastLine)"
            state.fileFault = "--skip-lines \(skippedLineCount) goes beyond the file: \(last)."
        }
    }

    /// The file cannot be read any further.
    func fileFailed(_ sentence: String) {
        self.state.withLock { $0.fileFault = sentence }
    }

    // MARK: Progress

    /// Takes in what the server says.
    func take(_ progress: ImportProgress) throws(OutputError) {
        let failed = self.state.withLock { state in
            let failed = progress.failures.compactMap { failure -> (Int, String, String, Bool)? in
                let index = state.firstIndex + Int(failure.position - state.acceptedCount) - 1
                guard state.onTheirWay.indices.contains(index) else { return nil }
                let (line, serial) = state.onTheirWay[index]
                state.failedCount += 1
                return (line, serial, failure.error.message, state.takeShown())
            }
            state.accept(through: progress.acceptedThrough)
            state.createdCount = progress.createdCount
            state.updatedCount = progress.updatedCount
            return failed
        }
        for (line, serial, reason, isShown) in failed {
            try self.report(line, serial, reason, isShown)
        }
    }

    private func report(_ line: Int, _ serial: String, _ reason: String, _ isShown: Bool) throws(OutputError) {
        try self.state.withLock { $0.failures }?.write(Array(CSV.record([String(line), serial, reason]).utf8))
        guard isShown else { return }
        let name = serial.isEmpty ? "" : " (\(serial))"
        try self.words.write("line \(line)\(name): \(reason)".visible + "\n")
    }

    // MARK: Words

    var failedCount: Int64 { self.state.withLock { $0.failedCount } }
    var fileFault: String? { self.state.withLock { $0.fileFault } }

    /// How far it has come, how fast, and how long it will take.
    func progressText(elapsedSeconds: Double, byteCount: Int?) -> String {
        let (dealtWith, read) = self.state.withLock { ($0.acceptedCount, $0.byteCount) }
        let rate = Int64(Double(dealtWith) / max(elapsedSeconds, 0.001))
        var text = "\(dealtWith) devices, \(rate)/s"
        if let byteCount, byteCount > 0, read > 0 {
            let share = min(1, Double(read) / Double(byteCount))
            text += ", \(Int(share * 100)) %, \(Int((elapsedSeconds / share * (1 - share)).rounded(.up))) s left"
        }
        return text
    }

    /// Where an import goes on that did not come to its end.
    func resumption(isStored: Bool) -> String {
        let line = self.state.withLock { $0.acceptedLine }
        let state = isStored ? "stored" : "checked"
        guard line > 0 else { return "No device is \(state).\n" }
        return "Every device through line \(line) is \(state) or has failed; go on with --skip-lines \(line).\n"
    }

    /// The last line, after a word about failures that were not shown.
    func summary(hasFailuresFile: Bool, verb: String) -> String {
        self.state.withLock { state in
            let restCount = state.failedCount - Int64(state.shownCount)
            let rest =
                restCount == 0
                ? "" : "and \(restCount) more\(hasFailuresFile ? "; see the file of failures" : "; see --failures")\n"
            return rest + "\(verb): created=\(state.createdCount) updated=\(state.updatedCount) "
                + "failed=\(state.failedCount) lines=\(state.lastLine)\n"
        }
    }
}

extension ImportLedger.State {
    /// Whether the next failure is to be shown.
    fileprivate mutating func takeShown() -> Bool {
        guard self.shownCount < ImportLedger.shownCountMax else { return false }
        self.shownCount += 1
        return true
    }

    fileprivate mutating func accept(through position: Int64) {
        let count = min(Int(position - self.acceptedCount), self.onTheirWay.count - self.firstIndex)
        guard count > 0 else { return }
        self.acceptedLine = self.onTheirWay[self.firstIndex + count - 1].line
        self.firstIndex += count
        self.acceptedCount = position
        // Taking from the front moves what is left: not each time.
        guard self.firstIndex > self.onTheirWay.count / 2 else { return }
        self.onTheirWay.removeFirst(self.firstIndex)
        self.firstIndex = 0
    }
}
