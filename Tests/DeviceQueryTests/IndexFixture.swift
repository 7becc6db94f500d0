// An index beside the oracle that judges it.

import DeviceModel
import DeviceQuery
import FoundationEssentials
import RollcallTesting
import Testing

let storeID = FleetGenerator.storeID

/// An index, and a generator whose every change it has taken in.
final class IndexFixture {
    var index: RegistryIndex
    var generator: FleetGenerator

    init(
        seed: UInt64, deviceCount: Int = 0, storeID: UUID = storeID, limits: Limits = Limits(), isDiverse: Bool = false
    ) {
        self.index = RegistryIndex(storeID: storeID, limits: limits)
        self.generator = FleetGenerator(seed: seed, isDiverse: isDiverse)
        self.apply(self.generator.catalog())
        self.create(deviceCount)
    }

    /// A fleet that once had `goneCount` more devices, each of its own hardware version: those that it has are few among its
    /// rows, and far apart, and so are the codes of their hardware versions.
    convenience init(seed: UInt64, deviceCount: Int, amongGone goneCount: Int) {
        self.init(seed: seed)
        let gone = (1...Int64(goneCount)).map { number in
            DeviceChange(
                revision: .zero, kind: .created, project: FleetGenerator.project,
                device: DeviceID(rawValue: 1 << 40 + number), serial: "gone-\(number)", createdDate: .epoch,
                fields: Transition(
                    before: nil,
                    after: DeviceFields(
                        ownerRef: "a", hardwareVersion: "gone-\(number)", cohort: CohortID(rawValue: 1),
                        updatedDate: .epoch,
                        etagRevision: .zero)))
        }
        self.apply(gone.map(Change.device))
        self.create(deviceCount / 2)
        // In any order, so that those who come next lie anywhere.
        for var change in gone.shuffled(using: &self.generator.random) {
            change.kind = .deleted
            change.fields = change.fields.map { Transition(before: $0.after, after: nil) }
            self.index.apply(.device(change))
        }
        self.create(deviceCount - deviceCount / 2)
    }

    private func create(_ count: Int) {
        for _ in 0..<count { self.apply(self.generator.creation()) }
    }

    func apply(_ changes: [Change]) {
        for change in changes { self.index.apply(change) }
    }

    /// Lets things happen to the fleet; now and then the releases that no device has any more are forgotten.
    func mutate(_ count: Int) {
        for _ in 0..<count {
            self.apply(self.generator.mutation())
            guard self.generator.random.oneIn(20) else { continue }
            for (release, _) in self.index.takeUnusedReleases() {
                self.apply(self.generator.forget(release))
            }
        }
    }

    /// Builds one of the orders that are built on demand a step further, as a rule not to its end.
    func buildSomeOrder() {
        var wanted = self.generator.random.pick(self.index.buildableIndexes(in: FleetGenerator.project))
        if self.generator.random.oneIn(2) {
            // There are many more partial indexes than others.
            let keys =
                [SortKey.Field.createdDate, .updatedDate, .deviceSerial]
                + self.generator.attributeKeys.map { .attribute(CustomMetric.folded($0.metric.stringKey)) }
            let key = self.generator.random.pick(keys)
            wanted = self.index.index(by: key, in: FleetGenerator.project) ?? wanted
        }
        let count = Int.random(in: 1...self.generator.oracle.entries.count + 1, using: &self.generator.random)
        _ = self.index.buildStep(wanted, by: count)
    }

    /// Builds all orders that are built on demand.
    func buildEveryOrder() {
        for wanted in self.index.buildableIndexes(in: FleetGenerator.project) {
            while !self.index.buildStep(wanted) {}
        }
    }

    /// One page as ids.
    func page(
        _ query: ListQuery, forcedPlan: QueryExplanation.Plan? = nil, now: Timestamp? = nil
    ) throws(InvalidFields) -> (ids: [DeviceID], page: ListPage) {
        var ids: [DeviceID] = []
        let page = try self.index.list(
            query, in: FleetGenerator.project, now: now ?? self.generator.now,
            planning: Planning(forcedPlan: forcedPlan)
        ) { device in
            ids.append(device.id)
            return true
        }
        return (ids, page)
    }

    /// Every page of a walk, as ids; each page by the next of `plans`, over and over.
    func walk(_ query: ListQuery, plans: [QueryExplanation.Plan?] = [nil]) throws -> [DeviceID] {
        var ids: [DeviceID] = []
        var query = query
        for step in 0..<100_000 {
            let page = try self.page(query, forcedPlan: plans[step % plans.count])
            ids += page.ids
            if page.page.nextPageToken.isEmpty { return ids }
            query.position = .token(page.page.nextPageToken)
        }
        Issue.record("the walk does not end")
        return ids
    }

