// What a group of mutations has changed so far, over the committed state that it started from.

internal import DeviceModel
internal import DeviceQuery

/// The changes of one group, with just enough state that each mutation sees those before it.
///
/// A mutation is checked whole before it changes anything here, so that one that is refused leaves no trace.
struct PendingGroup {
    struct DeviceName: Hashable {
        let project: ProjectID
        let serial: String
    }

    struct CohortName: Hashable {
        let project: ProjectID
        let slug: String
    }

    struct ReleaseKey: Hashable {
        let project: ProjectID
        let name: ReleaseName
    }

    struct AttributeKeyName: Hashable {
        let project: ProjectID
        /// In lower case: keys are told apart without regard to it.
        let folded: String
    }

    /// One moment for the whole group, by the host's clock; dates are given by it.
    let now: Timestamp
    /// The same moment by the clock that ages are told by.
    let age: Timestamp
    let storeTag: UInt32
    let limits: Limits

    private(set) var marks: HighWaterMarks
    private(set) var changes: [Change] = []
    private(set) var requests: [RememberedRequest] = []
    /// Whether what the present call has asked for rests on a change that is not committed yet.
    private(set) var hasTouchedPending = false

    // Overlays: a nil value means that the group deleted it.
    private var devices: [DeviceName: WorkingDevice?] = [:]
    private var deviceNames: [DeviceID: DeviceName] = [:]
    private var attributes: [DeviceID: AttributeStates] = [:]
    private var projects: [String: ProjectRecord?] = [:]
    private var cohorts: [CohortName: CohortRecord?] = [:]
    private var cohortsByID: [CohortID: CohortRecord] = [:]
    private var releases: [ReleaseKey: ReleaseRecord] = [:]
    private var releasesByID: [ReleaseID: ReleaseRecord] = [:]
    private var deletedReleases: Set<ReleaseID> = []
    private var attributeKeys: [AttributeKeyName: AttributeKeyRecord] = [:]
    private var attributeKeysByID: [AttributeKeyID: AttributeKeyRecord] = [:]
    private var requestsByKey: [RememberedRequest.Key: RememberedRequest] = [:]
    // Counts, as differences from the committed ones.
    private var projectCountChange = 0
    private var deviceCountChanges: [ProjectID: Int] = [:]
    private var cohortDeviceCountChanges: [CohortID: Int] = [:]
    private var cohortCountChanges: [ProjectID: Int] = [:]
    private var releaseCountChanges: [ProjectID: Int] = [:]
    private var attributeKeyCountChanges: [ProjectID: Int] = [:]

    init(now: Timestamp, age: Timestamp, storeTag: UInt32, limits: Limits, marks: HighWaterMarks) {
        self.now = now
        self.age = age
        self.storeTag = storeTag
        self.limits = limits
        self.marks = marks
    }

    var isEmpty: Bool {
        self.changes.isEmpty && self.requests.isEmpty
    }

    /// Begins a call: from here on ``hasTouchedPending`` speaks of that one.
    mutating func beginCall() {
        self.hasTouchedPending = false
    }
}

// MARK: - Looking up

extension PendingGroup {
    mutating func project(_ slug: String, _ index: borrowing RegistryIndex) throws(RegistryError) -> ProjectRecord {
        guard let record = self.findProject(slug, index) else { throw .projectNotFound(slug) }
        return record
    }

    mutating func findProject(_ slug: String, _ index: borrowing RegistryIndex) -> ProjectRecord? {
        if let pending = self.projects[slug] {
            self.hasTouchedPending = true
            return pending
        }
        return index.project(slug: slug)
    }

    mutating func findDevice(
        _ serial: String, in project: ProjectID, _ index: borrowing RegistryIndex
    ) -> WorkingDevice? {
        if let pending = self.devices[DeviceName(project: project, serial: serial)] {
            self.hasTouchedPending = true
            return pending
        }
        var serial = serial
        return serial.withUTF8 { bytes in
            index.device(serial: UnsafeRawBufferPointer(bytes), in: project).map { WorkingDevice($0) }
        }
    }

    mutating func findDevice(
        _ id: DeviceID, in project: ProjectID, _ index: borrowing RegistryIndex
    ) -> WorkingDevice? {
        if let name = self.deviceNames[id] {
            self.hasTouchedPending = true
            return self.devices[name].flatMap { $0?.id == id ? $0 : nil }
        }
        return index.device(id: id, in: project).map { WorkingDevice($0) }
    }

    func attributeStates(
        of device: DeviceID, in project: ProjectID, _ index: borrowing RegistryIndex
    ) -> AttributeStates {
        if let pending = self.attributes[device] { return pending }
        var states: AttributeStates = [:]
        index.device(id: device, in: project)?.forEachAttribute { key, state in
            states[key.id] = state
        }
        return states
    }

