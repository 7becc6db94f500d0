// What happens to the devices of a fleet.

package import DeviceModel

extension FleetGenerator {
    /// A new device, in two of three cases seen already. Now and then time has passed, so that others share its date.
    package mutating func creation() -> [Change] {
        if self.random.oneIn(3) { self.tick() }
        self.marks.device = DeviceID(rawValue: self.marks.device.rawValue + 1)
        var changes: [Change] = []
        let sighting = self.random.oneIn(3) ? nil : self.sighting(&changes, daysAgoMax: 40)
        let revision = self.step()
        let fields = self.fields(revision)
        changes.append(
            .device(
                DeviceChange(
                    revision: revision, kind: .created, project: Self.project, device: self.marks.device,
                    serial: self.serial(),
                    createdDate: self.now, fields: Transition(before: nil, after: fields),
                    sighting: sighting.map { Transition(before: nil, after: $0) },
                    attributes: self.firstAttributes()
                )
            )
        )
        return self.commit(changes)
    }

    /// A check-in, which may bring attributes; one that is older than the last says nothing of the device itself.
    package mutating func checkIn(_ entry: NaiveOracle.Entry) -> [Change] {
        var changes: [Change] = []
        let sighting = self.sighting(&changes, daysAgoMax: 2)
        let isLatest = sighting.lastSeen ?? .min >= entry.sighting.lastSeen ?? .min
        let attributes = self.random.oneIn(3) ? self.attributeChanges(of: entry, unsets: false) : []
        guard isLatest || !attributes.isEmpty else { return self.commit(changes) }
        let transition = isLatest ? Transition(before: entry.sighting, after: sighting) : nil
        changes.append(.device(self.change(entry, .changed, sighting: transition, attributes: attributes)))
        return self.commit(changes)
    }

    /// New fields, the owner being `ownerRef`, or the old one in one of two cases.
    package mutating func update(_ entry: NaiveOracle.Entry, ownerRef: String? = nil) -> [Change] {
        let revision = self.step()
        var fields = self.fields(revision)
        if self.random.oneIn(2) { fields.ownerRef = entry.fields.ownerRef }
        if let ownerRef { fields.ownerRef = ownerRef }
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

    /// Attributes set, replaced or unset, with which the etag moves.
    mutating func attributes(_ entry: NaiveOracle.Entry) -> [Change] {
        let changes = self.attributeChanges(of: entry, unsets: true)
        guard !changes.isEmpty else { return [] }
        let revision = self.step()
        var fields = entry.fields
        fields.updatedDate = self.now
        fields.etagRevision = revision
        let transition = Transition(before: entry.fields, after: fields)
        return self.commit([
            .device(self.change(entry, .changed, revision: revision, fields: transition, attributes: changes))
        ])
    }

    /// Takes note of a deletion of a release that some other part decided.
    package mutating func forget(_ release: ReleaseID) -> [Change] {
        self.commit([.releaseDeleted(release, project: Self.project)])
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
        let isOwnOwner = self.isDiverse ? !self.random.oneIn(8) : self.random.oneIn(4)
        let ownOwner = "owner-\(Int.random(in: 0..<(self.isDiverse ? 1_000_000 : 50), using: &self.random))"
        return DeviceFields(
            ownerRef: isOwnOwner ? ownOwner : self.random.pick(Self.owners),
            // One value is more frequent than all others, as in life: large sets are searched in other ways than small ones.
            hardwareVersion: self.random.oneIn(2) ? Self.hardwareVersions[0] : self.random.pick(Self.hardwareVersions),
            cohort: CohortID(
                rawValue: self.random.oneIn(2)
                    ? 1 : Int64.random(in: 1...Int64(Self.cohortSlugs.count), using: &self.random)),
            updatedDate: self.now, etagRevision: revision
        )
    }

    /// What a check-in says, one in three of them late; a release not known yet is created first.
    private mutating func sighting(_ changes: inout [Change], daysAgoMax: Int64) -> Sighting {
        let minute = 60 * Self.second
        let delay = self.random.oneIn(3) ? Int64.random(in: 0...daysAgoMax * 1_440 * minute, using: &self.random) : 0
        // Whole minutes, so that many devices share a time.
        let time = Timestamp(microseconds: (self.now.microseconds - delay) / minute * minute)
        let ownVersion = "9.\(Int.random(in: 0..<1_000_000, using: &self.random))"
        let version = self.isDiverse && !self.random.oneIn(8) ? ownVersion : self.random.pick(Self.versions)
        let revision = self.random.pick(Self.revisions)
        let known = self.oracle.release(version: version, revision: revision)
        if let known { return Sighting(lastSeen: time, release: self.random.oneIn(8) ? nil : known.id) }
        self.marks.release = ReleaseID(rawValue: self.marks.release.rawValue + 1)
        changes.append(
            .releaseCreated(
                ReleaseRecord(id: self.marks.release, project: Self.project, version: version, revision: revision)
            )
        )
        return Sighting(lastSeen: time, release: self.marks.release)
    }
}
