// Creating, updating and deleting one device.

internal import DeviceModel
internal import DeviceQuery

extension PendingGroup {
    mutating func create(
        _ creation: DeviceCreation, in project: ProjectRecord, validateOnly: Bool, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> (Device, DeviceID) {
        guard self.findDevice(creation.serial, in: project.id, index) == nil else {
            throw .deviceExists(creation.serial, project: project.slug)
        }
        let cohort = try self.cohort(creation.cohort ?? Cohort.defaultSlug, in: project, index)
        let device = self.newDevice(
            serial: creation.serial, ownerRef: creation.ownerRef, hardwareVersion: creation.hardwareVersion,
            cohort: cohort.id)
        guard !validateOnly else { return (self.preview(device, in: project.id, index), device.id) }
        self.installNew(device, in: project.id)
        return (self.snapshot(device, in: project.id, index), device.id)
    }

    mutating func update(
        _ update: DeviceUpdate, in project: ProjectRecord, validateOnly: Bool, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> (Device, DeviceID) {
        guard let device = self.findDevice(update.serial, in: project.id, index) else {
            guard let creation = update.creation else { throw .deviceNotFound(update.serial, project: project.slug) }
            return try self.createMissing(
                creation, insteadOf: update, in: project, validateOnly: validateOnly, index)
        }
        try self.check(update.etag, of: device)
        var fields = device.fields
        if let slug = update.cohort {
            fields.cohort = try self.cohort(slug, in: project, index).id
        }
        fields.ownerRef = update.ownerRef ?? fields.ownerRef
        fields.hardwareVersion = update.hardwareVersion ?? fields.hardwareVersion
        guard fields != device.fields else { return (self.snapshot(device, in: project.id, index), device.id) }
        let updated = self.moved(device, to: fields)
        guard !validateOnly else { return (self.preview(updated, in: project.id, index), device.id) }
        let change = DeviceChange(
            revision: self.nextRevision, kind: .changed, project: project.id, device: device.id,
            serial: device.serial, createdDate: device.createdDate,
            fields: Transition(before: device.fields, after: updated.fields))
        self.install(change, after: updated, attributes: nil)
        return (self.snapshot(updated, in: project.id, index), device.id)
    }

    /// - Returns: the deleted device's id; 0 where there was none and that was allowed.
    mutating func delete(
        _ deletion: DeviceDeletion, in project: ProjectRecord, validateOnly: Bool, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> DeviceID {
        guard let device = self.findDevice(deletion.serial, in: project.id, index) else {
            guard deletion.allowMissing else { throw .deviceNotFound(deletion.serial, project: project.slug) }
            return DeviceID(rawValue: 0)
        }
        try self.check(deletion.etag, of: device)
        guard !validateOnly else { return device.id }
        self.delete(device, in: project.id, index)
        return device.id
    }

    /// Deletes a device that is there.
    mutating func delete(_ device: WorkingDevice, in project: ProjectID, _ index: borrowing RegistryIndex) {
        let states = self.attributeStates(of: device.id, in: project, index)
        let change = DeviceChange(
            revision: self.nextRevision, kind: .deleted, project: project, device: device.id,
            serial: device.serial, createdDate: device.createdDate,
            fields: Transition(before: device.fields, after: nil),
            sighting: Transition(before: device.sighting, after: nil),
            attributes: states.sorted { $0.key < $1.key }.map {
                AttributeChange(key: $0.key, state: Transition(before: $0.value, after: nil))
            })
        self.install(change, after: nil, attributes: nil)
    }

    private mutating func createMissing(
        _ creation: DeviceCreation, insteadOf update: DeviceUpdate, in project: ProjectRecord, validateOnly: Bool,
        _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> (Device, DeviceID) {
        if let etag = update.etag {
            throw RegistryError(
                .aborted, .etagStale, "Etag \(quoted(etag)) is of a device that is no longer there.",
                resource: .init(type: .device, name: update.serial))
        }
        var check = FieldCheck()
        check.creation(creation)
        guard check.violations.isEmpty else { throw RegistryError(InvalidFields(check.violations)) }
        return try self.create(creation, in: project, validateOnly: validateOnly, index)
    }
}

// MARK: - What the operations on a device share

extension PendingGroup {
    /// - Throws: ABORTED where `etag` is given and is not the device's.
    func check(_ etag: String?, of device: WorkingDevice) throws(RegistryError) {
        guard let etag else { return }
        let current = self.etag(of: device)
        guard etag == current else {
            throw RegistryError(
                .aborted, .etagStale,
                "Device \(quoted(device.serial)) has changed: its etag is \(quoted(current)), not \(quoted(etag)).",
                resource: .init(type: .device, name: device.serial))
        }
    }

    func etag(of device: WorkingDevice) -> String {
        Etag(storeTag: self.storeTag, revision: device.fields.etagRevision).description
    }

    /// A device that does not exist yet, with the id and the revision that it will get.
    func newDevice(serial: String, ownerRef: String, hardwareVersion: String, cohort: CohortID) -> WorkingDevice {
        WorkingDevice(
            id: self.nextDeviceID,
            serial: serial,
            createdDate: self.now,
            fields: DeviceFields(
                ownerRef: ownerRef, hardwareVersion: hardwareVersion, cohort: cohort, updatedDate: self.now,
                etagRevision: self.nextRevision),
            sighting: Sighting())
    }

    /// The device with `fields`, its etag and updated date moved; a date of the server never moves back.
    func moved(_ device: WorkingDevice, to fields: DeviceFields) -> WorkingDevice {
        var moved = device
        moved.fields = fields
        moved.fields.updatedDate = max(self.now, device.fields.updatedDate)
        moved.fields.etagRevision = self.nextRevision
        return moved
    }

    mutating func installNew(
        _ device: WorkingDevice, in project: ProjectID, attributes: [AttributeChange] = [],
        states: AttributeStates = [:]
    ) {
        let change = DeviceChange(
            revision: self.nextRevision, kind: .created, project: project, device: device.id, serial: device.serial,
            createdDate: device.createdDate,
            fields: Transition(before: nil, after: device.fields),
            sighting: Transition(before: nil, after: device.sighting),
            attributes: attributes)
        self.install(change, after: device, attributes: states)
    }

    /// The device as callers see it, without attributes.
    func snapshot(_ device: WorkingDevice, in project: ProjectID, _ index: borrowing RegistryIndex) -> Device {
        guard let cohort = self.cohort(id: device.fields.cohort, in: project, index) else {
            preconditionFailure("Every device is in a cohort of its project.")
        }
        let release = device.sighting.release.flatMap { self.release(id: $0, in: project, index) }
        return Device(device, cohort: cohort, release: release, storeTag: self.storeTag)
    }

    /// The device as it would be: what only a real change is given stays zero and empty.
    func preview(_ device: WorkingDevice, in project: ProjectID, _ index: borrowing RegistryIndex) -> Device {
        var preview = self.snapshot(device, in: project, index)
        if device.id == self.nextDeviceID {
            preview.id = 0
        }
        preview.etag = ""
        return preview
    }
}
