internal import ArgumentParser
internal import FoundationEssentials
internal import JSONText
internal import RollcallClient

/// `rollcall watch`
struct Watch: ClientCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the devices that match, and then every change, as it happens.",
        discussion: """
            A line for each: 'snapshot' for a device that matches at the beginning, then 'entered', 'changed' and 'left' for one \
            that begins to match, changes, or ceases to match. Goes on by itself after the connection was lost or the daemon \
            restarted, without missing a change. Ends with Ctrl-C.

              rollcall watch --cohort beta
              rollcall watch --filter 'attributes.battery < 20' --output ndjson
              rollcall watch --from 6f9619ff-8b86-4d01-b42d-00cf4fc964ff/1234

            As NDJSON each line is an object with event, revision and data, and a 'bookmark' with store_id and revision tells \
            now and then how far the watch is: --from takes it up there. Activity and names of cohorts cannot be watched.
            """
    )

    @OptionGroup var filters: FilterOptions

    @Option(help: ArgumentHelp("How much of each: basic, or full with its attributes.", valueName: "view"))
    var view = DeviceView.basic

    @Option(
        help: ArgumentHelp("Go on from a bookmark: its store's id, a slash and its revision.", valueName: "bookmark"),
        transform: Bookmark.argument
    )
    var from: Bookmark?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if self.global.output == .json || self.global.output == .csv {
            throw ValidationError("A watch prints a line at a time: --output takes table or ndjson here.")
        }
        if self.filters.activity != nil || self.filters.activityWindow != nil {
            throw ValidationError("Activity changes with the time and cannot be watched; use --last-seen-since.")
        }
    }

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let lines = EventPrinter(printer, self.view)
        var bookmark = self.from
        var pause = Self.pauseMin
        var hasBegun = false
        while true {
            let end = try await self.watch(client, lines, from: bookmark)
            bookmark = end.reached
            guard let error = end.error else { return }
            if end.hasToldSomething { (hasBegun, pause) = (true, Self.pauseMin) }
            guard hasBegun else { throw error }
            if error.code == .outOfRange {
                printer.note("\(error.message) Beginning anew.")
                bookmark = nil
            } else if error.reason == "WATCHER_TOO_SLOW" || error.code == .unavailable {
                printer.note("\(error.message) Trying again.")
            } else {
                throw error
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, Self.pauseMax)
        }
    }

    /// How long to wait before another attempt: at first, and at most.
    private static let pauseMin = Duration.milliseconds(100)
    private static let pauseMax = Duration.seconds(5)

    /// How a watch came to its end.
    private struct End: Sendable {
        /// Nil where the server ended it well.
        var error: RollcallError?
        /// Up to where everything was printed.
        var reached: Bookmark?
        var hasToldSomething = false
    }

    /// Watches until that fails or ends.
    private func watch(_ client: RollcallClient, _ lines: EventPrinter, from start: Bookmark?) async throws -> End {
        do {
            return try await client.watchDevices(self.filters.deviceFilter, view: self.view, from: start) { events in
                var end = End(reached: start)
                do {
                    for try await event in events {
                        try lines.write(event)
                        end.reached = event.place(after: end.reached)
                        end.hasToldSomething = true
                    }
                } catch let error as RollcallError {
                    end.error = error
                }
                return end
            }
        } catch let error as RollcallError {
            return End(error: error, reached: start)
        }
    }
}

/// Prints what a watch tells, a line each.
private struct EventPrinter: Sendable {
    private let printer: Printer
    private let layout: @Sendable () -> Layout<Device>

    init(_ printer: Printer, _ view: DeviceView) {
        self.printer = printer
        self.layout = { .device(view) }
    }

    func write(_ event: DeviceEvent) throws(OutputError) {
        switch event {
        case .snapshot(let devices, let revision):
            for device in devices { try self.write("snapshot", device, revision) }
        case .entered(let device, let revision): try self.write("entered", device, revision)
        case .changed(let device, let revision): try self.write("changed", device, revision)
        case .left(let device, let revision): try self.write("left", device, revision)
        case .bookmark(let bookmark):
            guard self.printer.format != .table else { return }
            let line = JSON.object([
                ("event", .string("bookmark")), ("revision", .int(bookmark.revision)),
                ("store_id", .string(bookmark.storeID.uuidString.lowercased())),
            ])
            try self.printer.data.write(line.text(.line) + "\n")
        }
    }

    private func write(_ event: String, _ device: Device, _ revision: Int64) throws(OutputError) {
        let layout = self.layout()
        guard self.printer.format == .table else {
            let line = JSON.object([
                ("event", .string(event)), ("revision", .int(revision)), ("data", layout.json(device)),
            ])
            return try self.printer.data.write(line.text(.line) + "\n")
        }
        let name = event + String(repeating: " ", count: "snapshot".count - event.count)
        let columns = layout.columns.map { $0.text(device).visible }
        try self.printer.data.write(([name] + columns).joined(separator: "  ") + "\n")
    }
}

extension DeviceEvent {
    /// Where a watch stands that stood at `bookmark`; nil until the first bookmark.
    fileprivate func place(after bookmark: Bookmark?) -> Bookmark? {
        switch self {
        case .bookmark(let bookmark): bookmark
        case .snapshot: bookmark
        case .entered(_, let revision), .changed(_, let revision), .left(_, let revision):
            bookmark.map { Bookmark(storeID: $0.storeID, revision: revision) }
        }
    }
}

extension Bookmark {
    fileprivate static func argument(_ text: String) throws -> Bookmark {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let storeID = UUID(uuidString: String(parts[0])), let revision = Int64(parts[1]),
            revision >= 0
        else {
            throw ValidationError("'\(text)' is no bookmark: give a store's id, a slash and a revision.")
        }
        return Bookmark(storeID: storeID, revision: revision)
    }
}
