internal import ArgumentParser
internal import DeviceModel
internal import RollcallClient

/// `rollcall count`
struct Count: ClientCommand {
    static let configuration = CommandConfiguration(
        abstract: "Count the devices that match, in all or by what they have in common.",
        discussion: """
            Takes the filters of 'rollcall list'. By release, for one, it tells how many devices run each, the most \
            widespread first.

              rollcall count --activity active
              rollcall count --by release,cohort
              rollcall count --by attributes.battery --filter 'cohort = beta' --limit 10
            """
    )

    @OptionGroup var filters: FilterOptions

    @Option(
        help: ArgumentHelp(
            "Count by these keys, at most two, comma-separated.",
            discussion: "Keys: release, hardware_version, cohort, owner_ref, activity, attributes.<key>.",
            valueName: "keys"
        )
    )
    var by: [String] = []

    @Option(help: ArgumentHelp("Print the <count> largest groups, up to 10000. Default: 1000.", valueName: "count"))
    var limit: Int?

    @OptionGroup var explaining: ExplainOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        let keys = try self.keys
        if self.filters.activityWindow != nil, self.filters.activity == nil, !keys.contains(.activity) {
            throw ValidationError("--activity-window needs --activity, or --by activity.")
        }
        if let limit = self.limit, limit < 1 {
            throw ValidationError("--limit must be at least 1.")
        }
        if self.limit != nil, keys.isEmpty {
            throw ValidationError("--limit needs --by.")
        }
    }

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        var query = CountQuery()
        query.filter = self.filters.deviceFilter
        query.groupBy = try self.keys
        if let limit = self.limit {
            query.groupLimit = limit
        }
        query.explains = self.explaining.explain
        let count = try await client.countDevices(query)
        if query.explains {
            try printer.explanation(count.explanation)
        } else {
            try printer.count(count, by: query.groupBy)
        }
    }

    /// The keys of `--by`.
    var keys: [GroupKey] {
        get throws {
            let names = self.by.flatMap { AttributePath.split($0, at: ",") }
            var check = FieldCheck()
            let keys = check.groupKeys(names.map { String($0.trimmingSpaces) }, field: "--by")
            guard check.violations.isEmpty else {
                throw ValidationError(check.violations.map { "--by \($0.description)." }.joined(separator: " "))
            }
            return keys
        }
    }
}

extension Substring {
    /// The text without the spaces at its ends.
    fileprivate var trimmingSpaces: Substring {
        let text = self.drop { $0 == " " }
        return text.lastIndex { $0 != " " }.map { text[...$0] } ?? ""
    }
}
