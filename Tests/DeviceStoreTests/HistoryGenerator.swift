// A random but consistent history of batches, from a seed.

import DeviceModel
import Foundation
import RollcallTesting

/// Makes batches that follow on one another and keeps what they come to.
struct HistoryGenerator {
    private(set) var contents: StoreContents
    private(set) var marks: HighWaterMarks
    private(set) var sequence: Int64
    private(set) var time: Timestamp
    private var random: SeededGenerator

    /// Continues after what is in a store: a new one, or one that `sequence` batches were committed to.
    init(seed: UInt64, contents: StoreContents, marks: HighWaterMarks, sequence: Int64 = 0) {
        self.contents = contents
        self.marks = marks
        self.sequence = sequence
        self.time = Timestamp(seconds: 1_700_000_000, nanoseconds: 0) ?? .epoch
        self.random = SeededGenerator(seed: seed)
    }

    /// A batch of up to `changeCountMax` changes of every kind, and now and then a request.
    mutating func batch(changeCountMax: Int = 12) -> MutationBatch {
        self.time = self.time.advanced(byMicroseconds: Int64.random(in: 1...2_000_000, using: &self.random))
        var batch = MutationBatch(
            sequence: self.sequence + 1, time: self.time, changes: [], requests: [], highWaterMarks: self.marks)
        for _ in 0..<Int.random(in: 1...changeCountMax, using: &self.random) {
            guard let change = self.change() else { continue }
            // Applied one by one, so that a change may build on those before it in its batch.
            var one = batch
            one.changes = [change]
            one.requests = []
            self.contents.apply(one)
            batch.changes.append(change)
        }
        if Bool.random(using: &self.random) { batch.requests.append(self.request()) }
        batch.highWaterMarks = self.marks
        self.contents.requests += batch.requests
        self.sequence = batch.sequence
        return batch
    }

