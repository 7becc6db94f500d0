// Walks by id, with changes between the slices.

import DeviceModel
import DeviceQuery
import RollcallTesting
import Testing

@Suite struct DeviceWalkTests {
    private func walk(_ filter: DeviceFilter, of fixture: IndexFixture) throws -> DeviceWalk {
        try DeviceWalk(filter, in: FleetGenerator.project, of: fixture.index, now: fixture.generator.now)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func aWalkShowsEveryMatchByID(seed: UInt64) throws {
        let fixture = IndexFixture(seed: 6_000 + seed, deviceCount: [0, 1, 300, 900][Int(seed % 4)])
        fixture.mutate(200)
        for step in 0..<25 {
            let sample = fixture.generator.filter()
            let walk = try self.walk(sample.filter, of: fixture)
            var ids: [DeviceID] = []
            var hasRefused = false
            while walk.advance(
                fixture.index, deviceCount: step % 2 == 0 ? nil : 1 + step * 3,
                each: { device in
                    // Now and then one is refused, and comes again.
                    hasRefused = !hasRefused && fixture.generator.random.oneIn(10)
                    if !hasRefused { ids.append(device.id) }
                    return !hasRefused
                }) == .unfinished
            {}
            var query = ListQuery()
            query.filter = sample.filter
            #expect(ids == fixture.expected(query, sample.tree), "seed \(seed), step \(step), \(sample.filter)")
        }
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func whatMatchesThroughoutIsShownOnceWhateverChangesMeanwhile(seed: UInt64) throws {
        let fixture = IndexFixture(seed: 6_100 + seed, deviceCount: [20, 100, 300][Int(seed % 3)])
        for step in 0..<12 {
            let sample = fixture.generator.filter()
            let now = fixture.generator.now
            func matches() -> [NaiveOracle.Entry] {
                fixture.generator.oracle.matches(sample.filter, tree: sample.tree, now: now)
            }
            let walk = try self.walk(sample.filter, of: fixture)
            var throughout = Set(matches().map(\.id))
            var shown: [DeviceID] = []
            while true {
                let present = Dictionary(uniqueKeysWithValues: matches().map { ($0.id, $0) })
                let progress = walk.advance(fixture.index, deviceCount: 5 + step * 5) { device in
                    #expect(present[device.id] == device.entry, "seed \(seed), step \(step), \(sample.filter)")
                    shown.append(device.id)
                    return true
                }
                if progress != .unfinished { break }
                fixture.mutate([1, 5, 12][step % 3])
                throughout.formIntersection(matches().map(\.id))
            }
            #expect(shown == Set(shown).sorted(), "seed \(seed), step \(step): by id, none twice")
            #expect(throughout.isSubset(of: shown), "seed \(seed), step \(step), \(sample.filter)")
        }
    }

    @Test func theDeviceThatItHasComeToMayBeDeleted() throws {
        let fixture = IndexFixture(seed: 6_200, deviceCount: 40)
        let ids = fixture.expected(ListQuery())
        let walk = try self.walk(DeviceFilter(), of: fixture)
        var shown: [DeviceID] = []
        while walk.advance(
            fixture.index, deviceCount: 1,
            each: { device in
                shown.append(device.id)
                return true
            }) == .unfinished
        {
            guard let last = shown.last, let entry = fixture.generator.oracle.entries.first(where: { $0.id == last })
            else { continue }
            fixture.apply(fixture.generator.deletion(entry))
        }
        #expect(shown == ids)
    }

    @Test func aWordThatComesUpMeanwhileIsFound() throws {
        let fixture = IndexFixture(seed: 6_300, deviceCount: 10)
        let ids = fixture.expected(ListQuery())
        let first = ids[0]
        let last = try #require(fixture.generator.oracle.entries.first { $0.id == ids.last })
        var filter = DeviceFilter()
        filter.expression = #"owner_ref = "new*" OR id = \#(first.rawValue)"#
        let walk = try self.walk(filter, of: fixture)
        var shown: [DeviceID] = []
        func advance(_ deviceCount: Int?) -> DeviceWalk.Progress {
            walk.advance(fixture.index, deviceCount: deviceCount) { device in
                shown.append(device.id)
                return true
            }
        }
        #expect(advance(1) == .unfinished)
        var fields = last.fields
        fields.ownerRef = "newcomer"
        let change = DeviceChange(
            revision: .zero, kind: .changed, project: FleetGenerator.project, device: last.id, serial: last.serial,
            createdDate: last.createdDate, fields: Transition(before: last.fields, after: fields))
        fixture.index.apply(.device(change))
        #expect(advance(nil) == .finished)
        #expect(shown == [first, last.id])
    }

    @Test func devicesThatCameAfterItsBeginningAreLeftOut() throws {
        let fixture = IndexFixture(seed: 6_350, deviceCount: 10)
        let walk = try self.walk(DeviceFilter(), of: fixture)
        let ids = fixture.expected(ListQuery())
        fixture.apply(fixture.generator.creation())
        var shown: [DeviceID] = []
        let progress = walk.advance(fixture.index) { device in
            shown.append(device.id)
            return true
        }
        #expect(progress == .finished)
        #expect(shown == ids)
    }

    @Test func aWalkEndsWithItsProject() throws {
        var index = RegistryIndex(storeID: storeID, limits: Limits())
        let project = ProjectRecord(id: FleetGenerator.project, slug: "p", name: "P", createdDate: .epoch)
        index.apply(.projectCreated(project))
        let walk = try DeviceWalk(DeviceFilter(), in: project.id, of: index, now: .epoch)
        index.apply(.projectDeleted(project.id))
        #expect(walk.advance(index) { _ in true } == .projectGone)
    }

    @Test func everyBadFieldOfTheFilterIsRefusedAtOnce() throws {
        let fixture = IndexFixture(seed: 6_400, deviceCount: 1)
        var filter = DeviceFilter()
        filter.expression = "nonsense = 1"
        filter.lastSeenSince = .max
        filter.lastSeenUntil = .epoch
        let error = try #require(throws: InvalidFields.self) { try self.walk(filter, of: fixture) }
        #expect(error.violations.map(\.field) == ["last_seen_since", "filter"])
    }
}
