// What the index must answer, worked out in the plainest way: every device is asked, and everything is sorted.

package import DeviceModel
package import FoundationEssentials

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
    /// What etags name.
    package let storeID: UUID
    /// In no order.
    package private(set) var entries: [Entry] = []
    package private(set) var cohorts: [CohortID: CohortRecord] = [:]
    package private(set) var releases: [ReleaseID: ReleaseRecord] = [:]
    /// By their texts in lower case.
    package private(set) var attributeKeys: [String: AttributeKeyRecord] = [:]
    /// By the bytes of version and revision, a zero between them.
    private var releasesByText: [[UInt8]: ReleaseID] = [:]
    /// Where each serial's device lies in ``entries``.
    private var places: [String: Int] = [:]

    package init(project: ProjectID, storeID: UUID) {
        self.project = project
        self.storeID = storeID
    }

    package func index(of serial: String) -> Int? {
        self.places[serial]
    }

    package mutating func apply(_ change: Change) {
        switch change {
        case .device(let change): self.apply(change)
        case .cohortCreated(let cohort): self.cohorts[cohort.id] = cohort
        case .cohortRenamed(let cohort, _, let name): self.cohorts[cohort]?.name = name
        case .cohortDeleted(let cohort, _): self.cohorts[cohort] = nil
        case .releaseCreated(let release):
            self.releases[release.id] = release
            self.releasesByText[Self.text(version: release.version, revision: release.revision)] = release.id
        case .releaseDeleted(let release, _):
            if let release = self.releases.removeValue(forKey: release) {
                self.releasesByText[Self.text(version: release.version, revision: release.revision)] = nil
            }
        case .attributeKeyCreated(let key): self.attributeKeys[CustomMetric.folded(key.metric.stringKey)] = key
        case .projectCreated, .projectDeleted: break
        }
    }

    private mutating func apply(_ change: DeviceChange) {
        let known = self.index(of: change.serial)
        if change.kind == .deleted {
            if let known { self.remove(at: known) }
            return
        }
        if known == nil, let fields = change.fields?.after {
            self.places[change.serial] = self.entries.count
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

    private mutating func remove(at index: Int) {
        self.places[self.entries[index].serial] = nil
        self.entries.swapAt(index, self.entries.count - 1)
        self.entries.removeLast()
        if index < self.entries.count { self.places[self.entries[index].serial] = index }
    }

    private static func text(version: String, revision: String) -> [UInt8] {
        Array(version.utf8) + [0] + Array(revision.utf8)
    }

    func release(version: String, revision: String) -> ReleaseRecord? {
        self.releasesByText[Self.text(version: version, revision: revision)].flatMap { self.releases[$0] }
    }

    func release(of entry: Entry) -> ReleaseRecord? {
        entry.sighting.release.flatMap { self.releases[$0] }
    }

    func cohort(of entry: Entry) -> CohortRecord? {
        self.cohorts[entry.fields.cohort]
    }
}

/// Which comes first: below zero for `left`, above for `right`. Texts by their bytes.
func order(_ left: String, _ right: String) -> Int {
    if left.utf8.lexicographicallyPrecedes(right.utf8) { return -1 }
    return right.utf8.lexicographicallyPrecedes(left.utf8) ? 1 : 0
}

/// Which comes first: below zero for `left`, above for `right`.
func order<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
    left < right ? -1 : left == right ? 0 : 1
}
