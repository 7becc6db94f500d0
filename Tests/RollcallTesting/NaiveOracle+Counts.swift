// How many devices match, and how they divide.

package import DeviceModel

extension NaiveOracle {
    /// - Parameter tree: what the query's expression says.
    package func count(
        _ query: CountQuery, tree: FilterExpression? = nil, now: Timestamp, defaultWindow: Int64 = 86_400_000_000
    ) -> DeviceCount {
        let matches = self.matches(query.filter, tree: tree, now: now, defaultWindow: defaultWindow)
        return self.count(of: matches, query, now: now, defaultWindow: defaultWindow)
    }

    /// The count of the devices that match.
    package func count(
        of matches: [Entry], _ query: CountQuery, now: Timestamp, defaultWindow: Int64 = 86_400_000_000
    ) -> DeviceCount {
        let window = query.filter.activityWindowMicroseconds ?? defaultWindow
        var groups: [DeviceGroup] = []
        if !query.groupBy.isEmpty {
            let all = matches.map { entry in
                query.groupBy.reduce(into: GroupValues()) {
                    $0.append(self.groupValue($1, of: entry, now: now, window: window))
                }
            }
            for values in all.sorted(by: { Self.order($0, $1) < 0 }) {
                if let last = groups.last, Self.order(last.values, values) == 0 {
                    groups[groups.count - 1].count += 1
                } else {
                    groups.append(DeviceGroup(values: values, count: 1))
                }
            }
            groups.sort { ($1.count, Self.order($0.values, $1.values)) < ($0.count, 0) }
        }
        let shown = groups.prefix(query.groupLimit)
        return DeviceCount(
            count: Int64(matches.count), groups: Array(shown),
            otherCount: groups.dropFirst(shown.count).reduce(0) { $0 + $1.count }
        )
    }

    /// An empty owner is none, as where a filter asks for presence.
    private func groupValue(_ key: GroupKey, of entry: Entry, now: Timestamp, window: Int64) -> GroupValue {
        switch key {
        case .release: return self.release(of: entry).map { .text($0.version) } ?? GroupValue.none
        case .hardwareVersion: return .text(entry.fields.hardwareVersion)
        case .cohort: return self.cohort(of: entry).map { .text($0.slug) } ?? GroupValue.none
        case .ownerRef: return self.hasValue(.ownerRef, entry) ? .text(entry.fields.ownerRef) : GroupValue.none
        case .activity: return .activity(Self.activity(of: entry, now: now, window: window))
        case .attribute(let text):
            guard let key = self.attributeKeys[CustomMetric.folded(text)] else {
                preconditionFailure("devices are counted by an attribute that the project does not have")
            }
            switch entry.attributes[key.id]?.value {
            case .int(let number): return .int(number)
            case .float(let number): return .float(number)
            case .bool(let value): return .bool(value)
            case .string(let text): return .text(text)
            case nil: return GroupValue.none
            }
        }
    }

    private static func order(_ left: GroupValues, _ right: GroupValues) -> Int {
        for index in left.indices {
            let order = Self.order(left[index], right[index])
            if order != 0 { return order }
        }
        return 0
    }

    /// No value comes before any; activities in the order in which they are declared.
    private static func order(_ left: GroupValue, _ right: GroupValue) -> Int {
        switch (left, right) {
        case (.none, .none): 0
        case (.none, _): -1
        case (_, .none): 1
        case (.text(let left), .text(let right)): RollcallTesting.order(left, right)
        case (.int(let left), .int(let right)): RollcallTesting.order(left, right)
        case (.float(let left), .float(let right)): RollcallTesting.order(left, right)
        case (.bool(let left), .bool(let right)): RollcallTesting.order(left ? 1 : 0, right ? 1 : 0)
        case (.activity(let left), .activity(let right)): RollcallTesting.order(left.rawValue, right.rawValue)
        default: preconditionFailure("\(left) and \(right) are not values of one key")
        }
    }
}
