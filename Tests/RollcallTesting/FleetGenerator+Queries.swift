// Queries that suit the fleets of the generator.

package import DeviceModel

extension FleetGenerator {
    /// A valid query with up to three conditions, some of which match nothing.
    package mutating func query() -> ListQuery {
        var query = ListQuery()
        for _ in 0..<Int.random(in: 0...3, using: &self.random) {
            self.condition(&query.filter)
        }
        if query.filter.activity == nil { query.filter.activityWindowMicroseconds = nil }
        if let since = query.filter.lastSeenSince, let until = query.filter.lastSeenUntil, since > until {
            (query.filter.lastSeenSince, query.filter.lastSeenUntil) = (until, since)
        }
        query.sort = self.sort()
        query.pageSize = self.random.pick([1, 2, 7, 50, 1_000])
        query.includesTotal = self.random.oneIn(2)
        return query
    }

    package mutating func sort() -> [SortKey] {
        let fields = Array(
            SortKey.Field.allCases.shuffled(using: &self.random).prefix(self.random.pick([0, 1, 1, 1, 2, 3])))
        return fields.map { SortKey($0, isDescending: self.random.oneIn(2)) }
    }

    private mutating func condition(_ filter: inout DeviceFilter) {
        switch Int.random(in: 0..<8, using: &self.random) {
        case 0: filter.releases = self.random.some(Self.versions + ["0.0"], upTo: 4)
        case 1: filter.ownerRefs = self.random.some(Self.owners + ["owner-1", "owner-2", "nobody"], upTo: 12)
        case 2: filter.hardwareVersions = self.random.some(Self.hardwareVersions + ["none"], upTo: 3)
        case 3: filter.cohorts = self.random.some(Self.cohortSlugs + ["none"], upTo: 3)
        case 4:
            let serials = self.oracle.entries.prefix(40).map(\.serial) + ["unknown"]
            filter.deviceSerials = self.random.oneIn(2) ? self.random.some(serials, upTo: 20) : []
        case 5: filter.lastSeenSince = self.time()
        case 6: filter.lastSeenUntil = self.time()
        default:
            filter.activity = self.random.pick(Activity.allCases)
            filter.activityWindowMicroseconds =
                self.random.oneIn(2) ? nil : Int64.random(in: 1...200_000_000_000, using: &self.random)
        }
    }

    /// A time at which a device may well have been seen, or one of the ends of time.
    private mutating func time() -> Timestamp {
        if self.random.oneIn(12) { return self.random.oneIn(2) ? .min : .max }
        let seen = self.oracle.entries.prefix(40).compactMap(\.sighting.lastSeen)
        return seen.isEmpty ? self.now : self.random.pick(seen)
    }
}
