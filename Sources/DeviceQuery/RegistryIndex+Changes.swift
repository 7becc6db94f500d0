// Taking in what was committed, and what is stored at the start.

package import DeviceModel

extension RegistryIndex {
    /// Takes in a committed change. Changes come in their order; one that contradicts the state is a defect.
    ///
    /// - Complexity: O(log n) for a device.
    package mutating func apply(_ change: Change) {
        do throws(IndexError) {
            switch change {
            case .device(let change):
                try self.apply(change)
            case .projectCreated(let project):
                try self.insert(project)
            case .projectDeleted(let project):
                self.remove(project)
            case .cohortCreated(let cohort):
                try self.mutableFleet(cohort.project).pointee.insert(cohort)
            case .cohortRenamed(let cohort, let project, let name):
                self.walks.cohortWillBeRenamed(in: project)
                self.mutableFleet(project).pointee.rename(cohort, to: name)
            case .cohortDeleted(let cohort, let project):
                precondition(
                    self.deviceCount(inCohort: cohort, project: project) == 0, "a cohort is deleted that has devices")
                self.mutableFleet(project).pointee.remove(cohort)
            case .releaseCreated(let release):
                try self.mutableFleet(release.project).pointee.insert(release)
            case .releaseDeleted(let release, let project):
                precondition(
                    self.deviceCount(withRelease: release, in: project) == 0, "a release is deleted that has devices")
                self.mutableFleet(project).pointee.remove(release)
            case .attributeKeyCreated(let key):
                try self.mutableFleet(key.project).pointee.insert(key)
            }
        } catch {
            preconditionFailure("a committed change contradicts the index: \(error)")
        }
    }

    private mutating func apply(_ change: DeviceChange) throws(IndexError) {
        let fleet = self.mutableFleet(change.project)
        let known = change.serial.withBytes { fleet.pointee.row(serial: $0) }
        if !self.walks.isEmpty {
            self.walks.rowWillChange(known ?? fleet.pointee.nextRow, in: change.project)
        }
        let row: UInt32
        if change.kind == .created {
            guard let fields = change.fields?.after else {
                throw IndexError("device \(change.device.rawValue) is created without its fields")
            }
            try Self.create(change, fields, in: fleet)
            guard let created = change.serial.withBytes({ fleet.pointee.row(serial: $0) }) else {
                preconditionFailure("a device that was just added is found")
            }
            row = created
        } else {
            guard let known, fleet.pointee.rows[Int(known)].id == change.device.rawValue else {
                throw IndexError(
                    "device \(change.device.rawValue) with serial \(quoted(change.serial)) is not there to be changed")
            }
            guard change.kind == .changed else { return fleet.pointee.remove(known) }
            row = known
            if let fields = change.fields?.after {
                fleet.pointee.setFields(fields, of: row)
            }
            if let sighting = change.sighting?.after {
                fleet.pointee.setSighting(sighting, of: row)
            }
        }
        for attribute in change.attributes {
            guard let key = fleet.pointee.attributeKeys.index(id: attribute.key) else {
                throw IndexError(
                    "device \(change.device.rawValue) has attribute key \(attribute.key.rawValue), which is not known")
            }
            fleet.pointee.setAttribute(key, of: row, to: attribute.state.after)
        }
    }

    private static func create(
        _ change: DeviceChange, _ fields: DeviceFields, in fleet: UnsafeMutablePointer<Fleet>
    ) throws(IndexError) {
        try change.serial.withBytes { serial throws(IndexError) in
            try fields.ownerRef.withBytes { owner throws(IndexError) in
                try fields.hardwareVersion.withBytes { hardware throws(IndexError) in
                    try fleet.pointee.insert(
                        NewDevice(
                            id: change.device, createdDate: change.createdDate, updatedDate: fields.updatedDate,
                            etagRevision: fields.etagRevision, cohort: fields.cohort,
                            sighting: change.sighting?.after ?? Sighting(),
                            serial: serial, ownerRef: owner, hardwareVersion: hardware
                        )
                    )
                }
            }
        }
    }

