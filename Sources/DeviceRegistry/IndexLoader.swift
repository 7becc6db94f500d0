// From the store's rows to the index, once, at start.

internal import DeviceModel
internal import DeviceQuery
internal import DeviceStore

/// Fills an index and the request memory with what a store holds.
final class IndexLoader: StoreLoader {
    private var index: RegistryIndex?
    private(set) var memory: RequestMemory
    private let now: Timestamp

    init(index: consuming RegistryIndex, memory: RequestMemory, now: Timestamp) {
        self.index = consume index
        self.memory = memory
        self.now = now
    }

    /// Gives up the filled index. Called once, after the last row.
    func finish() -> RegistryIndex {
        guard let index = self.index.take() else {
            preconditionFailure("A loader is finished once.")
        }
        return index
    }

    func project(_ record: ProjectRecord) throws(StoreError) {
        try self.insert("Project \(record.id.rawValue)") { index throws(IndexError) in try index.load(record) }
    }

    func cohort(_ record: CohortRecord) throws(StoreError) {
        try self.insert("Cohort \(record.id.rawValue)") { index throws(IndexError) in try index.load(record) }
    }

    func release(_ record: ReleaseRecord) throws(StoreError) {
        try self.insert("Release \(record.id.rawValue)") { index throws(IndexError) in try index.load(record) }
    }

    func attributeKey(_ record: AttributeKeyRecord) throws(StoreError) {
        try self.insert("Attribute key \(record.id.rawValue)") { index throws(IndexError) in try index.load(record) }
    }

    func device(_ device: StoredDevice) throws(StoreError) {
        try self.insert("Device \(device.id.rawValue)") { index throws(IndexError) in
            try index.insert(
                id: device.id, project: device.project, createdDate: device.createdDate,
                updatedDate: device.updatedDate, etagRevision: device.etagRevision, cohort: device.cohort,
                sighting: device.sighting, serial: device.serial, ownerRef: device.ownerRef,
                hardwareVersion: device.hardwareVersion)
        }
    }

    func attribute(
        _ key: AttributeKeyID, of device: DeviceID, in project: ProjectID, state: AttributeState
    ) throws(StoreError) {
        try self.insert("An attribute of device \(device.rawValue)") { index throws(IndexError) in
            try index.setAttribute(key, of: device, in: project, state: state)
        }
    }

    func request(_ request: RememberedRequest) throws(StoreError) {
        self.memory.remember(request, now: self.now)
    }

    /// Does one insertion, and turns a contradiction into the store's error.
    @inline(__always)
    private func insert(
        _ subject: @autoclosure () -> String, _ body: (inout RegistryIndex) throws(IndexError) -> Void
    ) throws(StoreError) {
        guard var index = self.index.take() else {
            preconditionFailure("A finished loader takes nothing more.")
        }
        do throws(IndexError) {
            try body(&index)
        } catch {
            throw StoreError(.corrupt, "\(subject()) contradicts what was loaded before it.", cause: error)
        }
        self.index = consume index
    }
}
