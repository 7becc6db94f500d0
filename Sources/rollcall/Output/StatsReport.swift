// What a server has counted, for programs and for people.

internal import JSONText
internal import RollcallClient

/// Statistics since the server's start, or of the time between two answers.
struct StatsReport: Sendable {
    private let stats: ServerStats
    /// What the counts are of; nil for the time since the server's start.
    private let interval: Duration?

    init(_ stats: ServerStats) {
        self.stats = stats
        self.interval = nil
    }

    init(_ stats: ServerStats, since former: ServerStats) {
        self.stats = stats.since(former)
        self.interval = stats.interval(since: former)
    }

    // MARK: For programs

    var json: JSON {
        var members: [(name: String, value: JSON)] = [("uptime_seconds", .double(self.stats.uptime / .seconds(1)))]
        if let interval = self.interval {
            members.append(("interval_seconds", .double(interval / .seconds(1))))
        }
        members.append(("connections", .array(self.stats.connections.map(\.json))))
        members.append(("calls", .array(self.stats.calls.map { $0.json(per: self.interval) })))
        members.append(("writer", self.stats.writer.json))
        members.append(("store", self.stats.store.json))
        members.append(("index", self.stats.index.json))
        members.append(("watchers", self.stats.watchers.json))
        members.append(("process", self.stats.process.json))
        return .object(members)
    }

    // MARK: For people

    /// The lines before the calls.
    var lines: [(name: String, text: String)] {
        let open = self.stats.connections.map { "\($0.openCount) \($0.wire)" }
        let (index, watchers) = (self.stats.index, self.stats.watchers)
        let indexBytes = Quantity.bytes(index.memory.reduce(0) { $0 + $1.byteCount })
        var lines: [(name: String, text: String)] = [
            ("up", Quantity.uptime(self.stats.uptime)),
            ("connections", "\(open.joined(separator: ", ")); \(self.traffic)"),
        ]
        lines += self.writerLines
        lines += [
            ("index", "\(index.deviceCount) devices in \(index.projectCount) projects, \(indexBytes)"),
            (
                "watchers",
                """
                \(watchers.count), \(watchers.catchingUpCount) catching up, the slowest \(watchers.lagRevisionCount) \
                revisions behind; \(watchers.tooSlowCount) ended as too slow
                """
            ),
            ("process", self.processLine),
        ]
        return lines
    }

    private var writerLines: [(name: String, text: String)] {
        let (writer, store) = (self.stats.writer, self.stats.store)
        let groups = writer.groupCallCounts.summary { "\($0)" }
        let commits = writer.commitTimes.summary(Quantity.time)
        let syncs = store.syncTimes.summary(Quantity.time)
        let (database, log) = (Quantity.bytes(store.databaseByteCount), Quantity.bytes(store.walByteCount))
        return [
            (
                "write queue",
                """
                \(writer.queuedCallCount) calls, at most \(writer.queuedCallCountMax); \(self.rate(writer.refusedCallCount)) \
                refused
                """
            ),
            ("groups", "\(self.rate(writer.groupCallCounts.count)); calls each: \(groups)"),
            (
                "commits",
                "\(self.rate(writer.commitTimes.count)); \(commits); \(self.rate(writer.failedCommitCount)) failed"
            ),
            ("syncs", "\(self.rate(store.syncTimes.count)); \(syncs)"),
            ("store", "\(database), log \(log), \(store.unfoldedChangeCount) changes to fold"),
        ]
    }

    private var processLine: String {
        let process = self.stats.process
        let seconds = process.processorTime / .seconds(1)
        let processor = self.seconds.map { Quantity.significant(100 * seconds / $0) + " %" }
        return """
            \(Quantity.bytes(process.residentByteCount)), \(process.descriptorCount) of \(process.descriptorCountMax) \
            descriptors, processor \(processor ?? Quantity.time(Int64(seconds * 1e9)))
            """
    }

    /// What a row for a method tells.
    enum CallColumn: String, CaseIterable {
        case method = "METHOD", wire = "PROTOCOL", count = "CALLS", failed = "FAILED", open = "OPEN", p50 = "P50", p90 =
            "P90"
        case p99 = "P99", p999 = "P99.9", max = "MAX"

        var isNumber: Bool { ![.method, .wire].contains(self) }

