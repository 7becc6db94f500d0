// Counting what matches, from the counts of indexes where they suffice.

internal import DeviceModel

/// A count's query after every check.
struct CountRequest {
    let query: CountQuery
    let project: ProjectID
    let expression: FilterExpression?
    let now: Timestamp

    /// - Throws: every bad field of the query at once.
    init(
        _ query: CountQuery, in project: ProjectID, of index: borrowing RegistryIndex, now: Timestamp
    ) throws(InvalidFields) {
        guard let fleet = index.fleet(project) else {
            preconditionFailure("a count is asked of a project that does not exist")
        }
        var check = FieldCheck()
        check.filter(query.filter, limits: index.limits, asksActivity: query.groupBy.contains(.activity))
        let expression = check.expression(query.filter, in: fleet, limits: index.limits)
        if query.groupBy.count > 2 {
            check.refuse("group_by", "must have at most 2 keys, not \(query.groupBy.count)")
        }
        for (place, key) in query.groupBy.enumerated() {
            if query.groupBy[..<place].contains(key) {
                check.refuse("group_by[\(place)]", "comes again after itself; give each key once")
            }
        }
        check.attributes(of: query.groupBy, in: fleet)
        if query.groupLimit < 1 {
            check.refuse("group_limit", "must be at least 1; 0 means \(index.limits.groupCountDefault)")
        }
        try check.finish()
        self.query = query
        self.project = project
        self.expression = expression
        self.now = now
    }

    /// How many groups to return.
    func groupLimit(_ limits: Limits) -> Int { min(self.query.groupLimit, limits.groupCountMax) }

    /// The first moment that counts as recent.
    func recent(_ limits: Limits) -> Int64 {
        let window = self.query.filter.activityWindowMicroseconds ?? limits.activityWindowMicrosecondsDefault
        return self.now.advanced(byMicroseconds: -window).microseconds
    }

    /// The query's filter as tests of the fleet as it is at this moment.
    func condition(_ index: borrowing RegistryIndex, in fleet: UnsafePointer<Fleet>) -> Condition {
        index.condition(self.query.filter, self.expression, now: self.now, in: fleet)
    }

    /// A condition and the query's groups on the fleet as it is at this moment.
    func search(
        _ condition: Condition, _ index: borrowing RegistryIndex, _ bounds: SearchBounds,
        in fleet: UnsafePointer<Fleet>
    ) -> CountSearch {
        CountSearch(
            condition,
            self.query.groupBy.map { GroupSource($0, recent: self.recent(index.limits), in: fleet) }, bounds, in: fleet)
    }
}

/// A count of one fleet's devices.
struct CountSearch: ~Copyable {
    let plan: QueryPlan
    let sources: [GroupSource]
    private let bounds: SearchBounds
    private let usesSets: Bool
    private(set) var tally = QueryTally()
    private(set) var usedPlan: QueryExplanation.Plan

    /// Codes up to which a chunk's matches are intersected with each one's set.
    private static var intersectedCodeCountMax: Int { 512 }

    init(_ condition: Condition, _ sources: [GroupSource], _ bounds: SearchBounds, in fleet: UnsafePointer<Fleet>) {
        let plan = QueryPlan(condition, in: fleet, forced: bounds.forced, isCounting: sources.isEmpty)
        self.sources = sources
        self.bounds = bounds
        let setCost = Self.setCost(sources, fleet)
        if bounds.forced == nil, let setCost, setCost < plan.matchEstimate * StepCost.scannedRow {
            self.plan = QueryPlan(condition, in: fleet, forced: .bitmaps, isCounting: true)
        } else {
            self.plan = plan
        }
        self.usesSets = setCost != nil && self.plan.source.plan == .bitmaps
        self.usedPlan = self.plan.source.plan
    }

    /// What intersecting with the set of each group costs, where that can be done.
    private static func setCost(_ sources: [GroupSource], _ fleet: UnsafePointer<Fleet>) -> Double? {
        guard sources.count == 1, let field = sources[0].field else { return nil }
        let codeCount = fleet.pointee.textCount(of: field)
        guard codeCount <= Self.intersectedCodeCountMax else { return nil }
        return Double(fleet.pointee.chunkCount * codeCount) * StepCost.chunkOfLargeSet
    }

