// Partial indexes: when they are built, what they answer, and when they go.

import DeviceModel
import DeviceQuery
import RollcallTesting
import Testing

@Suite struct PartialIndexTests {
    private static let project = FleetGenerator.project
    private static let deviceCount = 20_000 as Int64
    /// How often a query may be asked before it is clear that nothing comes of it.
    private static let askCountMax = 20_000

    /// Devices of which one in ten is of the hardware version `rare` and one in fifty of another, seen by fours.
    private func fixture(limits: Limits = Limits()) -> IndexFixture {
        let fixture = IndexFixture(seed: 31, limits: limits)
        fixture.apply([
            .releaseCreated(
                ReleaseRecord(id: ReleaseID(rawValue: 900), project: Self.project, version: "9.9", revision: ""))
        ])
        for number in 1...Self.deviceCount {
            let fields = DeviceFields(
                ownerRef: "a", hardwareVersion: Self.hardwareVersion(number), cohort: CohortID(rawValue: 1),
                updatedDate: .epoch, etagRevision: .zero)
            var change = DeviceChange(
                revision: .zero, kind: .created, project: Self.project, device: DeviceID(rawValue: number),
                serial: "serial-\(number)", createdDate: .epoch, fields: Transition(before: nil, after: fields))
            change.sighting = Transition(before: nil, after: Self.sighting(number))
            fixture.apply([.device(change)])
        }
        return fixture
    }

    private static func hardwareVersion(_ number: Int64) -> String {
        number % 10 == 0 ? "rare" : number % 50 == 1 ? "odd" : "common"
    }

    /// When a device was seen: four in a second, in no order of ids.
    private static func second(_ number: Int64) -> Int64 { number * 7_919 % Self.deviceCount / 4 * 4 }

    private static func sighting(_ number: Int64) -> Sighting {
        Sighting(
            lastSeen: Timestamp.epoch.advanced(byMicroseconds: Self.second(number) * 1_000_000),
            release: number % 4 == 0 ? ReleaseID(rawValue: 900) : nil)
    }

    private static func seconds(_ range: Range<Int64>) -> DeviceFilter {
        var filter = DeviceFilter()
        filter.lastSeenSince = Timestamp.epoch.advanced(byMicroseconds: range.lowerBound * 1_000_000 - 1)
        filter.lastSeenUntil = Timestamp.epoch.advanced(byMicroseconds: range.upperBound * 1_000_000)
        return filter
    }

    /// Asks until an index is wanted.
    private func wanted(_ fixture: IndexFixture, _ ask: () throws -> Void) throws -> WantedIndex? {
        for _ in 0..<Self.askCountMax {
            try ask()
            if let wanted = fixture.index.takeWanted(in: Self.project) { return wanted }
        }
        return nil
    }

    private func build(_ fixture: IndexFixture, _ ask: () throws -> Void) throws {
        let wanted = try #require(try self.wanted(fixture, ask))
        var stepCount = 1
        while !fixture.index.buildStep(wanted) { stepCount += 1 }
        #expect(stepCount > 1, "an index is built in steps")
        try fixture.index.checkInvariants()
    }

    /// The rows of a value in a span of time are looked at one by one until the index is there, and then only counted.
    @Test func aCountThatMissesAnIndexForLongEnoughHasItBuilt() throws {
        let fixture = self.fixture()
        var query = CountQuery()
        query.filter = Self.seconds(5_000..<9_000)
        query.filter.hardwareVersions = ["rare"]
        query.explains = true
        let before = try fixture.count(query)
        #expect(before.count == 400 && before.explanation?.plan != .indexCounts)
        try self.build(fixture) { _ = try fixture.count(query) }
        let after = try fixture.count(query)
        #expect(after.count == 400 && after.explanation?.plan == .indexCounts)
        // What it does not decide is asked of the devices in it, and of no others.
        query.filter.releases = ["9.9"]
        let narrowed = try fixture.count(query)
        #expect(narrowed.count == 200 && narrowed.explanation?.plan == .partialRanges)
        #expect(narrowed.explanation?.candidateCount == 400)
    }

