// Look-ups of what devices refer to.

package import DeviceModel

extension RegistryIndex {
    // MARK: Cohorts

    package func cohort(slug: String, in project: ProjectID) -> CohortRecord? {
        guard let fleet = self.fleet(project) else { return nil }
        return slug.withBytes { fleet.pointee.cohorts.code(of: $0) }.map { fleet.pointee.cohortRecord($0) }
    }

    package func cohort(id: CohortID, in project: ProjectID) -> CohortRecord? {
        guard let fleet = self.fleet(project) else { return nil }
        return fleet.pointee.cohortCodes[id].map { fleet.pointee.cohortRecord($0) }
    }

    /// Up to `limit` cohorts by id, from the first one after `previous`, each with how many devices are in it.
    package func cohorts(
        in project: ProjectID, after previous: CohortID?, limit: Int
    ) -> [(record: CohortRecord, deviceCount: Int)] {
        guard let fleet = self.fleet(project) else { return [] }
        let ids = fleet.pointee.cohortIDsInOrder
        var start = 0
        if let previous {
            start = ids.placement(of: previous)
            if start < ids.count, ids[start] == previous { start += 1 }
        }
        return ids[start..<min(ids.count, start + limit)].compactMap { id in
            guard let code = fleet.pointee.cohortCodes[id] else { return nil }
            return (fleet.pointee.cohortRecord(code), Int(fleet.pointee.cohorts.rows(code).count))
        }
    }

    package func cohortCount(in project: ProjectID) -> Int {
        self.fleet(project)?.pointee.cohortIDsInOrder.count ?? 0
    }

    package func deviceCount(inCohort cohort: CohortID, project: ProjectID) -> Int {
        guard let fleet = self.fleet(project), let code = fleet.pointee.cohortCodes[cohort] else { return 0 }
        return Int(fleet.pointee.cohorts.rows(code).count)
    }

    // MARK: Releases

    /// The release with these very bytes.
    package func release(version: String, revision: String, in project: ProjectID) -> ReleaseRecord? {
        guard let fleet = self.fleet(project) else { return nil }
        let text = ReleaseText.bytes(version: version, revision: revision)
        return text.withUnsafeBytes { fleet.pointee.releases.code(of: $0) }.map { fleet.pointee.releaseRecord($0) }
    }

    package func release(id: ReleaseID, in project: ProjectID) -> ReleaseRecord? {
        guard let fleet = self.fleet(project) else { return nil }
        return fleet.pointee.releaseCodes[id].map { fleet.pointee.releaseRecord($0) }
    }

    package func releaseCount(in project: ProjectID) -> Int {
        self.fleet(project)?.pointee.releaseCodes.count ?? 0
    }

    package func deviceCount(withRelease release: ReleaseID, in project: ProjectID) -> Int {
        guard let fleet = self.fleet(project), let code = fleet.pointee.releaseCodes[release] else { return 0 }
        return Int(fleet.pointee.releases.rows(code).count)
    }

    // MARK: Attribute keys

    /// The key with this text, ASCII letters compared without regard to case.
    package func attributeKey(_ text: String, in project: ProjectID) -> AttributeKeyRecord? {
        guard let fleet = self.fleet(project) else { return nil }
        return fleet.pointee.attributeKeys.index(text).map { fleet.pointee.attributeKeys.records[$0] }
    }

    package func attributeKey(id: AttributeKeyID, in project: ProjectID) -> AttributeKeyRecord? {
        guard let fleet = self.fleet(project) else { return nil }
        return fleet.pointee.attributeKeys.index(id: id).map { fleet.pointee.attributeKeys.records[$0] }
    }

    package func attributeKeyCount(in project: ProjectID) -> Int {
        self.fleet(project)?.pointee.attributeKeys.count ?? 0
    }
}

// MARK: - Memory and checks

/// What an index takes in memory, by part, in bytes. Room kept for growth is left out.
package struct MemoryFigures: Hashable, Sendable {
    /// Everything of fixed size about devices.
    package var rowByteCount = 0
    /// Serials and the table that finds them.
    package var serialByteCount = 0
    /// Owners, hardware versions, releases and cohorts, each stored once.
    package var dictionaryByteCount = 0
    /// Which devices have which value.
    package var rowSetByteCount = 0
    /// The orders by id and by last_seen.
    package var orderByteCount = 0
    /// An estimate: long texts lie elsewhere.
    package var attributeByteCount = 0

    package var totalByteCount: Int {
        self.rowByteCount + self.serialByteCount + self.dictionaryByteCount + self.rowSetByteCount + self.orderByteCount
            + self.attributeByteCount
    }
}

extension RegistryIndex {
    /// - Complexity: O(projects).
    package var memoryFigures: MemoryFigures {
        var figures = MemoryFigures()
        for index in 0..<self.projectCount {
            self.fleet(at: index).pointee.add(to: &figures)
        }
        return figures
    }

    /// - Throws: the first contradiction between the parts of the index. For tests. - Complexity: O(n log n).
    package func checkInvariants() throws(IndexError) {
        for index in 0..<self.projectCount {
            try self.fleet(at: index).pointee.checkInvariants()
        }
    }
}

extension Fleet {
    fileprivate func add(to figures: inout MemoryFigures) {
        figures.rowByteCount += self.rows.byteCount
        figures.serialByteCount += self.serials.byteCount + self.serialTable.byteCount
        figures.dictionaryByteCount +=
            self.owners.byteCount + self.hardware.byteCount + self.releases.byteCount
            + self.cohorts.byteCount + self.versions.byteCount + self.cohortNameTexts.byteCount
        figures.rowSetByteCount +=
            self.owners.rowSetByteCount + self.hardware.rowSetByteCount
            + self.releases.rowSetByteCount + self.cohorts.rowSetByteCount
        figures.orderByteCount += self.byID.byteCount + self.byLastSeen.byteCount
        figures.attributeByteCount +=
            self.attributeLists.count * MemoryLayout<[AttributeSlot]>.stride
            + self.attributeCount * MemoryLayout<AttributeSlot>.stride
    }
}
