// Counts, their groups, and what a project has, against the naive oracle.

import DeviceModel
import DeviceQuery
import RollcallTesting
import Testing

@Suite struct CountOracleTests {
    private static func keys(of fixture: IndexFixture) -> [GroupKey] {
        GroupKey.columns + fixture.generator.attributeKeys.map { .attribute($0.metric.stringKey) }
    }

    @Test(arguments: [0, 1, 30, 400])
    func everyPairOfKeysDividesTheDevices(deviceCount: Int) throws {
        let fixture = IndexFixture(seed: 5_000, deviceCount: deviceCount)
        fixture.mutate(deviceCount / 4)
        let (oracle, now) = (fixture.generator.oracle, fixture.generator.now)
        let keys = Self.keys(of: fixture)
        for (first, second) in keys.flatMap({ first in keys.map { (first, $0) } }) {
            var query = CountQuery()
            query.groupBy = first == second ? [first] : [first, second]
            let expected = oracle.count(query, now: now)
            let count = try fixture.count(query)
            #expect(count.shown == expected.shown, "\(query)")
            #expect(count.groups.reduce(count.otherCount) { $0 + $1.count } == count.count, "\(query)")
        }
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func everyCountAgreesWithTheOracle(seed: UInt64) throws {
        let fixture = IndexFixture(seed: 5_100 + seed, deviceCount: Int(seed) * 20)
        for step in 0..<60 {
            fixture.mutate(3)
            let sample = fixture.generator.filter()
            let query = fixture.generator.count(sample)
            let expected = fixture.generator.oracle.count(query, tree: sample.tree, now: fixture.generator.now)
            #expect(try fixture.count(query).shown == expected.shown, "seed \(seed), step \(step), \(query)")
        }
    }

    @Test func groupsBeyondTheLimitAreCountedTogether() throws {
        let fixture = IndexFixture(seed: 5_200, deviceCount: 300)
        var query = CountQuery()
        query.groupBy = [.ownerRef, .attribute("battery level")]
        query.groupLimit = 10_000
        let all = try fixture.count(query)
        #expect(all.groups.count > 100 && all.otherCount == 0 && all.count == 300)
        for limit in [1, 2, 50, all.groups.count - 1, all.groups.count, all.groups.count + 1] {
            query.groupLimit = limit
            let count = try fixture.count(query)
            #expect(count.groups == Array(all.groups.prefix(limit)), "limit \(limit)")
            #expect(count.otherCount == all.groups.dropFirst(limit).reduce(0) { $0 + $1.count }, "limit \(limit)")
        }
    }

    @Test func groupsThatAreNotTakenAreCountedWithTheOthers() throws {
        let fixture = IndexFixture(seed: 5_300, deviceCount: 200)
        for keys in [[.release], [.activity], [.hardwareVersion, .cohort], [.attribute("battery level")]]
            as [[GroupKey]]
        {
            var query = CountQuery()
            query.groupBy = keys
            let all = try fixture.count(query)
            for plan in [nil] + QueryExplanation.Plan.allCases.map(Optional.some) {
                for taken in 0...min(all.groups.count, 4) {
                    let count = try fixture.count(query, forcedPlan: plan, groupCountMax: taken)
                    let others = all.groups.dropFirst(taken).reduce(0) { $0 + $1.count }
                    #expect(count.groups == Array(all.groups.prefix(taken)), "\(keys), \(plan?.rawValue ?? "-")")
                    #expect(count.count == 200 && count.otherCount == others, "\(keys), \(plan?.rawValue ?? "-")")
                }
            }
        }
    }

    /// Every item of a catalog's pages.
    private func all<Item, Place>(_ page: (Place?) -> [Item], place: (Item) -> Place) -> [Item] {
        var items: [Item] = []
        while true {
            let page = page(items.last.map(place))
            if page.isEmpty { return items }
            items += page
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>, [1, 4, 1_000])
    func whatAProjectHasIsListedWithItsDevices(seed: UInt64, limit: Int) throws {
        let fixture = IndexFixture(seed: 5_300 + seed, deviceCount: 60)
        let project = FleetGenerator.project
        for step in 0..<20 {
            fixture.mutate(10)
            let oracle = fixture.generator.oracle
            let entries = oracle.entries

            let releases = self.all {
                fixture.index.releases(in: project, after: $0, limit: limit)
            } place: {
                $0.record.id
            }
            let knownReleases = oracle.releases.values.sorted { $0.id < $1.id }
            #expect(releases.map(\.record) == knownReleases, "step \(step)")
            let releaseCounts = knownReleases.map { release in entries.count { $0.sighting.release == release.id } }
            #expect(releases.map(\.deviceCount) == releaseCounts, "step \(step)")

            let versions = self.all {
                fixture.index.hardwareVersions(in: project, after: $0, limit: limit)
            } place: {
                $0.text
            }
            let knownVersions = Set(entries.map(\.fields.hardwareVersion)).sorted()
            #expect(versions.map(\.text) == knownVersions, "step \(step)")
            let versionCounts = knownVersions.map { text in entries.count { $0.fields.hardwareVersion == text } }
            #expect(versions.map(\.deviceCount) == versionCounts, "step \(step)")
            #expect(fixture.index.hardwareVersionCount(in: project) == knownVersions.count, "step \(step)")

            let keys = self.all {
                fixture.index.attributeKeys(in: project, after: $0, limit: limit)
            } place: {
                CustomMetric.folded($0.record.metric.stringKey)
            }
            let knownKeys = oracle.attributeKeys.sorted { $0.key < $1.key }.map(\.value)
            #expect(keys.map(\.record) == knownKeys, "step \(step)")
            let keyCounts = knownKeys.map { key in entries.count { $0.attributes[key.id] != nil } }
            #expect(keys.map(\.deviceCount) == keyCounts, "step \(step)")
        }
    }
}
