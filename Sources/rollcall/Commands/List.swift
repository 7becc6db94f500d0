internal import ArgumentParser
internal import RollcallClient

/// `rollcall list`
struct List: ClientCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the devices that match.",
        discussion: """
            An option given more than once means any of its values; different options all have to hold.

              rollcall list --release 1.2.3 --release 1.2.4 --hardware-version hwrev1
              rollcall list --last-seen-since 2019-01-19T05:01:13Z --sort=-last_seen
              rollcall list --activity inactive --activity-window 7d --all --output csv
              rollcall list --filter 'attributes.battery < 20 AND cohort = beta'
            """
    )

    @OptionGroup var filters: FilterOptions

    // Unconditional, so that a value may begin with a hyphen without an equals sign before it.
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Sort by these keys, comma-separated, with a hyphen before one for descending.",
            discussion: """
                Keys: id, created_date, updated_date, device_serial, owner_ref, hardware_version, last_seen, release, \
                cohort, attributes.<key>. Default: id. Never seen, or no value, counts as smallest.
                """,
            valueName: "keys"
        ),
        transform: SortKey.argument
    )
    var sort: [[SortKey]] = []

    @Option(help: ArgumentHelp("How much of each: basic, or full with its attributes.", valueName: "view"))
    var view = DeviceView.basic

    @OptionGroup var pages: PageOptions
    @OptionGroup var explaining: ExplainOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try self.filters.requireActivityOfWindow()
        if self.explaining.explain, self.pages.all {
            throw ValidationError("--explain is about one page, and does not go together with --all.")
        }
    }

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        var query = ListQuery()
        query.filter = self.filters.deviceFilter
        query.sort = self.sort.flatMap(\.self)
        guard !self.explaining.explain else {
            query.position = self.pages.position
            query.pageSize = self.pages.itemCountPerPage
            query.includesTotal = self.pages.includesTotal
            query.explains = true
            try printer.explanation(try await client.listDevices(query, view: self.view).explanation)
            return
        }
        try await self.pages.show("devices", as: .device(self.view), to: printer) {
            position, itemCount, includesTotal in
            query.position = position
            query.pageSize = itemCount
            query.includesTotal = includesTotal
            return try await client.listDevices(query, view: self.view)
        }
    }
}