    mutating func cohort(
        _ slug: String, in project: ProjectRecord, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> CohortRecord {
        guard let record = self.findCohort(slug, in: project.id, index) else {
            throw .cohortNotFound(slug, project: project.slug)
        }
        return record
    }

    mutating func findCohort(
        _ slug: String, in project: ProjectID, _ index: borrowing RegistryIndex
    ) -> CohortRecord? {
        if let pending = self.cohorts[CohortName(project: project, slug: slug)] {
            self.hasTouchedPending = true
            return pending
        }
        return index.cohort(slug: slug, in: project)
    }

    func cohort(id: CohortID, in project: ProjectID, _ index: borrowing RegistryIndex) -> CohortRecord? {
        self.cohortsByID[id] ?? index.cohort(id: id, in: project)
    }

    func findRelease(
        _ name: ReleaseName, in project: ProjectID, _ index: borrowing RegistryIndex
    ) -> ReleaseRecord? {
        if let pending = self.releases[ReleaseKey(project: project, name: name)] { return pending }
        guard let record = index.release(version: name.version, revision: name.revision, in: project),
            !self.deletedReleases.contains(record.id)
        else { return nil }
        return record
    }

    func release(id: ReleaseID, in project: ProjectID, _ index: borrowing RegistryIndex) -> ReleaseRecord? {
        self.releasesByID[id] ?? index.release(id: id, in: project)
    }

    mutating func findAttributeKey(
        _ text: String, in project: ProjectID, _ index: borrowing RegistryIndex
    ) -> AttributeKeyRecord? {
        if let pending = self.attributeKeys[AttributeKeyName(project: project, folded: CustomMetric.folded(text))] {
            self.hasTouchedPending = true
            return pending
        }
        return index.attributeKey(text, in: project)
    }

    func attributeKey(
        id: AttributeKeyID, in project: ProjectID, _ index: borrowing RegistryIndex
    ) -> AttributeKeyRecord? {
        self.attributeKeysByID[id] ?? index.attributeKey(id: id, in: project)
    }

    mutating func findRequest(_ key: RememberedRequest.Key, _ memory: RequestMemory) -> RequestMemory.Entry? {
        if let pending = self.requestsByKey[key] {
            self.hasTouchedPending = true
            return RequestMemory.Entry(bodyDigest: pending.bodyDigest, time: pending.time, subject: pending.subject)
        }
        return memory.entry(for: key, now: self.age)
    }
}

// MARK: - Counting

extension PendingGroup {
    mutating func projectCount(_ index: borrowing RegistryIndex) -> Int {
        index.projectCount + self.pending(self.projectCountChange == 0 ? nil : self.projectCountChange)
    }

    mutating func deviceCount(in project: ProjectID, _ index: borrowing RegistryIndex) -> Int {
        index.deviceCount(in: project) + self.pending(self.deviceCountChanges[project])
    }

    mutating func deviceCount(
        inCohort cohort: CohortID, project: ProjectID, _ index: borrowing RegistryIndex
    ) -> Int {
        index.deviceCount(inCohort: cohort, project: project) + self.pending(self.cohortDeviceCountChanges[cohort])
    }

    mutating func cohortCount(in project: ProjectID, _ index: borrowing RegistryIndex) -> Int {
        index.cohortCount(in: project) + self.pending(self.cohortCountChanges[project])
    }

    mutating func releaseCount(in project: ProjectID, _ index: borrowing RegistryIndex) -> Int {
        index.releaseCount(in: project) + self.pending(self.releaseCountChanges[project])
    }

    mutating func attributeKeyCount(in project: ProjectID, _ index: borrowing RegistryIndex) -> Int {
        index.attributeKeyCount(in: project) + self.pending(self.attributeKeyCountChanges[project])
    }

    private mutating func pending(_ change: Int?) -> Int {
        guard let change else { return 0 }
        self.hasTouchedPending = true
        return change
    }
}

// MARK: - Changing

extension PendingGroup {
    /// The revision that the next changed device gets.
    var nextRevision: Revision { self.marks.revision.next }
    /// The id that the next created device gets.
    var nextDeviceID: DeviceID { DeviceID(rawValue: self.marks.device.rawValue + 1) }

    /// Makes room for so many more devices, so that nothing has to grow step by step.
    mutating func reserve(deviceCount: Int) {
        self.devices.reserveCapacity(self.devices.count + deviceCount)
        self.deviceNames.reserveCapacity(self.deviceNames.count + deviceCount)
        self.attributes.reserveCapacity(self.attributes.count + deviceCount)
        self.changes.reserveCapacity(self.changes.count + deviceCount)
    }