        /// Those that a terminal has room for beside the names of methods.
        static func fitting(_ columnCount: Int?) -> [CallColumn] {
            (columnCount ?? .max) >= 100 ? self.allCases : self.allCases.filter { ![.open, .p90, .p999].contains($0) }
        }
    }

    /// A row for each method, those that are called most first; without those that nothing happened to.
    func callRows(_ columns: [CallColumn]) -> [[String]] {
        self.stats.calls.filter { $0.count > 0 || $0.openCount > 0 }.sorted { $0.count > $1.count }.map { calls in
            columns.map { self.text(of: calls, $0) }
        }
    }

    private func text(of calls: ServerStats.Calls, _ column: CallColumn) -> String {
        func time(_ nanoseconds: @autoclosure () -> Int64) -> String {
            calls.count > 0 ? Quantity.time(nanoseconds()) : "-"
        }
        return switch column {
        case .method: calls.shortMethod
        case .wire: calls.wire
        case .count: self.rate(calls.count)
        case .failed: self.rate(calls.failedCount)
        case .open: String(calls.openCount)
        case .p50: time(calls.latency.quantile(0.5))
        case .p90: time(calls.latency.quantile(0.9))
        case .p99: time(calls.latency.quantile(0.99))
        case .p999: time(calls.latency.quantile(0.999))
        case .max: time(calls.latency.max)
        }
    }

    /// What came in and what went out.
    private var traffic: String {
        let received = self.stats.connections.reduce(0) { $0 + $1.receivedByteCount }
        let sent = self.stats.connections.reduce(0) { $0 + $1.sentByteCount }
        guard let seconds = self.seconds else {
            return "\(Quantity.bytes(received)) in, \(Quantity.bytes(sent)) out"
        }
        let (receivedRate, sentRate) = (Int64(Double(received) / seconds), Int64(Double(sent) / seconds))
        return "\(Quantity.bytes(receivedRate))/s in, \(Quantity.bytes(sentRate))/s out"
    }

    private var seconds: Double? {
        self.interval.map { max(1e-9, $0 / .seconds(1)) }
    }

    /// A count, or how many that are in a second.
    private func rate(_ count: Int64) -> String {
        guard let seconds = self.seconds else { return String(count) }
        return count == 0 ? "0/s" : Quantity.significant(Double(count) / seconds) + "/s"
    }
}

extension Printer {
    /// Writes statistics once.
    func statistics(_ report: StatsReport) throws(OutputError) {
        switch self.format {
        case .table: try self.data.write(self.picture(of: report, callCountMax: .max))
        case .ndjson: try self.data.write(report.json.text(.line) + "\n")
        case .json, .csv:
            let style: JSON.Style = self.data.isTerminal ? .indented : .line
            try self.data.write(JSON.object([("data", report.json)]).text(style) + "\n")
        }
    }

    /// Writes one of many samples: a line for a program, and for a person a picture in the place of the one before.
    func sample(_ report: StatsReport) throws(OutputError) {
        guard self.format == .table else {
            return try self.data.write(report.json.text(.line) + "\n")
        }
        guard self.data.isTerminal else {
            return try self.data.write(self.picture(of: report, callCountMax: .max) + "\n")
        }
        // As many calls as there is room for below the lines, an empty one, the headings, and the cursor's.
        let rowCount = (self.data.rowCount ?? 24) - report.lines.count - 3
        let home = "\u{1B}[H\u{1B}[J"
        try self.data.write(home + self.picture(of: report, callCountMax: max(1, rowCount)))
    }

    private func picture(of report: StatsReport, callCountMax: Int) -> String {
        let lines = report.lines
        let width = lines.map(\.name.count).max() ?? 0
        var text = ""
        for line in lines {
            let line = line.name + String(repeating: " ", count: width - line.name.count + 2) + line.text.visible
            text += (self.data.columnCount.map { line.cut(to: $0) } ?? line) + "\n"
        }
        let columns = StatsReport.CallColumn.fitting(self.data.columnCount)
        var table = Table(
            headings: columns.map { ($0.rawValue, $0.isNumber) }, columnCountMax: self.data.columnCount,
            isStyled: self.data.isStyled)
        let rows = table.text(of: Array(report.callRows(columns).prefix(callCountMax)))
        return rows.isEmpty ? text : text + "\n" + rows
    }
}
