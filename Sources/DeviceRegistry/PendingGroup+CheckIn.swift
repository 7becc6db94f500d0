// A check-in: when a device was last seen, with which release and which values.

internal import DeviceModel
internal import DeviceQuery

extension PendingGroup {
    mutating func checkIn(
        _ checkIn: CheckIn, in project: ProjectRecord, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> (Device, DeviceID) {
        let found = self.findDevice(checkIn.serial, in: project.id, index)
        guard found != nil || checkIn.createMissing else {
            throw .deviceNotFound(checkIn.serial, project: project.slug)
        }
        var check = FieldCheck()
        if let time = checkIn.time {
            self.checkTime(time, field: "time", &check)
        }
        if found == nil {
            check.hardwareVersion(checkIn.hardwareVersion, field: "hardware_version")
        }
        // A time that the server gives never moves back for a device, whatever becomes of the host's clock.
        let time = checkIn.time ?? found?.sighting.lastSeen.map { max(self.now, $0) } ?? self.now
        let plan = try self.plan(
            checkIn.attributes, mode: .merge, of: found, defaultTime: checkIn.time, in: project.id, &check, index)
        let device =
            if let found { found } else { try self.registered(checkIn, in: project, index) }
        let isLatest = device.sighting.lastSeen.map { time >= $0 } ?? true
        if isLatest, let release = checkIn.release {
            try self.checkReleaseCount(release, in: project.id, index)
        }

        // Nothing below refuses.
        var seen = device
        if isLatest {
            seen.sighting.lastSeen = time
            if let release = checkIn.release {
                seen.sighting.release = self.obtainRelease(release, in: project.id, index).id
            }
        }
        let (attributes, states) = self.realise(plan, in: project.id)
        if found == nil {
            self.installNew(seen, in: project.id, attributes: attributes, states: states)
        } else if seen != device || !attributes.isEmpty {
            let change = DeviceChange(
                revision: self.nextRevision, kind: .changed, project: project.id, device: device.id,
                serial: device.serial, createdDate: device.createdDate,
                sighting: seen == device ? nil : Transition(before: device.sighting, after: seen.sighting),
                attributes: attributes)
            self.install(change, after: seen, attributes: attributes.isEmpty ? nil : states)
        }
        return (self.snapshot(seen, in: project.id, index), device.id)
    }

    /// The device that a check-in registers: nobody's yet, in the default cohort.
    private mutating func registered(
        _ checkIn: CheckIn, in project: ProjectRecord, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> WorkingDevice {
        let cohort = try self.cohort(Cohort.defaultSlug, in: project, index)
        return self.newDevice(
            serial: checkIn.serial, ownerRef: "", hardwareVersion: checkIn.hardwareVersion, cohort: cohort.id)
    }

    /// - Throws: RESOURCE_EXHAUSTED where the release is one too many for the project.
    mutating func checkReleaseCount(
        _ name: ReleaseName, in project: ProjectID, _ index: borrowing RegistryIndex
    ) throws(RegistryError) {
        guard self.findRelease(name, in: project, index) == nil,
            self.releaseCount(in: project, index) >= self.limits.releaseCountMaxPerProject
        else { return }
        throw RegistryError(
            .resourceExhausted, .limitExceeded,
            "A project has at most \(self.limits.releaseCountMaxPerProject) releases in use (releases_per_project).")
    }
}
