// Lists against the naive oracle.

import DeviceModel
import DeviceQuery
import RollcallTesting
import Testing

@Suite struct ListOracleTests {
    @Test(arguments: 0..<40 as Range<UInt64>)
    func everyQueryAgreesWithTheOracle(seed: UInt64) throws {
        let fixture = IndexFixture(seed: seed, deviceCount: [0, 1, 3, 20, 100, 500][Int(seed % 6)])
        fixture.mutate(50)
        for step in 0..<60 {
            if step % 4 == 0 { fixture.mutate(3) }
            let query = fixture.generator.query()
            let expected = fixture.expected(query)
            var single = query
            single.pageSize = 1_000
            let (ids, page) = try fixture.page(single)
            #expect(ids == expected, "seed \(seed), step \(step), \(query)")
            #expect(page.nextPageToken.isEmpty && page.itemCount == expected.count, "seed \(seed), step \(step)")
            #expect(
                page.totalCount == (query.includesTotal ? Int64(expected.count) : nil),
                "seed \(seed), step \(step), \(query)")
        }
    }

    @Test(arguments: 0..<24 as Range<UInt64>)
    func walksByTokenAndByNumberReachEveryDeviceOnce(seed: UInt64) throws {
        let fixture = IndexFixture(seed: 1_000 + seed, deviceCount: Int(seed) * 5)
        fixture.mutate(40)
        for step in 0..<20 {
            var query = fixture.generator.query()
            query.pageSize = [1, 3, 10, 64][step % 4]
            let expected = fixture.expected(query)
            #expect(try fixture.walk(query) == expected, "seed \(seed), step \(step), \(query)")
            let pageCount = (expected.count + query.pageSize - 1) / query.pageSize
            for number in [1, 2, pageCount, pageCount + 1] where number > 0 {
                query.position = .number(Int64(number))
                let start = min((number - 1) * query.pageSize, expected.count)
                let part = Array(expected[start..<min(start + query.pageSize, expected.count)])
                let (ids, page) = try fixture.page(query)
                #expect(ids == part, "seed \(seed), step \(step), page \(number), \(query)")
                #expect(
                    page.nextPageToken.isEmpty == (start + part.count == expected.count), "seed \(seed), step \(step)")
            }
        }
    }

    /// Past 1,024 devices a value's rows are chunks, which queries are answered from in other ways.
    @Test func queriesOverManyDevicesAgreeWithTheOracle() throws {
        let fixture = IndexFixture(seed: 77)
        // Past the middle of the generator's values, so that most sets are large.
        for _ in 0..<6_000 { fixture.apply(fixture.generator.creation()) }
        for step in 0..<60 {
            var query = fixture.generator.query()
            query.pageSize = 100
            let expected = fixture.expected(query)
            let (ids, page) = try fixture.page(query)
            #expect(ids == Array(expected.prefix(100)), "step \(step), \(query)")
            if query.includesTotal { #expect(page.totalCount == Int64(expected.count), "step \(step), \(query)") }
            guard expected.count > 250 else { continue }
            query.position = .number(3)
            #expect(
                try fixture.page(query).ids == Array(expected[200..<min(300, expected.count)]), "step \(step), \(query)"
            )
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
        for field in SortKey.Field.allCases {
            var query = ListQuery()
            query.pageSize = 1_000
            query.sort = [SortKey(field)]
            let ascending = try fixture.page(query).ids
            query.sort = [SortKey(field, isDescending: true)]
            #expect(try fixture.page(query).ids == ascending.reversed(), "\(field)")
        }
    }
}
