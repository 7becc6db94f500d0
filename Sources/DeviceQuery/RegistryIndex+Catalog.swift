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

    /// Up to `limit` releases by id, from the first one after `previous`, each with how many devices have it.
    package func releases(
        in project: ProjectID, after previous: ReleaseID?, limit: Int
    ) -> [(record: ReleaseRecord, deviceCount: Int)] {
        guard let fleet = self.fleet(project) else { return [] }
        let ids = fleet.pointee.releaseIDsInOrder
        var start = 0
        if let previous {
            start = ids.placement(of: previous)
            if start < ids.count, ids[start] == previous { start += 1 }
        }
        return ids[start..<min(ids.count, start + limit)].compactMap { id in
            guard let code = fleet.pointee.releaseCodes[id] else { return nil }
            return (fleet.pointee.releaseRecord(code), Int(fleet.pointee.releases.rows(code).count))
        }
    }

    package func deviceCount(withRelease release: ReleaseID, in project: ProjectID) -> Int {
        guard let fleet = self.fleet(project), let code = fleet.pointee.releaseCodes[release] else { return 0 }
        return Int(fleet.pointee.releases.rows(code).count)
    }

    // MARK: Hardware versions

    /// Up to `limit` hardware versions by their bytes, from the first one after `previous`, each with how many devices have it.
    package func hardwareVersions(
        in project: ProjectID, after previous: String?, limit: Int
    ) -> [(text: String, deviceCount: Int)] {
        guard let fleet = self.fleet(project) else { return [] }
        let count = fleet.pointee.hardware.count
        let start =
            previous.map { text in text.withBytes { fleet.pointee.hardware.rank(of: $0, isInclusive: true) } } ?? 0
        var versions: [(text: String, deviceCount: Int)] = []
        let ranks = start..<min(count, start + limit)
        fleet.pointee.forEachCode(in: .hardware, ranks: ranks) { code in
            let text = String(decoding: fleet.pointee.hardware.text(code), as: UTF8.self)
            versions.append((text, Int(fleet.pointee.hardware.rows(code).count)))
            return true
        }
        return versions
    }

    package func hardwareVersionCount(in project: ProjectID) -> Int {
        self.fleet(project)?.pointee.hardware.count ?? 0
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

    /// Up to `limit` attribute keys in the order of their folded texts, from the first one after `previous`, each with how many
    /// devices have a value of it.
    package func attributeKeys(
        in project: ProjectID, after previous: String?, limit: Int
    ) -> [(record: AttributeKeyRecord, deviceCount: Int)] {
        guard let fleet = self.fleet(project) else { return [] }
        let keys = fleet.pointee.attributeKeys
        var start = previous.map { keys.placement(of: $0) } ?? 0
        if let previous, start < keys.count, keys.foldedTexts[keys.inOrder[start]] == previous { start += 1 }
        return keys.inOrder[start..<min(keys.count, start + limit)].map { key in
            (keys.records[key], fleet.pointee.columns[key].pointee.count)
        }
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
    /// Attribute values with their times.
    package var attributeByteCount = 0
    /// Orders that were built because they were asked for.
    package var lazyOrderByteCount = 0

    /// A part by its name.
    package struct Reported: Hashable, Sendable {
        package let name: String
        package let byteCount: Int
    }

    /// Every part as GetServerInfo reports it.
    package var reported: [Reported] {
        [
            Reported(name: "rows", byteCount: self.rowByteCount),
            Reported(name: "serials", byteCount: self.serialByteCount),
            Reported(name: "dictionaries", byteCount: self.dictionaryByteCount),
            Reported(name: "row_sets", byteCount: self.rowSetByteCount),
            Reported(name: "orders", byteCount: self.orderByteCount),
            Reported(name: "attributes", byteCount: self.attributeByteCount),
            Reported(name: "lazy_orders", byteCount: self.lazyOrderByteCount),
        ]
    }

    package var totalByteCount: Int {
        self.reported.reduce(0) { $0 + $1.byteCount }
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
        figures.rowByteCount +=
            self.rows.byteCount + self.seen.byteCount + self.codes.byteCount + self.idOrder.byteCount
        figures.serialByteCount += self.serials.byteCount + self.serialTable.byteCount
        figures.dictionaryByteCount +=
            self.owners.byteCount + self.hardware.byteCount + self.releases.byteCount
            + self.cohorts.byteCount + self.versions.byteCount + self.cohortNameTexts.byteCount
        figures.rowSetByteCount +=
            self.owners.rowSetByteCount + self.hardware.rowSetByteCount
            + self.releases.rowSetByteCount + self.cohorts.rowSetByteCount + self.unreleasedByteCount
        figures.orderByteCount += self.byID.byteCount + self.byLastSeen.byteCount
        figures.attributeByteCount += self.attributeLists.byteCount
        for key in 0..<self.columns.count {
            figures.attributeByteCount += self.columns[key].pointee.byteCount
        }
        for name in self.begunOrders {
            figures.lazyOrderByteCount += self.withOrder(name) { $0.byteCount }
        }
    }
}
