// Adding, changing and removing devices, with every index kept in step.

internal import DeviceModel

/// A new device; its texts are borrowed.
struct NewDevice {
    var id: DeviceID
    var createdDate: Timestamp
    var updatedDate: Timestamp
    var etagRevision: Revision
    var cohort: CohortID
    var sighting: Sighting
    var serial: UnsafeRawBufferPointer
    var ownerRef: UnsafeRawBufferPointer
    var hardwareVersion: UnsafeRawBufferPointer
}

extension Fleet {
    /// Adds a device.
    ///
    /// - Throws: where its id or serial is taken or what it refers to is not there; nothing has changed then.
    /// - Complexity: O(log n), amortised over the growth of tables.
    mutating func insert(_ device: NewDevice) throws(IndexError) {
        guard device.id.rawValue > 0, self.rows.count < Int(DeviceRow.noRow) - 1 else {
            throw IndexError(
                "device \(device.id.rawValue): ids begin at 1, and a project holds at most 2^32 - 2 devices")
        }
        guard self.row(serial: device.serial) == nil, self.row(id: device.id) == nil else {
            let serial = String(decoding: device.serial, as: UTF8.self)
            throw IndexError("device \(device.id.rawValue): its id or its serial \(quoted(serial)) is taken")
        }
        guard let cohort = self.cohortCodes[device.cohort] else {
            throw IndexError(
                "device \(device.id.rawValue) is in cohort \(device.cohort.rawValue), which its project does not have")
        }
        var release = DeviceRow.noRelease
        if let id = device.sighting.release {
            guard let code = self.releaseCodes[id] else {
                throw IndexError(
                    "device \(device.id.rawValue) has release \(id.rawValue), which its project does not have")
            }
            release = code
        }
        self.wordVersion += 1
        let row = self.takeRow(for: device.id)
        self.seen[Int(row)] = device.sighting.lastSeen?.microseconds ?? DeviceRow.neverSeen
        self.rows[Int(row)] = DeviceRow(
            deviceID: device.id, createdDate: device.createdDate, updatedDate: device.updatedDate,
            etagRevision: device.etagRevision.rawValue,
            lastSeen: device.sighting.lastSeen?.microseconds ?? DeviceRow.neverSeen,
            owner: self.owners.intern(device.ownerRef), hardware: self.hardware.intern(device.hardwareVersion),
            release: release, cohort: cohort, serial: self.serials.insert(device.serial),
            attributes: AttributeLists.none
        )
        self.codes.update(row, self.rows[Int(row)])
        self.index(row)
    }

    /// The row that the next new device gets.
    var nextRow: UInt32 {
        self.firstFreeRow == DeviceRow.noRow ? UInt32(self.rows.count) : self.firstFreeRow
    }

    private mutating func takeRow(for id: DeviceID) -> UInt32 {
        let row = self.nextRow
        let isNew = self.firstFreeRow == DeviceRow.noRow
        if isNew {
            self.rows.append(.free(next: DeviceRow.noRow))
            self.seen.append(DeviceRow.neverSeen)
            self.codes.append()
        } else {
            self.firstFreeRow = self.rows[Int(row)].owner
        }
        self.idOrder.enter(row, id: id.rawValue, isNew: isNew)
        return row
    }

    /// Enters a row that is filled in into every index.
    private mutating func index(_ row: UInt32) {
        let device = self.rows[Int(row)]
        self.serialTable.insert(self.serialTag(device), row, device.serial)
        self.byID.insert(device.id, row, self.idTies)
        self.byLastSeen.insert(device.lastSeen, row, self.idTies)
        self.enterLazyOrders(row)
        self.enterPartialOrders(row, device)
        self.owners.insert(row: row, under: device.owner)
        self.hardware.insert(row: row, under: device.hardware)
        self.cohorts.insert(row: row, under: device.cohort)
        self.enterRelease(row, device.release)
        self.deviceCount += 1
    }

    private func serialTag(_ device: DeviceRow) -> UInt32 {
        HashSlots.tag(StableHash.hash(self.serials.text(device.serial), seed: self.seed))
    }