    private mutating func change() -> Change? {
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<25: self.create()
        case 25..<60: self.checkIn()
        case 60..<72: self.editFields()
        case 72..<84: self.setAttributes()
        case 84..<90: self.delete()
        default: self.catalogue()
        }
    }

    // MARK: Devices

    private mutating func create() -> Change? {
        guard let project = self.project(), let cohort = self.cohort(of: project) else { return nil }
        self.marks.device = DeviceID(rawValue: self.marks.device.rawValue + 1)
        let fields = self.fields(cohort)
        var change = self.start(.created, self.marks.device, project, self.text(), self.time)
        change.fields = Transition(before: nil, after: fields)
        if Bool.random(using: &self.random) {
            change.sighting = Transition(before: Sighting(), after: self.sighting(of: project))
        }
        if let key = self.key(of: project), Bool.random(using: &self.random) {
            change.attributes = [AttributeChange(key: key.id, state: Transition(before: nil, after: self.state(key)))]
        }
        return .device(change)
    }

    private mutating func checkIn() -> Change? {
        guard let (id, row) = self.device() else { return nil }
        var change = self.start(.changed, id, row.project, row.serial, row.createdDate)
        change.sighting = Transition(before: row.sighting, after: self.sighting(of: row.project))
        return .device(change)
    }

    private mutating func editFields() -> Change? {
        guard let (id, row) = self.device(), let cohort = self.cohort(of: row.project) else { return nil }
        var change = self.start(.changed, id, row.project, row.serial, row.createdDate)
        change.fields = Transition(before: row.fields, after: self.fields(cohort))
        if Bool.random(using: &self.random) {
            change.sighting = Transition(before: row.sighting, after: self.sighting(of: row.project))
        }
        return .device(change)
    }

    private mutating func setAttributes() -> Change? {
        guard let (id, row) = self.device() else { return nil }
        let keys = self.contents.attributeKeys.values.filter { $0.project == row.project }.sorted { $0.id < $1.id }
        var changes: [AttributeChange] = []
        for key in keys where Bool.random(using: &self.random) {
            let before = self.contents.attributes[id]?[key.id]
            let after = before != nil && Bool.random(using: &self.random) ? nil : self.state(key)
            changes.append(AttributeChange(key: key.id, state: Transition(before: before, after: after)))
        }
        guard !changes.isEmpty else { return nil }
        var change = self.start(.changed, id, row.project, row.serial, row.createdDate)
        var fields = row.fields
        fields.etagRevision = self.marks.revision
        fields.updatedDate = self.time
        change.fields = Transition(before: row.fields, after: fields)
        change.attributes = changes
        return .device(change)
    }

    private mutating func delete() -> Change? {
        guard let (id, row) = self.device() else { return nil }
        var change = self.start(.deleted, id, row.project, row.serial, row.createdDate)
        change.fields = Transition(before: row.fields, after: nil)
        change.sighting = Transition(before: row.sighting, after: nil)
        change.attributes = (self.contents.attributes[id] ?? [:]).sorted { $0.key < $1.key }.map {
            AttributeChange(key: $0.key, state: Transition(before: $0.value, after: nil))
        }
        return .device(change)
    }

    private mutating func start(
        _ kind: DeviceChange.Kind, _ id: DeviceID, _ project: ProjectID, _ serial: String, _ createdDate: Timestamp
    ) -> DeviceChange {
        self.marks.revision = self.marks.revision.next
        return DeviceChange(
            revision: self.marks.revision, kind: kind, project: project, device: id, serial: serial,
            createdDate: createdDate)
    }

    // MARK: The catalogue

    private mutating func catalogue() -> Change? {
        guard let project = self.project() else { return nil }
        switch Int.random(in: 0..<8, using: &self.random) {
        case 0:
            self.marks.project = ProjectID(rawValue: self.marks.project.rawValue + 1)
            return .projectCreated(
                ProjectRecord(id: self.marks.project, slug: self.text(), name: self.text(), createdDate: self.time))
        case 1:
            let isUsed = self.contents.devices.values.contains { $0.project == project }
            return isUsed || project.rawValue == 1 ? nil : .projectDeleted(project)
        case 2:
            guard let cohort = self.cohort(of: project) else { return nil }
            return .cohortRenamed(cohort, project: project, name: self.text())
        case 3:
            guard let cohort = self.cohort(of: project), cohort.rawValue != 1 else { return nil }
            let isUsed = self.contents.devices.values.contains { $0.fields.cohort == cohort }
            return isUsed ? nil : .cohortDeleted(cohort, project: project)
        case 4:
            let releases = self.contents.releases.keys.sorted().filter { id in
                !self.contents.devices.values.contains { $0.sighting.release == id }
            }
            guard let id = releases.randomElement(using: &self.random), let record = self.contents.releases[id] else {
                return nil
            }
            return .releaseDeleted(id, project: record.project)
        case 5:
            self.marks.cohort = CohortID(rawValue: self.marks.cohort.rawValue + 1)
            return .cohortCreated(
                CohortRecord(id: self.marks.cohort, project: project, slug: self.text(), name: self.text()))
        case 6:
            self.marks.release = ReleaseID(rawValue: self.marks.release.rawValue + 1)
            return .releaseCreated(
                ReleaseRecord(id: self.marks.release, project: project, version: self.text(), revision: self.text()))
        default:
            self.marks.attributeKey = AttributeKeyID(rawValue: self.marks.attributeKey.rawValue + 1)
            let metric = CustomMetric(
                id: self.uuid(), stringKey: self.text(),
                dataType: DataType.allCases.randomElement(using: &self.random) ?? .int)
            return .attributeKeyCreated(
                AttributeKeyRecord(id: self.marks.attributeKey, project: project, metric: metric))
        }
    }

    // MARK: Values

    private mutating func project() -> ProjectID? {
        self.contents.projects.keys.sorted().randomElement(using: &self.random)
    }

    private mutating func cohort(of project: ProjectID) -> CohortID? {
        self.contents.cohorts.values.filter { $0.project == project }.map(\.id).sorted()
            .randomElement(using: &self.random)
    }

    private mutating func key(of project: ProjectID) -> AttributeKeyRecord? {
        self.contents.attributeKeys.values.filter { $0.project == project }.sorted { $0.id < $1.id }
            .randomElement(using: &self.random)
    }

    private mutating func device() -> (DeviceID, StoreContents.DeviceRow)? {
        guard let id = self.contents.devices.keys.sorted().randomElement(using: &self.random) else { return nil }
        return self.contents.devices[id].map { (id, $0) }
    }

    private mutating func fields(_ cohort: CohortID) -> DeviceFields {
        DeviceFields(
            ownerRef: self.text(), hardwareVersion: self.text(), cohort: cohort, updatedDate: self.time,
            etagRevision: self.marks.revision)
    }

    private mutating func sighting(of project: ProjectID) -> Sighting {
        let release = self.contents.releases.values.filter { $0.project == project }.map(\.id).sorted()
            .randomElement(using: &self.random)
        return Sighting(lastSeen: Bool.random(using: &self.random) ? .epoch : self.time, release: release)
    }

    private mutating func state(_ key: AttributeKeyRecord) -> AttributeState {
        let value: AttributeValue
        switch key.metric.dataType {
        case .int: value = .int([Int64.min, -1, 0, 1, .max].randomElement(using: &self.random) ?? 0)
        case .float:
            value = .float([-0.0, 1, 0.1, -1e300, .leastNonzeroMagnitude].randomElement(using: &self.random) ?? 0)
        case .bool: value = .bool(Bool.random(using: &self.random))
        case .string: value = .string(self.text())
        }
        return AttributeState(value: value, time: .min, createdDate: self.time, updatedDate: .max)
    }

    private mutating func request() -> RememberedRequest {
        RememberedRequest(
            key: .init(
                userID: UInt32.random(in: 0...UInt32.max, using: &self.random), project: self.text(),
                method: self.text(), requestID: self.uuid()),
            bodyDigest: self.random.next(), time: self.time, subject: Int64(bitPattern: self.random.next()))
    }

    private mutating func uuid() -> UUID {
        var bytes = (self.random.next(), self.random.next())
        return withUnsafeBytes(of: &bytes) { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }

    /// Nothing, a little, or more than fits a small string; with characters of several bytes.
    private mutating func text() -> String {
        let count = [0, 1, 7, 15, 16, 40, 300].randomElement(using: &self.random) ?? 0
        let alphabet = Array("abc012-_.:äß漢🦊'\"\\ ")
        return String((0..<count).map { _ in alphabet.randomElement(using: &self.random) ?? "x" })
    }
}
