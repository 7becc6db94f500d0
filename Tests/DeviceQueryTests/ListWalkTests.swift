// Walks while devices come, go and change.

import DeviceModel
import DeviceQuery
import RollcallTesting
import Testing

@Suite struct ListWalkTests {
    /// Walks with mutations between pages, and gives what was returned and which devices were there, unchanged, throughout.
    private func walk(
        _ query: ListQuery, in fixture: IndexFixture, keepsPlace: (NaiveOracle.Entry, NaiveOracle.Entry) -> Bool
    ) throws -> (returned: [DeviceID], promised: Set<DeviceID>) {
        let now = fixture.generator.now
        let window: Int64 = 86_400_000_000
        var query = query
        var promised = Dictionary(
            uniqueKeysWithValues: fixture.generator.oracle.list(query, now: now).map { ($0.id, $0) })
        var returned: [DeviceID] = []
        while true {
            let (ids, page) = try fixture.page(query, now: now)
            returned += ids
            if page.nextPageToken.isEmpty { break }
            query.position = .token(page.nextPageToken)
            for _ in 0..<6 {
                fixture.mutate(1)
                let oracle = fixture.generator.oracle
                let current = Dictionary(uniqueKeysWithValues: oracle.entries.map { ($0.id, $0) })
                promised = promised.filter { id, entry in
                    guard let entry = current[id].map({ (old: entry, new: $0) }) else { return false }
                    return keepsPlace(entry.old, entry.new)
                        && oracle.matches(entry.new, query.filter, now: now, window: window)
                }
            }
        }
        return (returned, Set(promised.keys))
    }

    @Test(arguments: [SortKey.Field.id, .createdDate, .deviceSerial], [false, true])
    func byAKeyThatNeverChangesEveryDeviceComesOnce(field: SortKey.Field, isDescending: Bool) throws {
        for seed in 0..<6 as Range<UInt64> {
            let fixture = IndexFixture(seed: 2_000 + seed, deviceCount: 60)
            var query = ListQuery()
            query.sort = [SortKey(field, isDescending: isDescending)]
            query.pageSize = 5
            if seed % 2 == 1 { query.filter.hardwareVersions = ["hwrev1", "hwrev2"] }
            let (returned, promised) = try self.walk(query, in: fixture) { _, _ in true }
            #expect(Set(returned).count == returned.count, "seed \(seed)")
            #expect(promised.isSubset(of: returned), "seed \(seed)")
        }
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func byOtherKeysEveryDeviceThatKeepsItsPlaceComesOnce(seed: UInt64) throws {
        let fixture = IndexFixture(seed: 3_000 + seed, deviceCount: 60)
        var query = ListQuery()
        let field = SortKey.Field.allCases[Int(seed) % SortKey.Field.allCases.count]
        query.sort = [SortKey(field, isDescending: seed % 2 == 0), SortKey(.lastSeen, isDescending: seed % 3 == 0)]
        query.pageSize = 4
        query.filter.activity = seed % 5 == 0 ? .active : nil
        let (returned, promised) = try self.walk(query, in: fixture) { old, new in
            old.fields == new.fields && old.sighting == new.sighting
        }
        for id in promised {
            #expect(returned.count { $0 == id } == 1, "seed \(seed), device \(id.rawValue)")
        }
    }

    @Test func aPageEndsBeforeTheDeviceThatIsRefused() throws {
        let fixture = IndexFixture(seed: 8, deviceCount: 50)
        var query = ListQuery()
        query.sort = [SortKey(.lastSeen, isDescending: true)]
        var ids: [DeviceID] = []
        var pageCount = 0
        repeat {
            var room = 7
            let page = try fixture.index.list(query, in: FleetGenerator.project, now: fixture.generator.now) { device in
                room -= 1
                guard room >= 0 else { return false }
                ids.append(device.id)
                return true
            }
            #expect(page.itemCount <= 7)
            pageCount += 1
            query.position = .token(page.nextPageToken)
        } while query.position != .first
        #expect(pageCount == 8)
        #expect(ids == fixture.expected(query))
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