    @Test func aListThatMissesIndexesForLongEnoughHasThemBuilt() throws {
        let fixture = self.fixture()
        for values in [["rare"], ["rare", "odd"]] {
            var query = ListQuery()
            query.filter.hardwareVersions = values
            query.sort = [SortKey(.lastSeen, isDescending: true)]
            query.pageSize = 400
            query.explains = true
            let expected = (1...Self.deviceCount).filter { values.contains(Self.hardwareVersion($0)) }
                .sorted { (Self.second($0), $0) > (Self.second($1), $1) }.map(DeviceID.init(rawValue:))
            #expect(try fixture.page(query).page.explanation?.plan != .mergedWalk)
            // The second index is not wanted before lists of both values have missed it.
            try self.build(fixture) { _ = try fixture.page(query) }
            let (ids, page) = try fixture.page(query)
            #expect(page.explanation?.plan == .mergedWalk && ids == Array(expected.prefix(400)))
            let candidateCount = try #require(page.explanation?.candidateCount)
            #expect(candidateCount <= 400 + 128, "no device of another value is looked at")
            query.pageSize = 90
            for isDescending in [true, false] {
                query.sort = [SortKey(.lastSeen, isDescending: isDescending)]
                var (found, pageCount) = ([DeviceID](), 0)
                query.position = .first
                repeat {
                    let (ids, page) = try fixture.page(query)
                    #expect(page.explanation?.plan == .mergedWalk)
                    found += ids
                    pageCount += 1
                    query.position = .token(page.nextPageToken)
                } while query.position != .token("") && pageCount < 100
                #expect(found == (isDescending ? expected : expected.reversed()))
            }
            query.position = .first
        }
    }

    /// Nobody is helped by an index where a walk ends at once.
    @Test func aListThatMissesNothingHasNothingBuilt() throws {
        let fixture = self.fixture()
        var query = ListQuery()
        query.filter.hardwareVersions = ["common"]
        query.sort = [SortKey(.lastSeen, isDescending: true)]
        for _ in 0..<1_000 { _ = try fixture.page(query) }
        #expect(fixture.index.takeWanted(in: Self.project) == nil)
    }

    /// An index is kept up while it is being built and after it, wherever a change lies.
    @Test func anIndexFollowsChangesWhileItIsBuilt() throws {
        let fixture = IndexFixture(seed: 32, deviceCount: 600)
        let indexes = fixture.index.buildableIndexes(in: Self.project)
        for wanted in indexes {
            while !fixture.index.buildStep(wanted, by: 50) { fixture.mutate(5) }
            try fixture.index.checkInvariants()
        }
        fixture.mutate(300)
        try fixture.index.checkInvariants()
    }

    @Test func anIndexGoesWhereMemoryIsShort() throws {
        var limits = Limits()
        limits.lazyIndexByteCountMax = 64 << 10
        let fixture = self.fixture(limits: limits)
        var query = CountQuery()
        query.filter = Self.seconds(5_000..<9_000)
        query.filter.hardwareVersions = ["rare"]
        query.explains = true
        try self.build(fixture) { _ = try fixture.count(query) }
        #expect(try fixture.count(query).explanation?.plan == .indexCounts)
        let byDate = fixture.index.index(by: .createdDate, in: Self.project)
        let wanted = try #require(byDate)
        while !fixture.index.buildStep(wanted) {}
        // It is larger than the limit by itself, and stays until the next one comes.
        let alone = fixture.index.memoryFigures.lazyOrderByteCount
        #expect(alone > limits.lazyIndexByteCountMax)
        let counted = try fixture.count(query)
        #expect(counted.count == 400 && counted.explanation?.plan != .indexCounts)
        try self.build(fixture) { _ = try fixture.count(query) }
        #expect(fixture.index.memoryFigures.lazyOrderByteCount <= limits.lazyIndexByteCountMax)
        try fixture.index.checkInvariants()
    }
}
