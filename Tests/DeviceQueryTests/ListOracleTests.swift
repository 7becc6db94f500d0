// Lists against the naive oracle.

import DeviceModel
import DeviceQuery
import RollcallTesting
import Testing

@Suite struct ListOracleTests {
    /// Between changes, however few: what indexes keep is never a step behind.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func everyQueryAgreesWithTheOracle(seed: UInt64) throws {
        let fixture = IndexFixture(seed: seed, deviceCount: [0, 1, 3, 20, 100, 500][Int(seed % 6)])
        fixture.mutate(50)
        for step in 0..<60 {
            if step % 4 == 0 { fixture.mutate(3) }
            fixture.buildSomeOrder()
            let sample = fixture.generator.filter()
            let query = fixture.generator.list(sample)
            let expected = fixture.expected(query, sample.tree)
            let (ids, page) = try fixture.page(query)
            let part = expected.page(query)
            #expect(ids == part.ids, "seed \(seed), step \(step), \(query)")
            #expect(
                page.nextPageToken.isEmpty == part.isLast && page.itemCount == ids.count, "seed \(seed), step \(step)")
            #expect(
                page.totalCount == (query.includesTotal ? Int64(expected.count) : nil),
                "seed \(seed), step \(step), \(query)")
        }
    }

    @Test(arguments: 0..<24 as Range<UInt64>)
    func walksByTokenAndByNumberReachEveryDeviceOnceByEveryPlan(seed: UInt64) throws {
        let fixture = IndexFixture(seed: 1_000 + seed, deviceCount: Int(seed) * 5)
        fixture.mutate(40)
        let plans: [QueryExplanation.Plan?] = [nil] + QueryExplanation.Plan.allCases
        for step in 0..<12 {
            for _ in 0..<4 { fixture.buildSomeOrder() }
            let sample = fixture.generator.filter()
            var query = fixture.generator.list(sample)
            query.pageSize = [1, 3, 10, 64][step % 4]
            query.position = .first
            let expected = fixture.expected(query, sample.tree)
            // A token is good for the next page whatever finds that.
            let mixed = plans.shuffled(using: &fixture.generator.random)
            for walk in [mixed] + plans.map({ [$0] }) {
                let found = try fixture.walk(query, plans: walk)
                #expect(found == expected, "seed \(seed), step \(step), \(walk), \(query)")
            }
            let pageCount = (expected.count + query.pageSize - 1) / query.pageSize
            for (number, plan) in zip([1, 2, pageCount, pageCount + 1], mixed) where number > 0 {
                query.position = .number(Int64(number))
                let part = expected.page(query)
                let (ids, page) = try fixture.page(query, forcedPlan: plan)
                #expect(ids == part.ids, "seed \(seed), step \(step), page \(number), \(query)")
                #expect(page.nextPageToken.isEmpty == part.isLast, "seed \(seed), step \(step), page \(number)")
            }
        }
    }

    @Test func pageNumbersBeyondAnyCountAreEmpty() throws {
        let fixture = IndexFixture(seed: 5, deviceCount: 10)
        var query = ListQuery()
        for number in [Int64.max, Int64.max / 100, 2] {
            query.position = .number(number)
            let (ids, page) = try fixture.page(query)
            #expect(ids.isEmpty && page.nextPageToken.isEmpty)
        }
    }

    @Test func descendingIsTheExactReverseOfAscending() throws {
        let fixture = IndexFixture(seed: 6, deviceCount: 120)
        let attributes = fixture.generator.oracle.attributeKeys.keys.sorted().map(SortKey.Field.attribute)
        for field in SortKey.Field.columns + attributes {
            var query = ListQuery()
            query.pageSize = 1_000
            query.sort = [SortKey(field)]
            let ascending = try fixture.page(query).ids
            query.sort = [SortKey(field, isDescending: true)]
            #expect(try fixture.page(query).ids == ascending.reversed(), "\(field)")
        }
    }
}
