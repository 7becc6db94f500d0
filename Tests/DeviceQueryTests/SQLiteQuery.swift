// A list's query in SQL.

import DeviceModel
import RollcallTesting

/// Translates queries for the tables of ``SQLiteFleet``. Conditions are never NULL: a missing value makes them 0.
struct SQLiteQuery {
    let text: String

    init(_ query: ListQuery, _ tree: FilterExpression?, keys: [String: AttributeKeyRecord], now: Timestamp) {
        var joins: [String] = []
        var order: [String] = []
        for key in query.sort {
            let direction = key.isDescending ? " DESC NULLS LAST" : " ASC NULLS FIRST"
            var columns = Self.columns(key.field)
            if case .attribute(let text) = key.field {
                let name = "s\(joins.count)"
                let id = keys[text]?.id.rawValue ?? -1
                joins.append(" LEFT JOIN attributes \(name) ON \(name).device = d.id AND \(name).key = \(id)")
                columns = ["\(name).value"]
            }
            order += columns.map { $0 + direction }
        }
        order.append("d.id" + (query.sort.last?.isDescending ?? false ? " DESC" : ""))
        let conditions = Self.conditions(query.filter, now: now) + (tree.map { [Self.condition($0)] } ?? [])
        self.text =
            "SELECT d.device_serial FROM devices d" + joins.joined()
            + (conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND "))
            + " ORDER BY " + order.joined(separator: ", ")
    }

    private static func columns(_ field: SortKey.Field) -> [String] {
        switch field {
        case .id, .createdDate, .updatedDate, .deviceSerial, .ownerRef, .hardwareVersion, .lastSeen: ["d." + field.name]
        case .release: ["d.version", "d.revision"]
        case .cohort: ["d.slug"]
        case .attribute: []
        }
    }

    // MARK: Fields

    private static func conditions(_ filter: DeviceFilter, now: Timestamp) -> [String] {
        var conditions: [String] = []
        let values = [
            ("version", filter.releases), ("owner_ref", filter.ownerRefs),
            ("hardware_version", filter.hardwareVersions), ("slug", filter.cohorts),
            ("device_serial", filter.deviceSerials),
        ]
        for (column, texts) in values where !texts.isEmpty {
            let list = texts.map { SQLiteLiteral.text(Array($0.utf8)) }.joined(separator: ", ")
            conditions.append("coalesce(d.\(column) IN (\(list)), 0)")
        }
        if let since = filter.lastSeenSince { conditions.append("coalesce(d.last_seen > \(since.microseconds), 0)") }
        if let until = filter.lastSeenUntil { conditions.append("coalesce(d.last_seen < \(until.microseconds), 0)") }
        let window = filter.activityWindowMicroseconds ?? 86_400_000_000
        let recent = now.advanced(byMicroseconds: -window).microseconds
        switch filter.activity {
        case .pending: conditions.append("d.last_seen IS NULL")
        case .active: conditions.append("coalesce(d.last_seen >= \(recent), 0)")
        case .inactive: conditions.append("coalesce(d.last_seen < \(recent), 0)")
        case nil: break
        }
        return conditions
    }

    // MARK: Trees

    private static func condition(_ tree: FilterExpression) -> String {
        switch tree {
        case .all(let parts): "(" + parts.map(self.condition).joined(separator: " AND ") + ")"
        case .any(let parts): "(" + parts.map(self.condition).joined(separator: " OR ") + ")"
        case .not(let part): "NOT (" + self.condition(part) + ")"
        case .presence(.ownerRef): "d.owner_ref <> ''"
        case .presence(.releaseRevision): "coalesce(d.revision <> '', 0)"
        case .presence(let field): self.condition(on: field) { "\($0) IS NOT NULL" }
        case .comparison(let field, let comparison, let operand):
            self.condition(on: field) { self.condition($0, comparison, operand) }
        }
    }

    private static func condition(on field: FilterField, _ condition: (String) -> String) -> String {
        guard case .attribute(let key) = field else { return "coalesce(\(condition("d." + self.column(field))), 0)" }
        let value = condition("a.value")
        return "EXISTS (SELECT 1 FROM attributes a WHERE a.device = d.id AND a.key = \(key.id.rawValue) AND \(value))"
    }

    private static func column(_ field: FilterField) -> String {
        switch field {
        case .id: "id"
        case .createdDate: "created_date"
        case .updatedDate: "updated_date"
        case .deviceSerial: "device_serial"
        case .ownerRef: "owner_ref"
        case .hardwareVersion: "hardware_version"
        case .lastSeen: "last_seen"
        case .releaseID: "release_id"
        case .releaseVersion: "version"
        case .releaseRevision: "revision"
        case .cohortID: "cohort_id"
        case .cohortSlug: "slug"
        case .cohortName: "cohort_name"
        case .etag: "etag"
        case .attribute: "value"
        }
    }

    private static func condition(_ column: String, _ comparison: FilterOperator, _ operand: FilterOperand) -> String {
        let sign =
            switch comparison {
            case .equal: "="
            case .notEqual: "<>"
            case .less: "<"
            case .lessOrEqual: "<="
            case .greater: ">"
            case .greaterOrEqual: ">="
            }
        switch operand {
        case .integer(let number): return "\(column) \(sign) \(SQLiteLiteral.text(.integer(number)))"
        case .float(let number): return "\(column) \(sign) \(SQLiteLiteral.text(number))"
        case .bool(let value): return "\(column) \(sign) \(SQLiteLiteral.text(.bool(value)))"
        case .text(let text): return "\(column) \(sign) \(SQLiteLiteral.text(.text(text)))"
        case .time(let time): return "\(column) \(sign) \(SQLiteLiteral.text(.time(time)))"
        case .pattern(let pattern):
            let glob = SQLiteLiteral.text(
                Array(pattern.pieces.map(self.escaped).joined(separator: [UInt8(ascii: "*")])))
            return "\(column) \(comparison == .equal ? "" : "NOT ")GLOB \(glob)"
        }
    }

    /// The characters that GLOB has a use for, each as a set of one.
    private static func escaped(_ piece: [UInt8]) -> [UInt8] {
        piece.flatMap {
            [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "[")].contains($0) ? [0x5B, $0, 0x5D] : [$0]
        }
    }
}
