// Queries in slices, with changes between the slices.

import DeviceModel
@testable import DeviceQuery
import RollcallTesting
import Testing

@Suite struct LongQueryTests {
    /// What a slice came to, with what it showed.
    private struct Outcome {
        var progress: LongQuery.Progress
        var ids: [DeviceID] = []
        var groups: [DeviceGroup] = []

        var count: DeviceCount? {
            guard case .count(let summary) = self.progress else { return nil }
            return DeviceCount(summary, self.groups)
        }
    }

    /// Goes on with a query to its end; `meanwhile` runs between two slices.
    private func run(
        _ query: LongQuery, in fixture: IndexFixture, wordCount: Int, meanwhile: () -> Void
    ) -> Outcome {
        for _ in 0..<1_000_000 {
            let outcome = self.step(query, in: fixture, wordCount: wordCount)
            if case .unfinished = outcome.progress { meanwhile() } else { return outcome }
        }
        Issue.record("the query does not end")
        return Outcome(progress: .unfinished)
    }

    private func step(
        _ query: LongQuery, in fixture: IndexFixture, wordCount: Int?, groupCountMax: Int = .max
    ) -> Outcome {
        var outcome = Outcome(progress: .unfinished)
        outcome.progress = query.advance(
            fixture.index, wordCount: wordCount,
            each: { device in
                outcome.ids.append(device.id)
                return true
            },
            eachGroup: { group in
                guard outcome.groups.count < groupCountMax else { return false }
                outcome.groups.append(DeviceGroup(group))
                return true
            })
        return outcome
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func aListIsThatOfTheRevisionAtItsEnd(seed: UInt64) throws {
        let fixture = IndexFixture(seed: 4_000 + seed, deviceCount: [0, 10, 300, 900][Int(seed % 4)])
        fixture.mutate(200)
        for step in 0..<25 {
            let sample = fixture.generator.filter()
            var query = fixture.generator.list(sample)
            query.position = .first
            query.explains = true
            query.pageSize = [1, 5, 40, 1_000][step % 4]
            if step % 5 == 4 { query.position = .number(Int64(1 + step % 3)) }
            let now = fixture.generator.now
            let long = try LongQuery(query, in: FleetGenerator.project, of: fixture.index, now: now)
            let outcome = self.run(long, in: fixture, wordCount: 1 + step % 3) {
                fixture.mutate([0, 3, 20][step % 3])
            }
            guard case .list(let page) = outcome.progress else {
                Issue.record("seed \(seed), step \(step): \(outcome.progress)")
                continue
            }
            let expected = fixture.generator.oracle.list(query, tree: sample.tree, now: now).map(\.id)
            let part = expected.page(query)
            #expect(outcome.ids == part.ids, "seed \(seed), step \(step), \(query)")
            #expect(page.nextPageToken.isEmpty == part.isLast, "seed \(seed), step \(step)")
            #expect(page.totalCount == (query.includesTotal ? Int64(expected.count) : nil), "seed \(seed), \(step)")
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func aCountIsThatOfTheRevisionAtItsEnd(seed: UInt64) throws {
        let fixture = IndexFixture(seed: 5_000 + seed, deviceCount: [10, 300, 900][Int(seed % 3)])
        fixture.mutate(200)
        for step in 0..<24 {
            let sample = fixture.generator.filter()
            let query = fixture.generator.count(sample)
            let now = fixture.generator.now
            let long = try LongQuery(query, in: FleetGenerator.project, of: fixture.index, now: now)
            let outcome = self.run(long, in: fixture, wordCount: 1 + step % 2) {
                fixture.mutate([0, 4, 20][step % 3])
            }
            guard let count = outcome.count else {
                Issue.record("seed \(seed), step \(step): \(outcome.progress)")
                continue
            }
            let expected = fixture.generator.oracle.count(query, tree: sample.tree, now: now)
            #expect(count.shown == expected.shown, "seed \(seed), step \(step), \(query)")
        }
    }

    @Test func groupsThatWereNotTakenAreCountedWithTheOthers() throws {
        let fixture = IndexFixture(seed: 17, deviceCount: 300)
        var query = CountQuery()
        query.groupBy = [.ownerRef, .activity]
        let all = fixture.generator.oracle.count(query, now: fixture.generator.now).groups
        for taken in [0, 1, all.count / 2, all.count] {
            let long = try LongQuery(
                query, in: FleetGenerator.project, of: fixture.index, now: fixture.generator.now)
            let count = self.step(long, in: fixture, wordCount: nil, groupCountMax: taken).count
            #expect(count?.groups == Array(all.prefix(taken)) && count?.count == 300, "\(taken)")
            #expect(count?.otherCount == all.dropFirst(taken).reduce(0) { $0 + $1.count }, "\(taken)")
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func aSelectionIsThatOfTheRevisionAtItsEnd(seed: UInt64) throws {
        let fixture = IndexFixture(seed: 7_000 + seed, deviceCount: [0, 10, 300, 900][Int(seed % 4)])
        fixture.mutate(200)
        for step in 0..<24 {
            let sample = fixture.generator.filter()
            let now = fixture.generator.now
            let long = try LongQuery(
                selecting: sample.filter, inPartsOf: 1 + step % 7, in: FleetGenerator.project, of: fixture.index,
                now: now)
            let outcome = self.run(long, in: fixture, wordCount: 1 + step % 2) {
                fixture.mutate([0, 4, 20][step % 3])
            }
            guard case .selected(var selection) = outcome.progress else {
                Issue.record("seed \(seed), step \(step): \(outcome.progress)")
                continue
            }
            var query = ListQuery()
            query.filter = sample.filter
            let expected = fixture.generator.oracle.list(query, tree: sample.tree, now: now).map(\.id)
            #expect(selection.count == expected.count, "seed \(seed), step \(step)")
            var ids: [DeviceID] = []
            while case let part = selection.takePart(), !part.isEmpty {
                #expect(part.count <= 1 + step % 7)
                ids += part
                #expect(selection.count == expected.count - ids.count)
            }
            #expect(ids.sorted() == expected.sorted(), "seed \(seed), step \(step), \(sample.filter)")
        }
    }

    /// Changes come in parts of the fleet that are as yet unread, too.
    @Test func aQueryOverSeveralChunksIsAnsweredAsOfItsEnd() throws {
        let fixture = IndexFixture(seed: 13, deviceCount: 1_000, amongGone: 70_000)
        for step in 0..<12 {
            let sample = fixture.generator.filter()
            let now = fixture.generator.now
            let list = fixture.generator.list(sample)
            let long = try LongQuery(list, in: FleetGenerator.project, of: fixture.index, now: now)
            let outcome = self.run(long, in: fixture, wordCount: 250) { fixture.mutate(20) }
            let expected = fixture.generator.oracle.list(list, tree: sample.tree, now: now).map(\.id)
            #expect(outcome.ids == expected.page(list).ids, "step \(step), \(list)")
            let count = fixture.generator.count(sample)
            let longCount = try LongQuery(count, in: FleetGenerator.project, of: fixture.index, now: now)
            let found = self.run(longCount, in: fixture, wordCount: 250) { fixture.mutate(20) }.count
            let expectedCount = fixture.generator.oracle.count(count, tree: sample.tree, now: now)
            #expect(found?.shown == expectedCount.shown, "step \(step), \(count)")
        }
    }

    /// Of both kinds, begun one after another and carried on in turns.
    @Test(arguments: 0..<4 as Range<UInt64>)
    func queriesUnderWayAtOnceDoNotDisturbOneAnother(seed: UInt64) throws {
        let fixture = IndexFixture(seed: 9_200 + seed, deviceCount: 800)
        let now = fixture.generator.now
        let samples = (0..<8).map { _ in fixture.generator.filter() }
        var underWay: [(long: LongQuery, list: ListQuery?, count: CountQuery?, tree: FilterExpression?)] = []
        for (index, sample) in samples.enumerated() {
            let project = FleetGenerator.project
            if index % 2 == 0 {
                let query = fixture.generator.list(sample)
                let long = try LongQuery(query, in: project, of: fixture.index, now: now)
                underWay.append((long, query, nil, sample.tree))
            } else {
                let query = fixture.generator.count(sample)
                let long = try LongQuery(query, in: project, of: fixture.index, now: now)
                underWay.append((long, nil, query, sample.tree))
            }
        }
        while !underWay.isEmpty {
            fixture.mutate(3)
            let place = Int.random(in: 0..<underWay.count, using: &fixture.generator.random)
            let (long, list, count, tree) = underWay[place]
            if fixture.generator.random.oneIn(50) {
                long.cancel(fixture.index)
                underWay.remove(at: place)
                continue
            }
            let outcome = self.step(long, in: fixture, wordCount: 2)
            if case .unfinished = outcome.progress { continue }
            underWay.remove(at: place)
            let oracle = fixture.generator.oracle
            if let list {
                let expected = oracle.list(list, tree: tree, now: now).map(\.id).page(list)
                #expect(outcome.ids == expected.ids, "seed \(seed), \(list)")
            }
            if let count, let found = outcome.count {
                #expect(found.shown == oracle.count(count, tree: tree, now: now).shown, "seed \(seed), \(count)")
            }
        }
        try fixture.index.checkInvariants()
    }

    /// Nearly every row changes on the way, the first of the order among them, so that attempts are made void.
    @Test(arguments: 0..<6 as Range<UInt64>)
    func aStormOfChangesEndsInAnAnswerAllTheSame(seed: UInt64) throws {
        let fixture = IndexFixture(seed: 6_000 + seed, deviceCount: 700)
        var query = ListQuery()
        query.pageSize = 3
        query.sort = [SortKey(.updatedDate, isDescending: true)]
        query.explains = true
        let long = try LongQuery(query, in: FleetGenerator.project, of: fixture.index, now: fixture.generator.now)
        let outcome = self.run(long, in: fixture, wordCount: 1) {
            for entry in fixture.generator.oracle.entries.prefix(200) {
                fixture.apply(fixture.generator.update(entry))
            }
        }
        #expect(outcome.ids == Array(fixture.expected(query).prefix(3)), "seed \(seed), \(outcome.progress)")
    }

    /// The rows that keep others out of a page move behind them: those others must not be forgotten.
    @Test(arguments: [SortKey.Field.updatedDate, .ownerRef], [10, 66, 150, 400])
    func aPageWhoseFirstDevicesAllMoveAwayIsThatOfTheRest(key: SortKey.Field, movedCount: Int) throws {
        let fixture = IndexFixture(seed: 12, deviceCount: 2_000)
        let pattern = TextPattern(pieces: [Array("awesome_".utf8), []])
        let sample = FilterSample(tree: .comparison(.ownerRef, .equal, .pattern(pattern)))
        var query = ListQuery()
        query.filter = sample.filter
        query.pageSize = 1
        query.sort = [SortKey(key)]
        let now = fixture.generator.now
        let long = try LongQuery(query, in: FleetGenerator.project, of: fixture.index, now: now)
        // All but the last few rows.
        guard case .unfinished = self.step(long, in: fixture, wordCount: 28).progress else {
            Issue.record("2,000 devices take more than 28 words")
            return
        }
        for entry in fixture.generator.oracle.list(query, tree: sample.tree, now: now).prefix(movedCount) {
            // Behind all others, and yet of the same beginning.
            fixture.apply(fixture.generator.update(entry, ownerRef: "awesome_employee_99"))
        }
        let outcome = self.run(long, in: fixture, wordCount: 1) {}
        #expect(outcome.ids == Array(fixture.expected(query, sample.tree).prefix(1)))
    }

    @Test func aCohortThatIsRenamedMakesTheWalkBeginAnew() throws {
        let fixture = IndexFixture(seed: 7, deviceCount: 300)
        var query = ListQuery()
        query.filter.expression = "cohort.name = \"Renamed\""
        query.pageSize = 1_000
        let long = try LongQuery(query, in: FleetGenerator.project, of: fixture.index, now: fixture.generator.now)
        var isRenamed = false
        let cohort = CohortID(rawValue: 2)
        let outcome = self.run(long, in: fixture, wordCount: 1) {
            if isRenamed { return }
            isRenamed = true
            fixture.apply([.cohortRenamed(cohort, project: FleetGenerator.project, name: "Renamed")])
        }
        let expected = fixture.generator.oracle.entries.filter { $0.fields.cohort == cohort }.map(\.id).sorted()
        #expect(!expected.isEmpty && outcome.ids == expected)
    }

    @Test func aQueryOfAProjectThatGoesEndsWithIt() throws {
        let fixture = IndexFixture(seed: 8)
        let other = ProjectID(rawValue: 2)
        let record = ProjectRecord(id: other, slug: "other", name: "Other", createdDate: .epoch)
        fixture.index.apply(.projectCreated(record))
        let long = try LongQuery(ListQuery(), in: other, of: fixture.index, now: .epoch)
        fixture.index.apply(.projectDeleted(other))
        guard case .projectGone = self.step(long, in: fixture, wordCount: nil).progress else {
            Issue.record("the project is gone")
            return
        }
    }

    @Test func anIndexThatIsReadAnewMakesTheWalkBeginAnew() throws {
        let fixture = IndexFixture(seed: 9, deviceCount: 300)
        let later = IndexFixture(seed: 10, deviceCount: 40)
        var query = ListQuery()
        query.pageSize = 1_000
        let long = try LongQuery(query, in: FleetGenerator.project, of: fixture.index, now: fixture.generator.now)
        guard case .unfinished = self.step(long, in: fixture, wordCount: 1).progress else {
            Issue.record("300 devices take more than one word")
            return
        }
        let outcome = self.run(long, in: later, wordCount: 1) {}
        #expect(outcome.ids == later.expected(query))
    }

    @Test func aQueryThatIsGivenUpIsForgotten() throws {
        let fixture = IndexFixture(seed: 11, deviceCount: 300)
        let long = try LongQuery(ListQuery(), in: FleetGenerator.project, of: fixture.index, now: .epoch)
        _ = self.step(long, in: fixture, wordCount: 1)
        #expect(!fixture.index.walks.isEmpty)
        long.cancel(fixture.index)
        #expect(fixture.index.walks.isEmpty)
    }
}
