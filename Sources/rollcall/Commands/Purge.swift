internal import ArgumentParser
internal import Glibc
internal import RollcallClient

/// `rollcall purge`
struct Purge: ClientCommand {
    static let configuration = CommandConfiguration(
        abstract: "Delete every device that matches, with its attributes.",
        discussion: """
            Takes the filters of 'rollcall list', at least one of them. Shows how many devices match and asks before it \
            deletes them, unless --yes is given; if another number matches by then, nothing is deleted. Of very many, \
            raise --timeout.

              rollcall purge --cohort scrapped
              rollcall purge --filter 'last_seen < 2019-01-01T00:00:00Z' --yes
              rollcall purge --filter 'id > 0' --validate-only
            """
    )

    @OptionGroup var filters: FilterOptions

    @Flag(help: "Do not ask.")
    var yes = false

    @Flag(help: "Tell how many devices match, and delete nothing.")
    var validateOnly = false

    @OptionGroup var request: RequestOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if self.filters.deviceFilter.isEmpty {
            throw ValidationError("Say which devices to delete; --filter 'id > 0' is all of them.")
        }
        try self.filters.requireActivityOfWindow()
        if !self.yes, !self.validateOnly, isatty(STDIN_FILENO) != 1 {
            throw ValidationError("There is no terminal to ask at; give --yes to delete without being asked.")
        }
    }

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let filter = self.filters.deviceFilter
        var expectedCount: Int64?
        // With --yes nothing is shown that would have to hold.
        if !self.yes || self.validateOnly {
            let count = try await client.purgeDevices(matching: filter, validateOnly: true)
            guard !self.validateOnly else { return try self.print("Would delete", count, printer) }
            guard count > 0 else { return try self.print("Deleted", count, printer) }
            let question = "Delete \(Self.devices(count)) for good? [y/N] "
            guard try await Confirmation.isGiven(to: question, printer.words) else { throw Declined() }
            expectedCount = count
        }
        let count = try await client.purgeDevices(
            matching: filter, expectedCount: expectedCount, requestID: self.request.requestID
        )
        try self.print("Deleted", count, printer)
    }

    private func print(_ verb: String, _ count: Int64, _ printer: Printer) throws(OutputError) {
        if printer.format != .table {
            try printer.count(DeviceCount(count: count, groups: [], otherCount: 0), by: [])
        }
        printer.note("\(verb) \(Self.devices(count)).")
    }

    private static func devices(_ count: Int64) -> String {
        count == 1 ? "1 device" : "\(count) devices"
    }
}
