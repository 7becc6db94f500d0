// Importing devices: each item is checked whole before anything of it is installed, so that one that fails leaves no trace.

internal import DeviceModel
internal import DeviceQuery

extension PendingGroup {
    mutating func importDevices(
        _ devices: DeviceImport, in project: ProjectRecord, validateOnly: Bool, _ index: borrowing RegistryIndex
    ) -> ImportOutcome {
        var outcome = ImportOutcome()
        if !validateOnly { self.reserve(deviceCount: devices.items.count) }
        for item in devices.items {
            do throws(RegistryError) {
                let isNew = try self.importDevice(
                    item.device, devices.mode, in: project, validateOnly: validateOnly, index)
                outcome.createdCount += isNew ? 1 : 0
                outcome.updatedCount += isNew ? 0 : 1
            } catch {
                outcome.failures.append(ImportOutcome.Failure(position: item.position, error: error))
            }
        }
        return outcome
    }

    /// Whether the item's device is a new one.
    private mutating func importDevice(
        _ item: ImportItem, _ mode: ImportMode, in project: ProjectRecord, validateOnly: Bool,
        _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> Bool {
        let found = self.findDevice(item.serial, in: project.id, index)
        if found != nil, mode == .create {
            throw .deviceExists(item.serial, project: project.slug)
        }
        var check = FieldCheck()
        if let time = item.lastSeen {
            self.checkTime(time, field: "last_seen", &check)
        }
        if found == nil {
            self.checkNew(item, &check)
        }
        var plan = AttributePlan()
        if !item.attributes.isEmpty || !check.violations.isEmpty {
            plan = try self.plan(
                item.attributes, mode: .merge, of: found, defaultTime: item.lastSeen, in: project.id, &check, index)
        }
        let cohort = try self.cohort(of: item, in: project, isNew: found == nil, index)
        let isLatest = item.lastSeen.map { time in found?.sighting.lastSeen.map { time >= $0 } ?? true } ?? false
        let release = item.release.map { ReleaseName(version: $0.version, revision: $0.revision) }
        if isLatest, let release {
            try self.checkReleaseCount(release, in: project.id, index)
        }
        guard !validateOnly else { return found == nil }

        // Nothing below refuses.
        let cohortID = cohort.map {
            $0.record?.id ?? self.createCohort(slug: $0.slug, name: $0.slug, in: project.id).id
        }
        var sighting = found?.sighting ?? Sighting()
        if isLatest {
            sighting.lastSeen = item.lastSeen
            if let release {
                sighting.release = self.obtainRelease(release, in: project.id, index).id
            }
        }
        let (attributes, states) = self.realise(plan, in: project.id)
        if let found {
            self.importChange(of: found, item, cohortID, sighting, attributes, states, in: project.id)
        } else if let cohortID {
            var device = self.newDevice(
                serial: item.serial, ownerRef: item.ownerRef, hardwareVersion: item.hardwareVersion, cohort: cohortID)
            device.sighting = sighting
            self.installNew(device, in: project.id, attributes: attributes, states: states)
        }
        return found == nil
    }

    /// What only a new device has to have.
    private func checkNew(_ item: ImportItem, _ check: inout FieldCheck) {
        if item.ownerRef.isEmpty, item.lastSeen == nil {
            check.refuse("owner_ref", "must not be empty unless last_seen is given")
        }
        if item.hardwareVersion.isEmpty {
            check.hardwareVersion(item.hardwareVersion, field: "hardware_version")
        }
    }

    /// The cohort that an item names, with no record where it is to be created; nil where the device stays in its own.
    private mutating func cohort(
        of item: ImportItem, in project: ProjectRecord, isNew: Bool, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> (slug: String, record: CohortRecord?)? {
        guard let slug = item.cohort ?? (isNew ? Cohort.defaultSlug : nil) else { return nil }
        if let record = self.findCohort(slug, in: project.id, index) { return (slug, record) }
        guard item.createsCohort else { throw .cohortNotFound(slug, project: project.slug) }
        try self.checkCohortCount(in: project.id, index)
        return (slug, nil)
    }

    /// Installs what an item changes of a device that exists, if anything.
    private mutating func importChange(
        of device: WorkingDevice, _ item: ImportItem, _ cohort: CohortID?, _ sighting: Sighting,
        _ attributes: [AttributeChange], _ states: AttributeStates, in project: ProjectID
    ) {
        var fields = device.fields
        if !item.ownerRef.isEmpty { fields.ownerRef = item.ownerRef }
        if !item.hardwareVersion.isEmpty { fields.hardwareVersion = item.hardwareVersion }
        if let cohort { fields.cohort = cohort }
        let movesEtag = fields != device.fields || !attributes.isEmpty
        guard movesEtag || sighting != device.sighting else { return }
        var after = movesEtag ? self.moved(device, to: fields) : device
        after.sighting = sighting
        let change = DeviceChange(
            revision: self.nextRevision, kind: .changed, project: project, device: device.id, serial: device.serial,
            createdDate: device.createdDate,
            fields: movesEtag ? Transition(before: device.fields, after: after.fields) : nil,
            sighting: sighting == device.sighting ? nil : Transition(before: device.sighting, after: sighting),
            attributes: attributes)
        self.install(change, after: after, attributes: attributes.isEmpty ? nil : states)
    }
}
