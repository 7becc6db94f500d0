// How one kind of thing is shown in each format.

internal import DeviceModel
internal import JSONText

/// One column of a table, or one field of a CSV file.
struct Column<Item>: Sendable {
    let name: String
    let text: @Sendable (Item) -> String
    /// Right-aligned in tables.
    var isNumber = false

    init(_ name: String, isNumber: Bool = false, _ text: @escaping @Sendable (Item) -> String) {
        self.name = name
        self.isNumber = isNumber
        self.text = text
    }
}

/// The shape of an item in every format.
struct Layout<Item>: Sendable {
    /// The Devices API's own shape.
    let json: @Sendable (Item) -> JSON
    /// What a table of many shows, with empty values already put into words.
    let columns: [Column<Item>]
    /// Every field by its API name, for CSV and for one item alone.
    let fields: [Column<Item>]
    /// What one item alone shows line by line, where that is not its fields.
    var details: (@Sendable (Item) -> [(name: String, text: String)])?

    /// The lines of one item alone.
    func lines(of item: Item) -> [(name: String, text: String)] {
        self.details?(item) ?? self.fields.map { ($0.name, $0.text(item)) }
    }
}

extension Layout<Project> {
    static let project = Layout(
        json: { project in
            .object([
                ("id", .int(project.id)),
                ("slug", .string(project.slug)),
                ("name", .string(project.name)),
                ("created_date", .string(project.createdDate.description)),
            ])
        },
        columns: [
            Column("SLUG") { $0.slug },
            Column("NAME") { $0.name },
            Column("CREATED") { $0.createdDate.short },
        ],
        fields: [
            Column("id", isNumber: true) { String($0.id) },
            Column("slug") { $0.slug },
            Column("name") { $0.name },
            Column("created_date") { $0.createdDate.description },
        ]
    )
}

extension Layout<ServerInfo> {
    static let serverInfo = Layout(
        json: { info in
            .object([
                ("version", .string(info.version)),
                ("store_id", .string(info.storeID)),
                ("revision", .int(info.revision)),
                ("uptime_seconds", .double(info.uptime / .seconds(1))),
                (
                    "caller",
                    .object([
                        ("uid", .int(Int64(info.caller.userID))),
                        ("gid", .int(Int64(info.caller.groupID))),
                        ("pid", .int(Int64(info.caller.processID))),
                        ("groups", .array(info.caller.groupIDs.map { .int(Int64($0)) })),
                        ("roles", .array(info.caller.roles.map(\.json))),
                    ])
                ),
                (
                    "limits",
                    .array(
                        info.limits.map { limit in
                            .object([
                                ("name", .string(limit.name)), ("value", .int(limit.value)),
                                ("unit", .string(limit.unit)),
                            ])
                        }
                    )
                ),
                (
                    "memory",
                    .array(
                        info.memory.map { figure in
                            .object([("name", .string(figure.name)), ("bytes", .int(figure.byteCount))])
                        }
                    )
                ),
                (
                    "store",
                    .object([("state", .string(info.store.name)), ("reason", .string(info.store.reason))])
                ),
            ])
        },
        columns: Self.serverFields,
        fields: Self.serverFields,
        details: { info in
            Self.serverFields.map { field in
                let text = field.text(info)
                return (field.name, text.isEmpty ? "-" : text)
            }
                + info.limits.map { ("limits.\($0.name)", "\($0.value) \($0.unit)") }
                + info.memory.map { ("memory.\($0.name)", "\($0.byteCount) bytes") }
        }
    )

    private static let serverFields: [Column<ServerInfo>] = [
        Column("version") { $0.version },
        Column("store_id") { $0.storeID },
        Column("revision", isNumber: true) { String($0.revision) },
        Column("uptime_seconds", isNumber: true) { String($0.uptime / .seconds(1)) },
        Column("caller_uid", isNumber: true) { String($0.caller.userID) },
        Column("caller_gid", isNumber: true) { String($0.caller.groupID) },
        Column("caller_pid", isNumber: true) { String($0.caller.processID) },
        Column("caller_groups") { $0.caller.groupIDs.map { String($0) }.joined(separator: " ") },
        Column("caller_roles") { $0.caller.roles.map(\.text).joined(separator: " ") },
        Column("store_state") { $0.store.name },
        Column("store_reason") { $0.store.reason },
    ]
}

extension ServerInfo.GrantedRoles {
    /// `project` is null where the roles hold in every one.
    fileprivate var json: JSON {
        .object([
            ("project", self.project.map { .string($0) } ?? .null), ("roles", .array(self.roles.map { .string($0) })),
        ])
    }

    /// As an access rule has it: `reader+reporter@lab`.
    fileprivate var text: String {
        self.roles.joined(separator: "+") + (self.project.map { "@\($0)" } ?? "")
    }
}

extension ServerInfo.StoreState {
    fileprivate var name: String {
        switch self {
        case .ready: "ready"
        case .checking: "checking"
        case .failing: "failing"
        case .closed: "closed"
        }
    }

    /// Empty where there is none.
    fileprivate var reason: String {
        switch self {
        case .ready, .checking: ""
        case .failing(let reason), .closed(let reason): reason
        }
    }
}

extension Timestamp {
    /// To the second, for people: `2019-01-19 05:01:13Z`.
    var short: String {
        let text = self.description
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8))Z"
    }
}
