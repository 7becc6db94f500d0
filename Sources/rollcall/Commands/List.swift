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
            """
    )

    @Option(help: ArgumentHelp("Last seen with a release of this version.", valueName: "version"))
    var release: [String] = []

    @Option(help: ArgumentHelp("Belonging to this owner.", valueName: "owner"))
    var ownerRef: [String] = []

    @Option(help: ArgumentHelp("Of this hardware version.", valueName: "version"))
    var hardwareVersion: [String] = []

    @Option(help: ArgumentHelp("In this cohort.", valueName: "slug"))
    var cohort: [String] = []

    @Option(help: ArgumentHelp("With this serial.", valueName: "serial"))
    var serial: [String] = []

    @Option(
        help: ArgumentHelp("Last seen after this time, such as 2019-01-19T05:01:13Z.", valueName: "time"),
        transform: Timestamp.argument
    )
    var lastSeenSince: Timestamp?

    @Option(help: ArgumentHelp("Last seen before this time.", valueName: "time"), transform: Timestamp.argument)
    var lastSeenUntil: Timestamp?

    @Option(
        help: ArgumentHelp(
            "pending (never seen), active (seen within the activity window) or inactive (the rest).",
            valueName: "activity"
        )
    )
    var activity: Activity?

    @Option(help: ArgumentHelp("What counts as active, such as 90s, 30m or 7d. Default: 24h.", valueName: "span"))
    var activityWindow: Span?

    // Unconditional, so that a value may begin with a hyphen without an equals sign before it.
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Sort by these keys, comma-separated, with a hyphen before one for descending.",
            discussion: """
                Keys: id, created_date, updated_date, device_serial, owner_ref, hardware_version, last_seen, release, \
                cohort. Default: id. Never seen counts as smallest.
                """,
            valueName: "keys"
        ),
        transform: SortKey.argument
    )
    var sort: [[SortKey]] = []

    @Option(help: ArgumentHelp("How much of each: basic, or full with its attributes.", valueName: "view"))
    var view = DeviceView.basic

    @OptionGroup var pages: PageOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if self.activityWindow != nil, self.activity == nil {
            throw ValidationError("--activity-window needs --activity.")
        }
    }

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        var query = ListQuery()
        query.filter.releases = self.release
        query.filter.ownerRefs = self.ownerRef
        query.filter.hardwareVersions = self.hardwareVersion
        query.filter.cohorts = self.cohort
        query.filter.deviceSerials = self.serial
        query.filter.lastSeenSince = self.lastSeenSince
        query.filter.lastSeenUntil = self.lastSeenUntil
        query.filter.activity = self.activity
        query.filter.activityWindowMicroseconds = self.activityWindow?.microseconds
        query.sort = self.sort.flatMap(\.self)
        try await self.pages.show("devices", as: .device(self.view), to: printer) {
            position, itemCount, includesTotal in
            query.position = position
            query.pageSize = itemCount
            query.includesTotal = includesTotal
            return try await client.listDevices(query, view: self.view)
        }
    }
}