    /// The count and its groups; nil where it would cost more than the bounds allow.
    mutating func count(groupLimit: Int) -> DeviceCount? {
        let fleet = self.plan.fleet
        if case .never = self.plan.condition {
            self.usedPlan = .nothing
            return DeviceCount(count: 0, groups: [], otherCount: 0)
        }
        if self.bounds.forced == nil || self.bounds.forced == .indexCounts, let answer = self.indexCount(groupLimit) {
            self.usedPlan = .indexCounts
            return answer
        }
        let groupCost =
            self.usesSets
            ? Self.setCost(self.sources, fleet) ?? 0
            : self.sources.isEmpty ? 0 : self.plan.matchEstimate * StepCost.candidate
        guard self.plan.sourceCost + groupCost <= self.bounds.costMax else { return nil }
        if self.sources.isEmpty {
            var count = RowCount()
            self.plan.forEachMatch(&count, &self.tally)
            return DeviceCount(count: Int64(count.count), groups: [], otherCount: 0)
        }
        var counter = GroupCounter(self.sources, usesSets: self.usesSets, in: fleet)
        self.plan.forEachMatch(&counter, &self.tally)
        return counter.finish(limit: groupLimit)
    }

    /// The answer, where the counts that indexes keep are enough for it.
    private func indexCount(_ groupLimit: Int) -> DeviceCount? {
        let fleet = self.plan.fleet
        if self.sources.isEmpty {
            return self.plan.condition.exactCount(in: fleet).map {
                DeviceCount(count: Int64($0), groups: [], otherCount: 0)
            }
        }
        guard case .always = self.plan.condition, self.sources.count == 1 else { return nil }
        switch self.sources[0] {
        case .dictionary, .version:
            let codeCount = self.sources[0].field.map { fleet.pointee.codeCount(of: $0) } ?? 0
            guard Double(codeCount) * StepCost.countedCode <= self.bounds.costMax else { return nil }
            var counter = GroupCounter(self.sources, usesSets: false, in: fleet)
            counter.countSets()
            return counter.finish(limit: groupLimit)
        case .activity(let recent):
            return Self.activityCount(recent, groupLimit, fleet)
        case .attribute, .attributeText:
            return nil
        }
    }

    private static func activityCount(
        _ recent: Int64, _ groupLimit: Int, _ fleet: UnsafePointer<Fleet>
    ) -> DeviceCount {
        let total = fleet.pointee.deviceCount
        let firstSeen = DeviceRow.neverSeen + 1
        let pending = fleet.pointee.byLastSeen.rank(below: firstSeen)
        let active = total - fleet.pointee.byLastSeen.rank(below: max(recent, firstSeen))
        let counts: [(activity: Activity, count: Int)] = [
            (.pending, pending), (.active, active), (.inactive, total - pending - active),
        ]
        let present = counts.filter { $0.count > 0 }.sorted { left, right in
            left.count != right.count ? left.count > right.count : left.activity.rawValue < right.activity.rawValue
        }
        let groups = present.map { DeviceGroup(values: [.activity($0.activity)], count: Int64($0.count)) }
        let kept = groups.prefix(groupLimit)
        let keptCount = kept.reduce(0) { $0 + $1.count }
        return DeviceCount(count: Int64(total), groups: Array(kept), otherCount: Int64(total) - keptCount)
    }

    /// What was done.
    func explanation(elapsedNanoseconds: Int64, sliceCount: Int = 1) -> QueryExplanation {
        var steps: [String]
        switch self.usedPlan {
        case .indexCounts: steps = ["read the counts that the indexes keep"] + self.plan.conditionSteps("of: ")
        case .nothing: steps = ["the filter names nothing that is there"]
        default: steps = self.plan.sourceSteps
        }
        if !self.sources.isEmpty {
            steps.append(
                self.usesSets && self.usedPlan == .bitmaps
                    ? "intersect each chunk with the devices of each group" : "count by group")
        }
        return QueryExplanation(
            plan: self.usedPlan, steps: steps, estimatedCandidateCount: Int64(self.plan.candidateEstimate),
            estimatedMatchCount: Int64(self.plan.matchEstimate), candidateCount: Int64(self.tally.candidateCount),
            matchCount: Int64(self.tally.matchCount), estimatedNanoseconds: Int64(self.plan.sourceCost),
            elapsedNanoseconds: elapsedNanoseconds, sliceCount: Int64(sliceCount))
    }
}