    /// - Parameter groupCountMax: groups that are taken before the next one is refused.
    func count(
        _ query: CountQuery, forcedPlan: QueryExplanation.Plan? = nil, groupCountMax: Int = .max
    ) throws(InvalidFields) -> DeviceCount {
        var groups: [DeviceGroup] = []
        let summary = try self.index.count(
            query, in: FleetGenerator.project, now: self.generator.now, planning: Planning(forcedPlan: forcedPlan)
        ) { group in
            guard groups.count < groupCountMax else { return false }
            groups.append(DeviceGroup(group))
            return true
        }
        return DeviceCount(summary, groups)
    }

    /// One page as ids, if it is not expected to take long.
    func shortPage(_ query: ListQuery) throws(InvalidFields) -> (ids: [DeviceID], page: ListPage)? {
        var ids: [DeviceID] = []
        let page = try self.index.shortList(query, in: FleetGenerator.project, now: self.generator.now) { device in
            ids.append(device.id)
            return true
        }
        guard let page else {
            #expect(ids.isEmpty)
            return nil
        }
        return (ids, page)
    }

    func shortCount(_ query: CountQuery) throws(InvalidFields) -> DeviceCount? {
        var groups: [DeviceGroup] = []
        let summary = try self.index.shortCount(query, in: FleetGenerator.project, now: self.generator.now) { group in
            groups.append(DeviceGroup(group))
            return true
        }
        guard let summary else {
            #expect(groups.isEmpty)
            return nil
        }
        return DeviceCount(summary, groups)
    }

    /// The whole list, by the oracle.
    func expected(_ query: ListQuery, _ tree: FilterExpression? = nil) -> [DeviceID] {
        self.generator.oracle.list(query, tree: tree, now: self.generator.now).map(\.id)
    }
}

extension [DeviceID] {
    /// What one page shows of this list.
    func page(_ query: ListQuery) -> (ids: [DeviceID], isLast: Bool) {
        guard case .number(let number) = query.position else {
            return (Array(self.prefix(query.pageSize)), self.count <= query.pageSize)
        }
        let (start, isBeyond) = Int(number - 1).multipliedReportingOverflow(by: query.pageSize)
        guard !isBeyond, start < self.count else { return ([], true) }
        return (Array(self[start...].prefix(query.pageSize)), self.count - start <= query.pageSize)
    }
}

extension DeviceGroup {
    /// A copy of what the index shows.
    init(_ group: BorrowedGroup) {
        self.init(
            values: GroupValues(GroupValue(group.first), group.second.map { GroupValue($0) }), count: group.count)
    }
}

extension GroupValue {
    fileprivate init(_ value: BorrowedGroupValue) {
        self =
            switch value {
            case .none: .none
            case .text(let text): .text(String(decoding: text, as: UTF8.self))
            case .int(let number): .int(number)
            case .float(let number): .float(number)
            case .bool(let isTrue): .bool(isTrue)
            case .activity(let activity): .activity(activity)
            }
    }
}

extension DeviceCount {
    init(_ summary: CountSummary, _ groups: [DeviceGroup]) {
        self.init(
            count: summary.count, groups: groups, otherCount: summary.otherCount, explanation: summary.explanation)
    }

    /// Everything that a caller sees, with texts told apart by their bytes; the two zeros are one number.
    var shown: [String] {
        let groups = self.groups.map { group in
            let values = group.values.map { value in
                switch value {
                case .none: "-"
                case .text(let text): "text \(Array(text.utf8))"
                case .int(let number): "int \(number)"
                case .float(let number): "float \(number == 0 ? 0 : number)"
                case .bool(let value): "\(value)"
                case .activity(let activity): "\(activity)"
                }
            }
            return "\(group.count): \(values)"
        }
        return ["\(self.count)"] + groups + ["\(self.otherCount)"]
    }
}

extension BorrowedDevice {
    /// A copy in the oracle's words.
    var entry: NaiveOracle.Entry {
        var attributes: [AttributeKeyID: AttributeState] = [:]
        self.forEachAttribute { attributes[$0.id] = $1 }
        let record = self.record
        return NaiveOracle.Entry(
            id: record.id,
            serial: String(decoding: record.serial, as: UTF8.self),
            createdDate: record.createdDate,
            fields: DeviceFields(
                ownerRef: String(decoding: record.ownerRef, as: UTF8.self),
                hardwareVersion: String(decoding: record.hardwareVersion, as: UTF8.self),
                cohort: record.cohort.id, updatedDate: record.updatedDate, etagRevision: record.etagRevision
            ),
            sighting: Sighting(lastSeen: record.lastSeen, release: record.release?.id),
            attributes: attributes
        )
    }
}

extension RegistryIndex {
    func device(_ serial: String, in project: ProjectID = FleetGenerator.project) -> BorrowedDevice? {
        let bytes = Array(serial.utf8)
        return bytes.withUnsafeBytes { self.device(serial: $0, in: project) }
    }
}
