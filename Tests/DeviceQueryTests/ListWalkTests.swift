// Walks while devices come, go and change.

import DeviceModel
import DeviceQuery
import RollcallTesting
import Testing

@Suite struct ListWalkTests {
    /// Walks with mutations between pages, and gives what was returned and which devices were there, in one place and
    /// matching, throughout. Each page is found by another plan.
    private func walk(
        _ query: ListQuery, _ tree: FilterExpression? = nil, in fixture: IndexFixture
    ) throws -> (returned: [DeviceID], promised: Set<DeviceID>) {
        let now = fixture.generator.now
        var query = query
        var promised = Dictionary(
            uniqueKeysWithValues: fixture.generator.oracle.list(query, tree: tree, now: now).map { ($0.id, $0) })
        var returned: [DeviceID] = []
        while true {
            let plan = fixture.generator.random.pick([nil] + QueryExplanation.Plan.allCases)
            let (ids, page) = try fixture.page(query, forcedPlan: plan, now: now)
            returned += ids
            if page.nextPageToken.isEmpty { break }
            query.position = .token(page.nextPageToken)
            fixture.buildSomeOrder()
            for _ in 0..<6 {
                fixture.mutate(1)
                let oracle = fixture.generator.oracle
                let matches = oracle.matches(query.filter, tree: tree, now: now)
                let current = Dictionary(uniqueKeysWithValues: matches.map { ($0.id, $0) })
                promised = promised.filter { id, entry in
                    current[id].map { oracle.haveSamePlace(entry, $0, by: query.sort) } ?? false
                }
            }
        }
        return (returned, Set(promised.keys))
    }

    @Test(arguments: [SortKey.Field.id, .createdDate, .deviceSerial], [false, true])
    func byAKeyThatNeverChangesEveryDeviceComesOnce(field: SortKey.Field, isDescending: Bool) throws {
        for seed in 0..<6 as Range<UInt64> {
            let fixture = IndexFixture(seed: 2_000 + seed, deviceCount: 60)
            let sample = seed % 2 == 0 ? FilterSample() : fixture.generator.filter()
            var query = ListQuery()
            query.filter = sample.filter
            query.sort = [SortKey(field, isDescending: isDescending)]
            query.pageSize = 5
            let (returned, promised) = try self.walk(query, sample.tree, in: fixture)
            #expect(Set(returned).count == returned.count, "seed \(seed), \(query)")
            #expect(promised.isSubset(of: returned), "seed \(seed), \(query)")
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func byOtherKeysEveryDeviceThatKeepsItsPlaceComesOnce(seed: UInt64) throws {
        let fixture = IndexFixture(seed: 3_000 + seed, deviceCount: 60)
        let attributes = fixture.generator.oracle.attributeKeys.keys.sorted().map(SortKey.Field.attribute)
        let fields = SortKey.Field.columns + attributes
        for step in 0..<4 {
            let sample = step == 0 ? FilterSample() : fixture.generator.filter()
            var query = fixture.generator.list(sample)
            if step < 2 {
                query.sort = [SortKey(fields[Int(seed) % fields.count], isDescending: seed % 2 == 0)]
            }
            query.position = .first
            query.pageSize = 4
            let (returned, promised) = try self.walk(query, sample.tree, in: fixture)
            for id in promised {
                let count = returned.count { $0 == id }
                #expect(count == 1, "seed \(seed), step \(step), device \(id.rawValue), \(query)")
            }
        }
    }

    @Test(arguments: QueryExplanation.Plan.allCases)
    func aPageEndsBeforeTheDeviceThatIsRefused(plan: QueryExplanation.Plan) throws {
        let fixture = IndexFixture(seed: 8, deviceCount: 50)
        for step in 0..<10 {
            let sample = step == 0 ? FilterSample() : fixture.generator.filter()
            var query = fixture.generator.list(sample)
            query.position = .first
            query.pageSize = 20
            let expected = fixture.expected(query, sample.tree)
            var ids: [DeviceID] = []
            var pageCount = 0
            repeat {
                var room = 7
                let page = try fixture.index.list(
                    query, in: FleetGenerator.project, now: fixture.generator.now, planning: Planning(forcedPlan: plan)
                ) { device in
                    room -= 1
                    guard room >= 0 else { return false }
                    ids.append(device.id)
                    return true
                }
                #expect(page.itemCount <= 7)
                pageCount += 1
                query.position = .token(page.nextPageToken)
            } while query.position != .first
            #expect(pageCount == max(1, (expected.count + 6) / 7), "step \(step), \(query)")
            #expect(ids == expected, "step \(step), \(query)")
        }
    }

    @Test func activityKeepsTheFirstPagesNow() throws {
        let fixture = IndexFixture(seed: 9, deviceCount: 80)
        fixture.mutate(100)
        var query = ListQuery()
        query.filter.activity = .active
        query.pageSize = 3
        let expected = fixture.expected(query)
        try #require(expected.count > 3)
        let (first, page) = try fixture.page(query)
        query.position = .token(page.nextPageToken)
        query.pageSize = 1_000
        // A year later nothing is active any more; the walk goes on as of its beginning.
        let later = fixture.generator.now.advanced(byMicroseconds: 31_536_000_000_000)
        #expect(try first + fixture.page(query, now: later).ids == expected)
    }
}
