// Which devices a filter leaves, and in which order.

package import DeviceModel

extension NaiveOracle {
    /// The whole list of a query, position and page size left aside.
    ///
    /// - Parameter tree: what the query's expression says.
    package func list(
        _ query: ListQuery, tree: FilterExpression? = nil, now: Timestamp, defaultWindow: Int64 = 86_400_000_000
    ) -> [Entry] {
        self.sorted(self.matches(query.filter, tree: tree, now: now, defaultWindow: defaultWindow), by: query.sort)
    }

    /// Every device that matches, in no order.
    package func matches(
        _ filter: DeviceFilter, tree: FilterExpression? = nil, now: Timestamp, defaultWindow: Int64 = 86_400_000_000
    ) -> [Entry] {
        precondition(filter.expression.isEmpty == (tree == nil), "the oracle reads trees, not texts")
        let window = filter.activityWindowMicroseconds ?? defaultWindow
        return self.entries.filter { entry in
            self.matches(entry, filter, now: now, window: window) && tree.map { self.matches(entry, $0) } ?? true
        }
    }

    /// Whether a device matches a filter, the expression left aside.
    package func matches(_ entry: Entry, _ filter: DeviceFilter, now: Timestamp, window: Int64) -> Bool {
        func holds(_ values: [String], _ value: String?) -> Bool {
            values.isEmpty || values.contains { candidate in value.map { candidate.hasSameBytes(as: $0) } ?? false }
        }
        guard holds(filter.releases, self.release(of: entry)?.version), holds(filter.ownerRefs, entry.fields.ownerRef),
            holds(filter.hardwareVersions, entry.fields.hardwareVersion),
            holds(filter.cohorts, self.cohort(of: entry)?.slug), holds(filter.deviceSerials, entry.serial)
        else { return false }
        let lastSeen = entry.sighting.lastSeen
        if let since = filter.lastSeenSince {
            guard let lastSeen, lastSeen > since else { return false }
        }
        if let until = filter.lastSeenUntil {
            guard let lastSeen, lastSeen < until else { return false }
        }
        return filter.activity.map { $0 == Self.activity(of: entry, now: now, window: window) } ?? true
    }

    static func activity(of entry: Entry, now: Timestamp, window: Int64) -> Activity {
        guard let lastSeen = entry.sighting.lastSeen else { return .pending }
        return lastSeen >= now.advanced(byMicroseconds: -window) ? .active : .inactive
    }

    // MARK: Order

    package func sorted(_ entries: [Entry], by sort: [SortKey]) -> [Entry] {
        let isIDDescending = sort.last?.isDescending ?? false
        let keyed = entries.map { entry in (entry: entry, values: sort.map { self.values($0.field, of: entry) }) }
        return keyed.sorted { left, right in
            for index in sort.indices {
                let order = Self.order(left.values[index], right.values[index])
                if order != 0 { return (order < 0) != sort[index].isDescending }
            }
            return isIDDescending ? right.entry.id < left.entry.id : left.entry.id < right.entry.id
        }.map(\.entry)
    }

    /// Whether two states of a device have the same place in a list.
    package func haveSamePlace(_ left: Entry, _ right: Entry, by sort: [SortKey]) -> Bool {
        sort.allSatisfy { Self.order(self.values($0.field, of: left), self.values($0.field, of: right)) == 0 }
    }

    /// What a device is sorted by under one key: two values for a release, none where it has none.
    private func values(_ field: SortKey.Field, of entry: Entry) -> [Value] {
        switch field {
        case .id: return [.integer(entry.id.rawValue)]
        case .createdDate: return [.time(entry.createdDate)]
        case .updatedDate: return [.time(entry.fields.updatedDate)]
        case .deviceSerial: return [.text(entry.serial)]
        case .ownerRef: return [.text(entry.fields.ownerRef)]
        case .hardwareVersion: return [.text(entry.fields.hardwareVersion)]
        case .lastSeen: return entry.sighting.lastSeen.map { [.time($0)] } ?? []
        case .release: return self.release(of: entry).map { [.text($0.version), .text($0.revision)] } ?? []
        case .cohort: return self.cohort(of: entry).map { [.text($0.slug)] } ?? []
        case .attribute(let text):
            guard let key = self.attributeKeys[text] else {
                preconditionFailure("a list is sorted by an attribute that the project does not have")
            }
            return self.value(.attribute(key), of: entry).map { [$0] } ?? []
        }
    }

    private static func order(_ left: [Value], _ right: [Value]) -> Int {
        for index in 0..<min(left.count, right.count) {
            let order = Self.order(left[index], right[index])
            if order != 0 { return order }
        }
        return left.count - right.count
    }
}
