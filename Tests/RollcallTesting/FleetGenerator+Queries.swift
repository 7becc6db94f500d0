// Queries that suit the fleets of the generator.

package import DeviceModel

extension FleetGenerator {
    /// A valid filter of up to three conditions, some of which match nothing, and in two of three cases a tree.
    package mutating func filter() -> FilterSample {
        var fields = DeviceFilter()
        for _ in 0..<self.random.pick([0, 0, 1, 1, 1, 2, 3]) {
            self.condition(&fields)
        }
        if fields.activity == nil { fields.activityWindowMicroseconds = nil }
        if let since = fields.lastSeenSince, let until = fields.lastSeenUntil, since > until {
            (fields.lastSeenSince, fields.lastSeenUntil) = (until, since)
        }
        return FilterSample(fields, tree: self.random.oneIn(3) ? nil : self.expression())
    }

    /// A list of what matches, in any order; in one of four cases a page from its midst.
    package mutating func list(_ sample: FilterSample) -> ListQuery {
        var query = ListQuery()
        query.filter = sample.filter
        query.sort = self.sort()
        query.pageSize = self.random.pick([1, 2, 7, 50, 1_000])
        if self.random.oneIn(4) {
            query.position = .number(self.random.oneIn(20) ? .max : Int64.random(in: 1...6, using: &self.random))
        }
        query.includesTotal = self.random.oneIn(2)
        return query
    }

    /// A count of what matches by up to two keys, now and then with fewer groups than there are.
    package mutating func count(_ sample: FilterSample) -> CountQuery {
        var query = CountQuery()
        query.filter = sample.filter
        query.groupBy = self.grouping()
        if query.groupBy.contains(.activity), query.filter.activity == nil, self.random.oneIn(2) {
            query.filter.activityWindowMicroseconds = self.window()
        }
        query.groupLimit = self.random.pick([1, 2, 5, 1_000, 1_000, 10_000])
        return query
    }

    package mutating func sort() -> [SortKey] {
        var keys: [SortKey] = []
        for _ in 0..<self.random.pick([0, 1, 1, 1, 1, 2, 2, 3]) {
            let field: SortKey.Field =
                self.random.oneIn(2)
                ? self.random.pick(SortKey.Field.columns)
                : .attribute(CustomMetric.folded(self.random.pick(self.attributeKeys).metric.stringKey))
            guard !keys.contains(where: { $0.field == field }) else { continue }
            keys.append(SortKey(field, isDescending: self.random.oneIn(2)))
        }
        return keys
    }

    /// Up to two different keys, attributes by any spelling of theirs.
    package mutating func grouping() -> [GroupKey] {
        let text = self.random.pick(self.attributeKeys).metric.stringKey
        let attribute = GroupKey.attribute(self.random.oneIn(4) ? text.uppercased() : text)
        let keys = (GroupKey.columns + [attribute, attribute]).shuffled(using: &self.random)
            .prefix(self.random.pick([0, 1, 1, 2, 2]))
        return keys.count == 2 && keys[0] == keys[1] ? [keys[0]] : Array(keys)
    }

    private mutating func condition(_ filter: inout DeviceFilter) {
        switch Int.random(in: 0..<8, using: &self.random) {
        case 0: filter.releases = self.random.some(Self.versions + ["0.0"], upTo: 4)
        case 1: filter.ownerRefs = self.random.some(Self.owners + ["owner-1", "owner-2", "nobody"], upTo: 12)
        case 2: filter.hardwareVersions = self.random.some(Self.hardwareVersions + ["none"], upTo: 3)
        case 3: filter.cohorts = self.random.some(Self.cohortSlugs + ["none"], upTo: 3)
        case 4:
            let serials = self.oracle.entries.prefix(40).map(\.serial) + ["unknown"]
            filter.deviceSerials = self.random.some(serials, upTo: 20)
        case 5: filter.lastSeenSince = self.time()
        case 6: filter.lastSeenUntil = self.time()
        default:
            filter.activity = self.random.pick(Activity.allCases)
            filter.activityWindowMicroseconds = self.random.oneIn(2) ? nil : self.window()
        }
    }

    /// Up to 23 days, or longer than there are times.
    private mutating func window() -> Int64 {
        self.random.oneIn(10) ? .max : Int64.random(in: 1...2_000_000_000_000, using: &self.random)
    }

    /// A time at which a device may well have been seen, or one of the ends of time.
    mutating func time() -> Timestamp {
        if self.random.oneIn(12) { return self.random.oneIn(2) ? .min : .max }
        let seen = self.oracle.entries.prefix(40).compactMap(\.sighting.lastSeen)
        return seen.isEmpty ? self.now : self.random.pick(seen)
    }
}
