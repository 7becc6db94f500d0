// What the index must answer, worked out in the plainest way: every device is asked, and everything is sorted.

package import DeviceModel

/// One project in an array.
package struct NaiveOracle: Sendable {
    package struct Entry: Hashable, Sendable {
        package var id: DeviceID
        package var serial: String
        package var createdDate: Timestamp
        package var fields: DeviceFields
        package var sighting: Sighting
        package var attributes: [AttributeKeyID: AttributeState]

        package init(
            id: DeviceID,
            serial: String,
            createdDate: Timestamp,
            fields: DeviceFields,
            sighting: Sighting,
            attributes: [AttributeKeyID: AttributeState]
        ) {
            self.id = id
            self.serial = serial
            self.createdDate = createdDate
            self.fields = fields
            self.sighting = sighting
            self.attributes = attributes
        }
    }

    package let project: ProjectID
    /// In no order.
    package private(set) var entries: [Entry] = []
    package private(set) var cohorts: [CohortID: CohortRecord] = [:]
    package private(set) var releases: [ReleaseID: ReleaseRecord] = [:]

    package init(project: ProjectID) {
        self.project = project
    }

    package func index(of serial: String) -> Int? {
        self.entries.firstIndex { $0.serial == serial }
    }

    package mutating func apply(_ change: Change) {
        switch change {
        case .device(let change): self.apply(change)
        case .cohortCreated(let cohort): self.cohorts[cohort.id] = cohort
        case .cohortRenamed(let cohort, _, let name): self.cohorts[cohort]?.name = name
        case .cohortDeleted(let cohort, _): self.cohorts[cohort] = nil
        case .releaseCreated(let release): self.releases[release.id] = release
        case .releaseDeleted(let release, _): self.releases[release] = nil
        case .projectCreated, .projectDeleted, .attributeKeyCreated: break
        }
    }

    private mutating func apply(_ change: DeviceChange) {
        let known = self.index(of: change.serial)
        if change.kind == .deleted {
            if let known { self.entries.remove(at: known) }
            return
        }
        if known == nil, let fields = change.fields?.after {
            self.entries.append(
                Entry(
                    id: change.device, serial: change.serial, createdDate: change.createdDate, fields: fields,
                    sighting: Sighting(), attributes: [:]
                )
            )
        }
        guard let index = known ?? self.index(of: change.serial) else { return }
        if let fields = change.fields?.after { self.entries[index].fields = fields }
        if let sighting = change.sighting?.after { self.entries[index].sighting = sighting }
        for attribute in change.attributes {
            self.entries[index].attributes[attribute.key] = attribute.state.after
        }
    }

    // MARK: Lists

    /// The whole list of a query, position and page size left aside.
    package func list(_ query: ListQuery, now: Timestamp, defaultWindow: Int64 = 86_400_000_000) -> [Entry] {
        let window = query.filter.activityWindowMicroseconds ?? defaultWindow
        return self.entries
            .filter { self.matches($0, query.filter, now: now, window: window) }
            .sorted { self.isBefore($0, $1, query.sort) }
    }

    package func matches(_ entry: Entry, _ filter: DeviceFilter, now: Timestamp, window: Int64) -> Bool {
        func holds(_ values: [String], _ value: String?) -> Bool {
            values.isEmpty
                || values.contains { candidate in value.map { Array($0.utf8) == Array(candidate.utf8) } ?? false }
        }
        let release = entry.sighting.release.flatMap { self.releases[$0] }
        guard holds(filter.releases, release?.version), holds(filter.ownerRefs, entry.fields.ownerRef),
            holds(filter.hardwareVersions, entry.fields.hardwareVersion),
            holds(filter.cohorts, self.cohorts[entry.fields.cohort]?.slug), holds(filter.deviceSerials, entry.serial)
        else { return false }
        let lastSeen = entry.sighting.lastSeen
        if let since = filter.lastSeenSince {
            guard let lastSeen, lastSeen > since else { return false }
        }
        if let until = filter.lastSeenUntil {
            guard let lastSeen, lastSeen < until else { return false }
        }
        let recent = now.advanced(byMicroseconds: -window)
        switch filter.activity {
        case .pending: return lastSeen == nil
        case .active: return lastSeen.map { $0 >= recent } ?? false
        case .inactive: return lastSeen.map { $0 < recent } ?? false
        case nil: return true
        }
    }

    private func isBefore(_ left: Entry, _ right: Entry, _ sort: [SortKey]) -> Bool {
        for key in sort {
            let order = self.order(left, right, key.field)
            if order != 0 { return (order < 0) != key.isDescending }
        }
        return left.id != right.id && (left.id < right.id) != (sort.last?.isDescending ?? false)
    }

    private func order(_ left: Entry, _ right: Entry, _ field: SortKey.Field) -> Int {
        func number(_ entry: Entry) -> Int64? {
            switch field {
            case .id: entry.id.rawValue
            case .createdDate: entry.createdDate.microseconds
            case .updatedDate: entry.fields.updatedDate.microseconds
            case .lastSeen: entry.sighting.lastSeen?.microseconds
            case .deviceSerial, .ownerRef, .hardwareVersion, .release, .cohort: nil
            }
        }
        func texts(_ entry: Entry) -> [String] {
            switch field {
            case .deviceSerial: [entry.serial]
            case .ownerRef: [entry.fields.ownerRef]
            case .hardwareVersion: [entry.fields.hardwareVersion]
            case .release: entry.sighting.release.flatMap { self.releases[$0] }.map { [$0.version, $0.revision] } ?? []
            case .cohort: self.cohorts[entry.fields.cohort].map { [$0.slug] } ?? []
            case .id, .createdDate, .updatedDate, .lastSeen: []
            }
        }
        if let first = number(left), let second = number(right) { return first < second ? -1 : first == second ? 0 : 1 }
        if number(left) != nil { return 1 }
        if number(right) != nil { return -1 }
        let (first, second) = (texts(left), texts(right))
        for (one, other) in zip(first, second) {
            if one.utf8.lexicographicallyPrecedes(other.utf8) { return -1 }
            if other.utf8.lexicographicallyPrecedes(one.utf8) { return 1 }
        }
        return first.count - second.count
    }
}
