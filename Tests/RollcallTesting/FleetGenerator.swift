// Fleets and queries from a seed: the same seed gives the same ones everywhere.

package import DeviceModel
internal import FoundationEssentials

/// Makes the changes of one project that a writer might commit, from few values, so that ties and shared values abound.
package struct FleetGenerator: Sendable {
    package var random: SeededGenerator
    /// The state after every change made so far.
    package private(set) var oracle: NaiveOracle
    /// A clock that now and then steps back.
    package private(set) var now = FleetGenerator.start
    private var marks = HighWaterMarks()
    private var attributeKeys: [AttributeKeyRecord] = []

    package static let project = ProjectID(rawValue: 1)
    /// 2019-01-19T05:01:13Z.
    package static let start = Timestamp.epoch.advanced(byMicroseconds: 1_547_874_073_000_000)
    private static let second: Int64 = 1_000_000

    package static let owners = [
        "awesome_employee_1234", "awesome_employee_1235", "awesome_employee", "a", "", "Ångström",
        "A\u{30A}ngstro\u{308}m", "depot 7",
    ]
    package static let hardwareVersions = ["hwrev1", "hwrev10", "hwrev2", "HWREV1", "rev+b:2"]
    package static let versions = ["1.2", "1.2.3", "1.2.4", "1.2.30", "10.0.0-release-candidate", "é"]
    package static let revisions = ["", "11d95ef20f7a048ce1da1a6891dd3e2f92c89d85", "11d95ef2", "b"]
    package static let cohortSlugs = ["default", "beta", "beta-2", "Alpha", "canary"]

    package init(seed: UInt64) {
        self.random = SeededGenerator(seed: seed)
        self.oracle = NaiveOracle(project: Self.project)
    }

    /// The project, its cohorts and a few attribute keys.
    package mutating func catalog() -> [Change] {
        var changes: [Change] = [
            .projectCreated(ProjectRecord(id: Self.project, slug: "default", name: "Default", createdDate: self.now))
        ]
        for slug in Self.cohortSlugs {
            self.marks.cohort = CohortID(rawValue: self.marks.cohort.rawValue + 1)
            changes.append(
                .cohortCreated(
                    CohortRecord(id: self.marks.cohort, project: Self.project, slug: slug, name: "The " + slug))
            )
        }
        for (text, type) in [("Battery level", DataType.int), ("zone", .string), ("Uptime", .float), ("docked", .bool)]
        {
            self.marks.attributeKey = AttributeKeyID(rawValue: self.marks.attributeKey.rawValue + 1)
            let metric = CustomMetric(id: UUID(), stringKey: text, dataType: type)
            let key = AttributeKeyRecord(id: self.marks.attributeKey, project: Self.project, metric: metric)
            self.attributeKeys.append(key)
            changes.append(.attributeKeyCreated(key))
        }
        return self.commit(changes)
    }

    /// One mutation of a random kind: mostly check-ins, with creations, updates, deletions and attributes among them.
    package mutating func mutation() -> [Change] {
        self.tick()
        guard !self.oracle.entries.isEmpty else { return self.creation() }
        switch Int.random(in: 0..<20, using: &self.random) {
        case 0..<4: return self.creation()
        case 4..<7: return self.deletion(self.random.pick(self.oracle.entries))
        case 7..<10: return self.update(self.random.pick(self.oracle.entries))
        case 10..<12: return self.attributes(self.random.pick(self.oracle.entries))
        default: return self.checkIn(self.random.pick(self.oracle.entries))
        }
    }

    /// Moves the clock by up to an hour, now and then back.
    private mutating func tick() {
        let hour = 3_600 * Self.second
        self.now = self.now.advanced(
            byMicroseconds: self.random.oneIn(10) ? -hour : Int64.random(in: 0...hour, using: &self.random))
    }

    private mutating func commit(_ changes: [Change]) -> [Change] {
        for change in changes { self.oracle.apply(change) }
        return changes
    }

    private mutating func step() -> Revision {
        self.marks.revision = self.marks.revision.next
        return self.marks.revision
    }
}

// MARK: - Mutations

extension FleetGenerator {
    /// A new device, in two of three cases seen already.
    package mutating func creation() -> [Change] {
        self.marks.device = DeviceID(rawValue: self.marks.device.rawValue + 1)
        var changes: [Change] = []
        let sighting = self.random.oneIn(3) ? nil : self.sighting(&changes)
        let revision = self.step()
        let fields = self.fields(revision)
        changes.append(
            .device(
                DeviceChange(
                    revision: revision, kind: .created, project: Self.project, device: self.marks.device,
                    serial: self.serial(),
                    createdDate: self.now, fields: Transition(before: nil, after: fields),
                    sighting: sighting.map { Transition(before: nil, after: $0) }
                )
            )
        )
        return self.commit(changes)
    }

