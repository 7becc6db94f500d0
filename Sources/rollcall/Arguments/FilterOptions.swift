// The options that choose devices.

internal import ArgumentParser
internal import RollcallClient

/// Which devices a command is about.
struct FilterOptions: ParsableArguments {
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

    // Unconditional, so that an expression may begin with a hyphen, which means NOT.
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "An expression that has to hold, such as 'attributes.battery < 20 AND NOT cohort = lab'.",
            discussion: """
                Compares id, created_date, updated_date, device_serial, owner_ref, hardware_version, last_seen, \
                release, release.revision, release.id, cohort, cohort.name, cohort.id, etag and attributes.<key> by \
                = != < <= > >=, with * for any characters in a text after =; name:* asks for a value. Joined by AND, \
                OR (which binds tighter), NOT and parentheses.
                """,
            valueName: "expression"
        )
    )
    var filter: [String] = []

    func validate() throws {
        if self.filter.count > 1 {
            throw ValidationError("--filter is given once; join its expressions with AND.")
        }
    }

    /// Refuses a window of an activity that nobody asks for.
    func requireActivityOfWindow() throws {
        if self.activityWindow != nil, self.activity == nil {
            throw ValidationError("--activity-window needs --activity.")
        }
    }

    /// The options as a query has them.
    var deviceFilter: DeviceFilter {
        var filter = DeviceFilter()
        filter.releases = self.release
        filter.ownerRefs = self.ownerRef
        filter.hardwareVersions = self.hardwareVersion
        filter.cohorts = self.cohort
        filter.deviceSerials = self.serial
        filter.lastSeenSince = self.lastSeenSince
        filter.lastSeenUntil = self.lastSeenUntil
        filter.activity = self.activity
        filter.activityWindowMicroseconds = self.activityWindow?.microseconds
        filter.expression = self.filter.first ?? ""
        return filter
    }
}

/// Shows how an answer was found.
struct ExplainOptions: ParsableArguments {
    @Flag(help: "Print how the answer was found and what that took, and not the answer.")
    var explain = false
}
