// What a store holds, as plain values: a loader that keeps all it is given, and the meaning of a batch spelled out.

package import DeviceModel
package import DeviceStore

/// Everything in a store, comparable.
package struct StoreContents: Hashable, Sendable {
    /// A device's row.
    package struct DeviceRow: Hashable, Sendable {
        package var project: ProjectID
        package var createdDate: Timestamp
        package var serial: String
        package var fields: DeviceFields
        package var sighting: Sighting
    }

    package var projects: [ProjectID: ProjectRecord] = [:]
    package var cohorts: [CohortID: CohortRecord] = [:]
    package var releases: [ReleaseID: ReleaseRecord] = [:]
    package var attributeKeys: [AttributeKeyID: AttributeKeyRecord] = [:]
    package var devices: [DeviceID: DeviceRow] = [:]
    package var attributes: [DeviceID: [AttributeKeyID: AttributeState]] = [:]
    /// By age, the oldest first.
    package var requests: [RememberedRequest] = []

    package init() {}

    /// Applies a batch as the documentation of ``Change`` has it.
    package mutating func apply(_ batch: MutationBatch) {
        for change in batch.changes {
            self.apply(change)
        }
        self.requests += batch.requests
    }

    private mutating func apply(_ change: Change) {
        switch change {
        case .device(let change): self.apply(change)
        case .projectCreated(let record): self.projects[record.id] = record
        case .projectDeleted(let id):
            self.projects[id] = nil
            self.cohorts = self.cohorts.filter { $0.value.project != id }
            self.releases = self.releases.filter { $0.value.project != id }
            self.attributeKeys = self.attributeKeys.filter { $0.value.project != id }
        case .cohortCreated(let record): self.cohorts[record.id] = record
        case .cohortRenamed(let id, project: _, let name): self.cohorts[id]?.name = name
        case .cohortDeleted(let id, project: _): self.cohorts[id] = nil
        case .releaseCreated(let record): self.releases[record.id] = record
        case .releaseDeleted(let id, project: _): self.releases[id] = nil
        case .attributeKeyCreated(let record): self.attributeKeys[record.id] = record
        }
    }

    private mutating func apply(_ change: DeviceChange) {
        if change.kind == .deleted {
            self.devices[change.device] = nil
            self.attributes[change.device] = nil
            return
        }
        if change.kind == .created, let fields = change.fields?.after {
            self.devices[change.device] = DeviceRow(
                project: change.project, createdDate: change.createdDate, serial: change.serial, fields: fields,
                sighting: Sighting())
        }
        if let fields = change.fields?.after { self.devices[change.device]?.fields = fields }
        if let sighting = change.sighting?.after { self.devices[change.device]?.sighting = sighting }
        for attribute in change.attributes {
            self.attributes[change.device, default: [:]][attribute.key] = attribute.state.after
        }
        if self.attributes[change.device]?.isEmpty == true { self.attributes[change.device] = nil }
    }

    /// Hands everything to `loader` in the order that a store promises.
    package func load(into loader: inout some StoreLoader) throws(StoreError) {
        for id in self.projects.keys.sorted() { if let record = self.projects[id] { try loader.project(record) } }
        for id in self.cohorts.keys.sorted() { if let record = self.cohorts[id] { try loader.cohort(record) } }
        for id in self.releases.keys.sorted() { if let record = self.releases[id] { try loader.release(record) } }
        for id in self.attributeKeys.keys.sorted() {
            if let record = self.attributeKeys[id] { try loader.attributeKey(record) }
        }
        for id in self.devices.keys.sorted() {
            if let row = self.devices[id] { try Self.load(row, id: id, into: &loader) }
        }
        for device in self.attributes.keys.sorted() {
            let states = self.attributes[device] ?? [:]
            for key in states.keys.sorted() {
                guard let state = states[key], let project = self.attributeKeys[key]?.project else { continue }
                try loader.attribute(key, of: device, in: project, state: state)
            }
        }
        for request in self.requests { try loader.request(request) }
    }

    private static func load(_ row: DeviceRow, id: DeviceID, into loader: inout some StoreLoader) throws(StoreError) {
        let texts = [row.serial, row.fields.ownerRef, row.fields.hardwareVersion].map { Array($0.utf8) }
        let result = texts[0].withUnsafeBytes { serial in
            texts[1].withUnsafeBytes { ownerRef in
                texts[2].withUnsafeBytes { hardwareVersion in
                    Result { () throws(StoreError) in
                        try loader.device(
                            StoredDevice(
                                id: id, project: row.project, createdDate: row.createdDate,
                                updatedDate: row.fields.updatedDate, etagRevision: row.fields.etagRevision,
                                cohort: row.fields.cohort, sighting: row.sighting, serial: serial, ownerRef: ownerRef,
                                hardwareVersion: hardwareVersion))
                    }
                }
            }
        }
        try result.get()
    }
}

extension StoreContents: StoreLoader {
    package mutating func project(_ record: ProjectRecord) throws(StoreError) { self.projects[record.id] = record }
    package mutating func cohort(_ record: CohortRecord) throws(StoreError) { self.cohorts[record.id] = record }
    package mutating func release(_ record: ReleaseRecord) throws(StoreError) { self.releases[record.id] = record }

    package mutating func attributeKey(_ record: AttributeKeyRecord) throws(StoreError) {
        self.attributeKeys[record.id] = record
    }

    package mutating func device(_ device: StoredDevice) throws(StoreError) {
        guard self.devices[device.id] == nil, self.cohorts[device.cohort]?.project == device.project else {
            throw StoreError(.corrupt, "device \(device.id.rawValue) is loaded twice or before its cohort")
        }
        if let release = device.sighting.release, self.releases[release]?.project != device.project {
            throw StoreError(.corrupt, "device \(device.id.rawValue) is loaded before its release")
        }
        self.devices[device.id] = DeviceRow(
            project: device.project,
            createdDate: device.createdDate,
            serial: String(decoding: device.serial, as: UTF8.self),
            fields: DeviceFields(
                ownerRef: String(decoding: device.ownerRef, as: UTF8.self),
                hardwareVersion: String(decoding: device.hardwareVersion, as: UTF8.self),
                cohort: device.cohort,
                updatedDate: device.updatedDate,
                etagRevision: device.etagRevision),
            sighting: device.sighting)
    }

    package mutating func attribute(
        _ key: AttributeKeyID, of device: DeviceID, in project: ProjectID, state: AttributeState
    ) throws(StoreError) {
        guard self.devices[device]?.project == project, self.attributeKeys[key]?.project == project else {
            throw StoreError(.corrupt, "an attribute is loaded before its device \(device.rawValue) or its key")
        }
        self.attributes[device, default: [:]][key] = state
    }

    package mutating func request(_ request: RememberedRequest) throws(StoreError) { self.requests.append(request) }
}