    package mutating func checkIn(_ entry: NaiveOracle.Entry) -> [Change] {
        var changes: [Change] = []
        let sighting = self.sighting(&changes)
        guard sighting.lastSeen ?? .min >= entry.sighting.lastSeen ?? .min else { return self.commit(changes) }
        let transition = Transition(before: entry.sighting, after: sighting)
        changes.append(.device(self.change(entry, .changed, sighting: transition)))
        return self.commit(changes)
    }

    package mutating func update(_ entry: NaiveOracle.Entry) -> [Change] {
        let revision = self.step()
        var fields = self.fields(revision)
        if self.random.oneIn(2) { fields.ownerRef = entry.fields.ownerRef }
        let transition = Transition(before: entry.fields, after: fields)
        return self.commit([.device(self.change(entry, .changed, revision: revision, fields: transition))])
    }

    package mutating func deletion(_ entry: NaiveOracle.Entry) -> [Change] {
        self.commit([
            .device(
                self.change(
                    entry, .deleted, fields: Transition(before: entry.fields, after: nil),
                    sighting: Transition(before: entry.sighting, after: nil),
                    attributes: self.attributeKeys.compactMap { key in
                        entry.attributes[key.id].map {
                            AttributeChange(key: key.id, state: Transition(before: $0, after: nil))
                        }
                    }
                )
            )
        ])
    }

    private mutating func attributes(_ entry: NaiveOracle.Entry) -> [Change] {
        let key = self.random.pick(self.attributeKeys)
        let value: AttributeValue =
            switch key.metric.dataType {
            case .int: .int(Int64.random(in: 0...100, using: &self.random))
            case .float: .float(Double(Int.random(in: 0...100, using: &self.random)) / 4)
            case .bool: .bool(self.random.oneIn(2))
            case .string: .string(self.random.pick(["north", "south", ""]))
            }
        let old = entry.attributes[key.id]
        let state = AttributeState(
            value: value, time: self.now, createdDate: old?.createdDate ?? self.now, updatedDate: self.now)
        let change = AttributeChange(
            key: key.id, state: Transition(before: old, after: self.random.oneIn(3) ? nil : state))
        let revision = self.step()
        var fields = entry.fields
        fields.updatedDate = self.now
        fields.etagRevision = revision
        let transition = Transition(before: entry.fields, after: fields)
        return self.commit([
            .device(self.change(entry, .changed, revision: revision, fields: transition, attributes: [change]))
        ])
    }

    private mutating func change(
        _ entry: NaiveOracle.Entry, _ kind: DeviceChange.Kind, revision: Revision? = nil,
        fields: Transition<DeviceFields>? = nil, sighting: Transition<Sighting>? = nil,
        attributes: [AttributeChange] = []
    ) -> DeviceChange {
        DeviceChange(
            revision: revision ?? self.step(), kind: kind, project: Self.project, device: entry.id,
            serial: entry.serial,
            createdDate: entry.createdDate, fields: fields, sighting: sighting, attributes: attributes
        )
    }

    private mutating func serial() -> String {
        let prefix = self.random.pick(["", "AB:CD-", "ABCDEFGH", "long.serial.with.a.common.beginning."])
        return prefix + String(self.random.next() % 1_000_000, radix: 36) + "_" + String(self.marks.device.rawValue)
    }

    private mutating func fields(_ revision: Revision) -> DeviceFields {
        DeviceFields(
            ownerRef: self.random.oneIn(4)
                ? "owner-\(Int.random(in: 0..<50, using: &self.random))" : self.random.pick(Self.owners),
            hardwareVersion: self.random.pick(Self.hardwareVersions),
            cohort: CohortID(rawValue: Int64.random(in: 1...Int64(Self.cohortSlugs.count), using: &self.random)),
            updatedDate: self.now, etagRevision: revision
        )
    }

    /// What a check-in at about now says; a release not known yet is created first.
    private mutating func sighting(_ changes: inout [Change]) -> Sighting {
        // Whole minutes, so that many devices share a time.
        let minute = 60 * Self.second
        let time = Timestamp(microseconds: self.now.microseconds / minute * minute)
        let (version, revision) = (self.random.pick(Self.versions), self.random.pick(Self.revisions))
        let known = self.oracle.releases.values.first { $0.version == version && $0.revision == revision }
        if let known { return Sighting(lastSeen: time, release: self.random.oneIn(8) ? nil : known.id) }
        self.marks.release = ReleaseID(rawValue: self.marks.release.rawValue + 1)
        changes.append(
            .releaseCreated(
                ReleaseRecord(id: self.marks.release, project: Self.project, version: version, revision: revision)
            )
        )
        return Sighting(lastSeen: time, release: self.marks.release)
    }

    /// Takes note of a deletion of a release that some other part decided.
    package mutating func forget(_ release: ReleaseID) -> [Change] {
        self.commit([.releaseDeleted(release, project: Self.project)])
    }
}