    /// Removes a device with its attributes; its row is free afterwards. - Complexity: O(log n).
    mutating func remove(_ row: UInt32) {
        let device = self.rows[Int(row)]
        self.wordVersion += 1
        self.serialTable.remove(self.serialTag(device), row)
        self.byID.remove(device.id, row, self.idTies)
        self.leaveSeenOrders(row, device)
        self.leaveLazyOrders(row)
        self.owners.remove(row: row, under: device.owner)
        self.hardware.remove(row: row, under: device.hardware)
        self.cohorts.remove(row: row, under: device.cohort)
        self.leaveRelease(row, device.release)
        self.dropAttributes(of: row)
        self.serials.remove(device.serial)
        self.rows[Int(row)] = .free(next: self.firstFreeRow)
        self.firstFreeRow = row
        self.deviceCount -= 1
    }

    /// Sets what a caller may change. - Complexity: O(1) expected, plus the moves between row sets.
    mutating func setFields(_ fields: DeviceFields, of row: UInt32) {
        guard let cohort = self.cohortCodes[fields.cohort] else {
            preconditionFailure("a device moves to a cohort that its project does not have")
        }
        let old = self.rows[Int(row)]
        // The new text is entered before the old one is left, for the old one may go with its last device.
        let owner = fields.ownerRef.withBytes { self.owners.intern($0) }
        if owner != old.owner {
            self.wordVersion += 1
            self.owners.insert(row: row, under: owner)
            self.owners.remove(row: row, under: old.owner)
        }
        let hardware = fields.hardwareVersion.withBytes { self.hardware.intern($0) }
        if hardware != old.hardware {
            self.wordVersion += 1
            self.hardware.insert(row: row, under: hardware)
            self.hardware.remove(row: row, under: old.hardware)
        }
        if cohort != old.cohort {
            self.cohorts.insert(row: row, under: cohort)
            self.cohorts.remove(row: row, under: old.cohort)
        }
        let device = self.rows.base + Int(row)
        device.pointee.owner = owner
        device.pointee.hardware = hardware
        device.pointee.cohort = cohort
        if hardware != old.hardware { self.movePartialOrder(.hardware, row, from: old, to: device.pointee) }
        if cohort != old.cohort { self.movePartialOrder(.cohort, row, from: old, to: device.pointee) }
        self.codes.update(row, device.pointee)
        let tree = self.byUpdatedDate.tree(covering: row)
        tree?.pointee.remove(old.updatedDate.microseconds, row, self.idTies)
        device.pointee.updatedDate = fields.updatedDate
        tree?.pointee.insert(fields.updatedDate.microseconds, row, self.idTies)
        device.pointee.etagRevision = fields.etagRevision.rawValue
    }

    /// Sets what a check-in said: the most frequent change by far. - Complexity: O(log n), independent of the fleet but for that.
    mutating func setSighting(_ sighting: Sighting, of row: UInt32) {
        let device = self.rows.base + Int(row)
        let old = device.pointee
        let lastSeen = sighting.lastSeen?.microseconds ?? DeviceRow.neverSeen
        let release = self.releaseCode(sighting, knownUnder: old.release)
        if release != old.release {
            self.enterRelease(row, release)
            device.pointee.release = release
            self.codes.update(row, device.pointee)
            self.leaveRelease(row, old.release)
        }
        guard lastSeen != old.lastSeen else {
            if release != old.release { self.movePartialOrder(.release, row, from: old, to: device.pointee) }
            return
        }
        self.leaveSeenOrders(row, old)
        device.pointee.lastSeen = lastSeen
        self.seen[Int(row)] = lastSeen
        self.byLastSeen.insert(lastSeen, row, self.idTies)
        self.enterPartialOrders(row, device.pointee)
    }

    /// The code of a sighting's release; most have the same one as before.
    private func releaseCode(_ sighting: Sighting, knownUnder old: UInt32) -> UInt32 {
        guard let id = sighting.release else { return DeviceRow.noRelease }
        if old != DeviceRow.noRelease, self.releaseIDs[Int(old)] == id { return old }
        guard let code = self.releaseCodes[id] else {
            preconditionFailure("a check-in names a release that the project does not have")
        }
        return code
    }

    private mutating func enterRelease(_ row: UInt32, _ release: UInt32) {
        if release == DeviceRow.noRelease {
            self.unreleased.insert(row, byteCount: &self.unreleasedByteCount)
        } else {
            self.releases.insert(row: row, under: release)
        }
    }

    private mutating func leaveRelease(_ row: UInt32, _ release: UInt32) {
        guard release != DeviceRow.noRelease else {
            return self.unreleased.remove(row, byteCount: &self.unreleasedByteCount)
        }
        self.releases.remove(row: row, under: release)
        if self.releases.rows(release).count == 0 {
            self.idleReleases.append(self.releaseIDs[Int(release)])
        }
    }
}
