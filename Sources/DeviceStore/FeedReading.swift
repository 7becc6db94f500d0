// Reading the feed: changes as they lie in the log, and what they refer to.

internal import DeviceModel

extension Connection {
    /// The changes of the log after one revision through another, in order.
    ///
    /// - Parameter devices: Whose; nil for all. The records of others are not looked into.
    func readChanges(
        after first: Revision, through last: Revision, of devices: Set<DeviceID>?
    ) throws(SQLiteFailure) -> [DeviceChange] {
        let select = try self.statement(.selectRecords)
        select.bind(first.rawValue, at: 1)
        select.bind(last.rawValue, at: 2)
        select.bind(Int64.max, at: 3)
        defer { select.reset() }
        var changes: [DeviceChange] = []
        while try select.next() {
            let device = DeviceID(rawValue: select.int64(1))
            guard devices?.contains(device) ?? true else { continue }
            let revision = Revision(rawValue: select.int64(0))
            do throws(MalformedRecord) {
                changes.append(try DeviceChange(record: select.bytes(2), revision: revision, device: device))
            } catch {
                throw .malformed("the change at revision \(revision.rawValue) cannot be read: \(error)")
            }
        }
        return changes
    }

    /// The revision after which nothing is missing from the log.
    func readFeedStart() throws(SQLiteFailure) -> Revision {
        let first = try self.statement(.selectFirstRevision)
        defer { first.reset() }
        if try first.next(), let revision = first.optionalInt64(0) {
            return Revision(rawValue: revision - 1)
        }
        return try self.readHead().head.highWaterMarks.revision
    }

    func readRetiredNames(
        releases: Set<ReleaseID>, cohorts: Set<CohortID>
    ) throws(SQLiteFailure) -> RetiredNames {
        var names = RetiredNames()
        for id in releases {
            guard let (project, version, revision) = try self.readRetired(Retired.release, id.rawValue) else {
                continue
            }
            names.releases[id] = ReleaseRecord(id: id, project: project, version: version, revision: revision)
        }
        for id in cohorts {
            guard let (project, slug, name) = try self.readRetired(Retired.cohort, id.rawValue) else { continue }
            names.cohorts[id] = CohortRecord(id: id, project: project, slug: slug, name: name)
        }
        return names
    }

    func readRetirement(ofProject slug: String) throws(SQLiteFailure) -> Revision? {
        let select = try self.statement(.selectRetiredProject)
        select.bind(slug, at: 1)
        defer { select.reset() }
        return try select.next() ? select.optionalInt64(0).map { Revision(rawValue: $0) } : nil
    }

    private func readRetired(
        _ kind: Int, _ id: Int64
    ) throws(SQLiteFailure) -> (project: ProjectID, name: String, detail: String)? {
        let select = try self.statement(.selectRetired)
        select.bind(Int64(kind), at: 1)
        select.bind(id, at: 2)
        defer { select.reset() }
        guard try select.next() else { return nil }
        return (ProjectID(rawValue: select.int64(0)), try select.string(1), try select.string(2))
    }
}
