// Counts of devices in each format.

internal import DeviceModel
internal import JSONText

extension Printer {
    /// Writes a count: its groups as a list, but JSON as one object.
    func count(_ count: DeviceCount, by keys: [GroupKey]) throws(OutputError) {
        guard !keys.isEmpty, self.format != .json else {
            return try self.one(count, as: .count(by: keys))
        }
        try self.whole(count.groups, "devices", as: .group(by: keys))
        guard !count.groups.isEmpty else { return }
        let groups = count.groups.count == 1 ? "1 group" : "\(count.groups.count) groups"
        let more = count.otherCount == 0 ? "" : " There are more: --limit"
        self.note("\(count.count - count.otherCount) of \(count.count) devices in \(groups).\(more)")
    }
}

extension Layout<DeviceCount> {
    /// - Parameter keys: What was counted by; for none there is the count alone.
    static func count(by keys: [GroupKey]) -> Layout {
        let fields = [Column<DeviceCount>("count", isNumber: true) { String($0.count) }]
        return Layout(
            json: { count in
                let group = Layout<DeviceGroup>.group(by: keys)
                let groups: [(name: String, value: JSON)] = [
                    ("groups", .array(count.groups.map(group.json))), ("other_count", .int(count.otherCount)),
                ]
                return .object([("count", .int(count.count))] + (keys.isEmpty ? [] : groups))
            },
            columns: fields,
            fields: fields
        )
    }
}

extension Layout<DeviceGroup> {
    /// - Parameter keys: What was counted by; every group has a value for each.
    static func group(by keys: [GroupKey]) -> Layout {
        let keys = Array(keys.enumerated())
        return Layout(
            json: { group in
                .object(keys.map { ($1.name, group.values[$0].json) } + [("count", .int(group.count))])
            },
            columns: keys.map { index, key in
                Column(key.heading) { $0.values[index] == .none ? "-" : $0.values[index].text }
            } + [Column("DEVICES", isNumber: true) { String($0.count) }],
            fields: keys.map { index, key in Column(key.name) { $0.values[index].text } }
                + [Column("count", isNumber: true) { String($0.count) }]
        )
    }
}

extension GroupKey {
    /// As the columns of devices are called.
    fileprivate var heading: String {
        switch self {
        case .release: "RELEASE"
        case .hardwareVersion: "HARDWARE"
        case .cohort: "COHORT"
        case .ownerRef: "OWNER"
        case .activity: "ACTIVITY"
        case .attribute(let key): key
        }
    }
}

extension GroupValue {
    fileprivate var json: JSON {
        switch self {
        case .none: .null
        case .text(let value): .string(value)
        case .int(let value): .int(value)
        case .float(let value): .double(value)
        case .bool(let value): .bool(value)
        case .activity(let value): .string(value.name)
        }
    }

    /// The value in words, without quotes; empty for none.
    fileprivate var text: String {
        switch self {
        case .none: ""
        case .text(let value): value
        case .int(let value): String(value)
        case .float(let value): String(value)
        case .bool(let value): String(value)
        case .activity(let value): value.name
        }
    }
}
