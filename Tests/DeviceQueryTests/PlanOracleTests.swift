// Lists and counts by every plan against the naive oracle.

import DeviceModel
import DeviceQuery
import RollcallTesting
import Testing

@Suite struct PlanOracleTests {
    private static let deviceCounts = [0, 1, 2, 9, 40, 120, 300, 700, 1_200, 2_000]
    private static let seeds: Range<UInt64> = 0..<20

    @Test func everyPlanAgreesWithTheOracle() async {
        let tally = await withTaskGroup(of: PlanTally.self) { group in
            for seed in Self.seeds {
                group.addTask {
                    let deviceCount = Self.deviceCounts[Int(seed) % Self.deviceCounts.count]
                    var run = PlanRun(seed: 7_000 + seed, IndexFixture(seed: 7_000 + seed, deviceCount: deviceCount))
                    run.run()
                    return run.tally
                }
            }
            return await group.reduce(into: PlanTally()) { $0.add($1) }
        }
        for failure in tally.failures { Issue.record("\(failure)") }
        #expect(tally.caseCount >= 20_000)
        for plan in QueryExplanation.Plan.allCases {
            #expect(tally.counts[plan, default: 0] >= 200, "\(plan.rawValue) of \(tally.counts)")
        }
        // Filters that match everything or nothing find few mistakes.
        #expect(tally.emptyCount * 3 < tally.filterCount && tally.fullCount * 5 < tally.filterCount)
        #expect(tally.filterCount - tally.emptyCount - tally.fullCount > tally.filterCount / 2)
    }

    /// Of either hardware version there are many, so that a walk begins at once; one of them is met at the very end.
    @Test func aWalkThatComesToNothingGivesWayToAnotherPlan() throws {
        let (oldCount, count) = (1_500 as Int64, 5_000 as Int64)
        let fixture = IndexFixture(seed: 11)
        for number in 1...count {
            let after = DeviceFields(
                ownerRef: "a", hardwareVersion: number <= oldCount ? "old" : "new", cohort: CohortID(rawValue: 1),
                updatedDate: .epoch, etagRevision: .zero)
            let change = DeviceChange(
                revision: .zero, kind: .created, project: FleetGenerator.project, device: DeviceID(rawValue: number),
                serial: "serial-\(number)", createdDate: .epoch, fields: Transition(before: nil, after: after))
            fixture.index.apply(.device(change))
        }
        var query = ListQuery()
        query.sort = [SortKey(.id, isDescending: true)]
        query.explains = true
        for (version, last) in [("new", count), ("old", oldCount)] {
            query.filter.hardwareVersions = [version]
            query.includesTotal = version == "old"
            let (ids, page) = try fixture.page(query)
            #expect(ids.map(\.rawValue) == (0..<100).map { last - $0 })
            #expect(page.totalCount == (version == "old" ? oldCount : nil))
            #expect((page.explanation?.plan == .orderedWalk) == (version == "new"))
        }
    }

    /// Past 1,024 devices a value's rows are chunks, and past 4,096 texts they are not looked at before the devices.
    @Test(arguments: [false, true])
    func everyPlanOverManyDevicesAgreesWithTheOracle(isDiverse: Bool) {
        var run = PlanRun(seed: 77, IndexFixture(seed: 77, deviceCount: 7_500, isDiverse: isDiverse))
        run.run(filterCount: 15)
        for failure in run.tally.failures { Issue.record("\(failure)") }
    }

    /// Sets of rows are kept by chunks of 65,536, and codes below that are kept once more in two bytes.
    @Test func everyPlanOverSeveralChunksAgreesWithTheOracle() throws {
        let fixture = IndexFixture(seed: 78, deviceCount: 1_500, amongGone: 70_000)
        try fixture.index.checkInvariants()
        var run = PlanRun(seed: 78, fixture)
        run.run(filterCount: 10)
        for failure in run.tally.failures { Issue.record("\(failure)") }
    }
}

/// What became of the queries of a run.
private struct PlanTally {
    /// Queries that were answered by the plan that was asked for, by plan.
    var counts: [QueryExplanation.Plan: Int] = [:]
    /// Filters over fleets of more than a few devices; of them, those that no device matches and that every one does.
    var filterCount = 0
    var emptyCount = 0
    var fullCount = 0
    /// The first few, each with all that it takes to see it again.
    private(set) var failures: [String] = []

    private static let failureCountMax = 20

    var caseCount: Int { self.counts.values.reduce(0, +) }

    mutating func add(_ other: PlanTally) {
        self.counts.merge(other.counts, uniquingKeysWith: +)
        self.filterCount += other.filterCount
        self.emptyCount += other.emptyCount
        self.fullCount += other.fullCount
        for failure in other.failures { self.add(failure) }
    }