    /// Installs a device's new state (`after` nil: deleted) and appends the change, which takes the next revision.
    mutating func install(
        _ change: DeviceChange,
        after: WorkingDevice?,
        attributes: AttributeStates?
    ) {
        precondition(change.revision == self.nextRevision, "A change takes the next revision.")
        let name = DeviceName(project: change.project, serial: change.serial)
        self.marks.revision = change.revision
        self.devices[name] = .some(after)
        self.deviceNames[change.device] = name
        self.attributes[change.device] = after == nil ? [:] : attributes ?? self.attributes[change.device]
        if change.kind == .created {
            self.marks.device = change.device
            self.deviceCountChanges[change.project, default: 0] += 1
        } else if change.kind == .deleted {
            self.deviceCountChanges[change.project, default: 0] -= 1
        }
        if let fields = change.fields, fields.before?.cohort != fields.after?.cohort {
            if let before = fields.before { self.cohortDeviceCountChanges[before.cohort, default: 0] -= 1 }
            if let after = fields.after { self.cohortDeviceCountChanges[after.cohort, default: 0] += 1 }
        }
        self.changes.append(.device(change))
    }

    /// The release of that name, created where the project has none.
    mutating func obtainRelease(
        _ name: ReleaseName, in project: ProjectID, _ index: borrowing RegistryIndex
    ) -> ReleaseRecord {
        if let known = self.findRelease(name, in: project, index) { return known }
        self.marks.release = ReleaseID(rawValue: self.marks.release.rawValue + 1)
        let record = ReleaseRecord(
            id: self.marks.release, project: project, version: name.version, revision: name.revision)
        self.releases[ReleaseKey(project: project, name: name)] = record
        self.releasesByID[record.id] = record
        self.releaseCountChanges[project, default: 0] += 1
        self.changes.append(.releaseCreated(record))
        return record
    }

    mutating func createAttributeKey(_ metric: CustomMetric, in project: ProjectID) -> AttributeKeyRecord {
        self.marks.attributeKey = AttributeKeyID(rawValue: self.marks.attributeKey.rawValue + 1)
        let record = AttributeKeyRecord(id: self.marks.attributeKey, project: project, metric: metric)
        let name = AttributeKeyName(project: project, folded: CustomMetric.folded(metric.stringKey))
        self.attributeKeys[name] = record
        self.attributeKeysByID[record.id] = record
        self.attributeKeyCountChanges[project, default: 0] += 1
        self.changes.append(.attributeKeyCreated(record))
        return record
    }

    mutating func createProject(slug: String, name: String) -> ProjectRecord {
        self.marks.project = ProjectID(rawValue: self.marks.project.rawValue + 1)
        let record = ProjectRecord(id: self.marks.project, slug: slug, name: name, createdDate: self.now)
        self.projects[slug] = .some(record)
        self.projectCountChange += 1
        self.changes.append(.projectCreated(record))
        _ = self.createCohort(slug: Cohort.defaultSlug, name: "Default", in: record.id)
        return record
    }

    mutating func deleteProject(_ record: ProjectRecord) {
        self.projects[record.slug] = .some(nil)
        self.projectCountChange -= 1
        self.changes.append(.projectDeleted(record.id))
    }

    mutating func createCohort(slug: String, name: String, in project: ProjectID) -> CohortRecord {
        self.marks.cohort = CohortID(rawValue: self.marks.cohort.rawValue + 1)
        let record = CohortRecord(id: self.marks.cohort, project: project, slug: slug, name: name)
        self.put(record)
        self.cohortCountChanges[project, default: 0] += 1
        self.changes.append(.cohortCreated(record))
        return record
    }

    mutating func renameCohort(_ record: CohortRecord, to name: String) -> CohortRecord {
        var renamed = record
        renamed.name = name
        self.put(renamed)
        self.changes.append(.cohortRenamed(record.id, project: record.project, name: name))
        return renamed
    }

    mutating func deleteCohort(_ record: CohortRecord) {
        self.cohorts[CohortName(project: record.project, slug: record.slug)] = .some(nil)
        self.cohortCountChanges[record.project, default: 0] -= 1
        self.changes.append(.cohortDeleted(record.id, project: record.project))
    }

    /// Deletes a release that no device has; only before the group's first call.
    mutating func deleteUnusedRelease(_ id: ReleaseID, in project: ProjectID) {
        precondition(self.devices.isEmpty, "Releases are reclaimed before a group's first call.")
        self.deletedReleases.insert(id)
        self.releaseCountChanges[project, default: 0] -= 1
        self.changes.append(.releaseDeleted(id, project: project))
    }

    mutating func remember(_ identity: MutationRequest.Identity, subject: Int64) {
        let request = RememberedRequest(
            key: identity.key, bodyDigest: identity.bodyDigest, time: self.age, subject: subject)
        self.requestsByKey[identity.key] = request
        self.requests.append(request)
    }

    private mutating func put(_ record: CohortRecord) {
        self.cohorts[CohortName(project: record.project, slug: record.slug)] = .some(record)
        self.cohortsByID[record.id] = record
    }
}