    /// Releases that lost their last device, or never had one, since this was last asked, and that still have none.
    ///
    /// - Complexity: O(projects), plus the releases concerned.
    package mutating func takeUnusedReleases() -> [(release: ReleaseID, project: ProjectID)] {
        var unused: [(release: ReleaseID, project: ProjectID)] = []
        for index in 0..<self.projectCount where !self.fleet(at: index).pointee.idleReleases.isEmpty {
            let project = self.fleet(at: index).pointee.record.id
            for release in self.mutableFleet(project).pointee.takeIdleReleases() {
                unused.append((release, project))
            }
        }
        return unused
    }
}

// MARK: - Loading

extension RegistryIndex {
    /// Adds a stored device; its texts are copied. Ascending ids are fastest.
    ///
    /// - Throws: where its id or serial is taken or what it refers to is not there.
    package mutating func insert(
        id: DeviceID,
        project: ProjectID,
        createdDate: Timestamp,
        updatedDate: Timestamp,
        etagRevision: Revision,
        cohort: CohortID,
        sighting: Sighting,
        serial: UnsafeRawBufferPointer,
        ownerRef: UnsafeRawBufferPointer,
        hardwareVersion: UnsafeRawBufferPointer
    ) throws(IndexError) {
        guard self.fleet(project) != nil else {
            throw IndexError("device \(id.rawValue) is in project \(project.rawValue), which does not exist")
        }
        try self.mutableFleet(project).pointee.insert(
            NewDevice(
                id: id, createdDate: createdDate, updatedDate: updatedDate, etagRevision: etagRevision, cohort: cohort,
                sighting: sighting, serial: serial, ownerRef: ownerRef, hardwareVersion: hardwareVersion
            )
        )
    }

    /// Sets a stored attribute.
    ///
    /// - Throws: where project, device or key are not there, or the value is not of the key's type.
    package mutating func setAttribute(
        _ key: AttributeKeyID, of device: DeviceID, in project: ProjectID, state: AttributeState
    ) throws(IndexError) {
        guard let fleet = self.fleet(project), let row = fleet.pointee.row(id: device) else {
            throw IndexError(
                "an attribute belongs to device \(device.rawValue) of project \(project.rawValue), which does not exist"
            )
        }
        guard let index = fleet.pointee.attributeKeys.index(id: key) else {
            throw IndexError(
                "device \(device.rawValue) has attribute key \(key.rawValue), which its project does not have")
        }
        let type = fleet.pointee.attributeKeys.records[index].metric.dataType
        guard state.value.dataType == type else {
            throw IndexError(
                "device \(device.rawValue) has a value of type \(state.value.dataType) under a key of type \(type)")
        }
        self.mutableFleet(project).pointee.setAttribute(index, of: row, to: state)
    }

    /// Adds a stored record; `apply` does the same for one that is known to fit.
    ///
    /// - Throws: where the record contradicts what is there.
    package mutating func load(_ project: ProjectRecord) throws(IndexError) {
        try self.insert(project)
    }

    /// - Throws: where the record contradicts what is there.
    package mutating func load(_ cohort: CohortRecord) throws(IndexError) {
        try self.fleetToLoad(cohort.project).pointee.insert(cohort)
    }

    /// - Throws: where the record contradicts what is there.
    package mutating func load(_ release: ReleaseRecord) throws(IndexError) {
        try self.fleetToLoad(release.project).pointee.insert(release)
    }

    /// - Throws: where the record contradicts what is there.
    package mutating func load(_ key: AttributeKeyRecord) throws(IndexError) {
        try self.fleetToLoad(key.project).pointee.insert(key)
    }

    private mutating func fleetToLoad(_ project: ProjectID) throws(IndexError) -> UnsafeMutablePointer<Fleet> {
        guard self.fleet(project) != nil else {
            throw IndexError("a record belongs to project \(project.rawValue), which does not exist")
        }
        return self.mutableFleet(project)
    }
}