    mutating func add(_ failure: String) {
        if self.failures.count < Self.failureCountMax { self.failures.append(failure) }
    }
}

/// Many queries of one fleet, each by every plan.
private struct PlanRun {
    private let seed: UInt64
    private let fixture: IndexFixture
    private var step = 0
    private(set) var tally = PlanTally()

    init(seed: UInt64, _ fixture: IndexFixture) {
        self.seed = seed
        self.fixture = fixture
        // Deletions leave holes, and moves unsettle what was built in order.
        fixture.mutate(fixture.generator.oracle.entries.count / 8)
        if seed % 2 == 0 { fixture.buildEveryOrder() }
    }

    /// As many filters as a fleet of its size has time for.
    mutating func run() {
        let deviceCount = self.fixture.generator.oracle.entries.count
        self.run(filterCount: deviceCount < 10 ? 100 : deviceCount < 500 ? 250 : 45)
    }

    mutating func run(filterCount: Int) {
        for _ in 0..<filterCount {
            self.step += 1
            let sample = self.fixture.generator.filter()
            let oracle = self.fixture.generator.oracle
            let matches = oracle.matches(sample.filter, tree: sample.tree, now: self.fixture.generator.now)
            if oracle.entries.count > 10 {
                self.tally.filterCount += 1
                self.tally.emptyCount += matches.isEmpty ? 1 : 0
                self.tally.fullCount += matches.count == oracle.entries.count ? 1 : 0
            }
            for round in 0..<2 {
                var query = self.fixture.generator.list(sample)
                // Which more indexes lie in the order of than of any other.
                if round == 1 {
                    query.sort = [SortKey(.lastSeen, isDescending: self.fixture.generator.random.oneIn(2))]
                }
                let expected = oracle.sorted(matches, by: query.sort).map(\.id)
                self.list(query, nil, expected)
                for plan in QueryExplanation.Plan.allCases { self.list(query, plan, expected) }
            }
            self.fixture.buildSomeOrder()
            let query = self.fixture.generator.count(sample)
            let expected = oracle.count(of: matches, query, now: self.fixture.generator.now).shown
            self.count(query, nil, expected)
            for plan in QueryExplanation.Plan.allCases { self.count(query, plan, expected) }
        }
    }

    /// - Parameter plan: nil for a page only if it does not take long, by the plan that suits it.
    private mutating func list(_ query: ListQuery, _ plan: QueryExplanation.Plan?, _ all: [DeviceID]) {
        var query = query
        query.explains = true
        let place = "seed \(self.seed), step \(self.step), \(plan?.rawValue ?? "short")"
        let expected = all.page(query)
        do throws(InvalidFields) {
            let page = plan == nil ? try self.fixture.shortPage(query) : try self.fixture.page(query, forcedPlan: plan)
            guard let (ids, page) = page else { return }
            self.note(plan, page.explanation)
            if ids != expected.ids || page.itemCount != ids.count {
                self.tally.add("\(place): expected \(Self.text(expected.ids)), got \(Self.text(ids)) of \(query)")
            }
            if page.nextPageToken.isEmpty != expected.isLast {
                self.tally.add("\(place): is the last page: \(expected.isLast), said otherwise, of \(query)")
            }
            if page.totalCount != (query.includesTotal ? Int64(all.count) : nil) {
                self.tally.add("\(place): \(all.count) match, said \(page.totalCount ?? -1), of \(query)")
            }
        } catch {
            self.tally.add("\(place): \(error) of \(query)")
        }
    }

    /// - Parameter plan: nil for a count only if it does not take long, by the plan that suits it.
    private mutating func count(_ query: CountQuery, _ plan: QueryExplanation.Plan?, _ expected: [String]) {
        var query = query
        query.explains = true
        let place = "seed \(self.seed), step \(self.step), \(plan?.rawValue ?? "short")"
        do throws(InvalidFields) {
            let count =
                plan == nil ? try self.fixture.shortCount(query) : try self.fixture.count(query, forcedPlan: plan)
            guard let count else { return }
            self.note(plan, count.explanation)
            if count.shown != expected {
                self.tally.add("\(place): expected \(expected.prefix(12)), got \(count.shown.prefix(12)) of \(query)")
            }
        } catch {
            self.tally.add("\(place): \(error) of \(query)")
        }
    }

    private mutating func note(_ plan: QueryExplanation.Plan?, _ explanation: QueryExplanation?) {
        if explanation == nil { self.tally.add("seed \(self.seed), step \(self.step): nothing explained") }
        if let plan, explanation?.plan == plan { self.tally.counts[plan, default: 0] += 1 }
    }

    private static func text(_ ids: [DeviceID]) -> String {
        "\(ids.prefix(12).map(\.rawValue)) (\(ids.count))"
    }
}
