// The cohorts and releases of a project.

internal import DeviceModel

extension Fleet {
    // MARK: Cohorts

    mutating func insert(_ cohort: CohortRecord) throws(IndexError) {
        guard self.cohortCodes[cohort.id] == nil, cohort.slug.withBytes({ self.cohorts.code(of: $0) }) == nil else {
            throw IndexError("cohort \(cohort.id.rawValue): its id or its slug \(quoted(cohort.slug)) is taken")
        }
        self.wordVersion += 1
        let code = cohort.slug.withBytes { self.cohorts.intern($0) }
        let name = cohort.name.withBytes { self.cohortNameTexts.insert($0) }
        if Int(code) == self.cohortIDs.count {
            self.cohortIDs.append(cohort.id)
            self.cohortNames.append(name)
        } else {
            self.cohortIDs[Int(code)] = cohort.id
            self.cohortNames[Int(code)] = name
        }
        self.cohortCodes[cohort.id] = code
        self.cohortIDsInOrder.insert(cohort.id, at: self.cohortIDsInOrder.placement(of: cohort.id))
    }

    mutating func rename(_ cohort: CohortID, to name: String) {
        guard let code = self.cohortCodes[cohort] else {
            preconditionFailure("a cohort is renamed that the project does not have")
        }
        self.wordVersion += 1
        self.cohortNameTexts.remove(self.cohortNames[Int(code)])
        self.cohortNames[Int(code)] = name.withBytes { self.cohortNameTexts.insert($0) }
    }

    mutating func remove(_ cohort: CohortID) {
        guard let code = self.cohortCodes.removeValue(forKey: cohort) else {
            preconditionFailure("a cohort is deleted that the project does not have")
        }
        self.wordVersion += 1
        self.cohortNameTexts.remove(self.cohortNames[Int(code)])
        self.cohorts.remove(code)
        self.cohortIDsInOrder.remove(at: self.cohortIDsInOrder.placement(of: cohort))
    }

    func cohortRecord(_ code: UInt32) -> CohortRecord {
        CohortRecord(
            id: self.cohortIDs[Int(code)],
            project: self.record.id,
            slug: String(decoding: self.cohorts.text(code), as: UTF8.self),
            name: String(decoding: self.cohortNameTexts.text(self.cohortNames[Int(code)]), as: UTF8.self)
        )
    }

    // MARK: Releases

    mutating func insert(_ release: ReleaseRecord) throws(IndexError) {
        let text = ReleaseText.bytes(version: release.version, revision: release.revision)
        let isKnown = text.withUnsafeBytes { self.releases.code(of: $0) } != nil
        guard !isKnown, self.releaseCodes[release.id] == nil else {
            let name = quoted(release.version) + " " + quoted(release.revision)
            throw IndexError("release \(release.id.rawValue): its id or its version and revision \(name) are taken")
        }
        self.wordVersion += 1
        let code = text.withUnsafeBytes { self.releases.intern($0) }
        self.releases.setTag(code, UInt32(release.version.utf8.count))
        self.releaseCodes[release.id] = code
        self.releaseIDsInOrder.insert(release.id, at: self.releaseIDsInOrder.placement(of: release.id))
        let version = release.version.withBytes { self.versions.intern($0) }
        if Int(version) == self.releasesOfVersion.count {
            self.releasesOfVersion.append([])
        }
        self.releasesOfVersion[Int(version)].append(code)
        if Int(code) == self.releaseIDs.count {
            self.releaseIDs.append(release.id)
            self.versionOfRelease.append(version)
        } else {
            self.releaseIDs[Int(code)] = release.id
            self.versionOfRelease[Int(code)] = version
        }
        self.idleReleases.append(release.id)
    }

    mutating func remove(_ release: ReleaseID) {
        guard let code = self.releaseCodes.removeValue(forKey: release) else {
            preconditionFailure("a release is deleted that the project does not have")
        }
        self.wordVersion += 1
        self.releaseIDsInOrder.remove(at: self.releaseIDsInOrder.placement(of: release))
        let text = ReleaseText.split(self.releases.text(code), versionByteCount: self.releases.tag(code))
        guard let version = self.versions.code(of: text.version) else {
            preconditionFailure("the version of a release is known")
        }
        self.releasesOfVersion[Int(version)].removeAll { $0 == code }
        if self.releasesOfVersion[Int(version)].isEmpty {
            self.versions.remove(version)
        }
        self.releases.remove(code)
    }

    func releaseRecord(_ code: UInt32) -> ReleaseRecord {
        let text = ReleaseText.split(self.releases.text(code), versionByteCount: self.releases.tag(code))
        return ReleaseRecord(
            id: self.releaseIDs[Int(code)],
            project: self.record.id,
            version: String(decoding: text.version, as: UTF8.self),
            revision: String(decoding: text.revision, as: UTF8.self)
        )
    }

    /// Releases that lost their last device, or never had one, since this was last asked, and that still have none.
    mutating func takeIdleReleases() -> [ReleaseID] {
        let idle = Set(self.idleReleases).filter { id in
            guard let code = self.releaseCodes[id] else { return false }
            return self.releases.rows(code).count == 0
        }
        self.idleReleases = []
        return idle.sorted()
    }
}

extension Array where Element: Comparable {
    /// Where `id` is or would be, the array being in ascending order.
    func placement(of id: Element) -> Int {
        self.withUnsafeBufferPointer { lowerBound(id, $0) }
    }
}
