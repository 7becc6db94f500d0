// Counting what matches, from the counts of indexes where they suffice.

internal import DeviceModel

/// What checking a count's query found, beside the query itself: see ``ListRequest``.
struct CountRequest {
    let project: ProjectID
    let expression: FilterExpression?
    let now: Timestamp

    /// - Throws: every bad field of the query at once.
    init(
        _ query: borrowing CountQuery, in project: ProjectID, of index: borrowing RegistryIndex, now: Timestamp
    ) throws(InvalidFields) {
        guard let fleet = index.fleet(project) else {
            preconditionFailure("a count is asked of a project that does not exist")
        }
        var check = FieldCheck()
        let asksActivity = query.groupBy.contains { if case .activity = $0 { true } else { false } }
        check.filter(query.filter, valueCountMax: index.limits.filterValueCountMax, asksActivity: asksActivity)
        let expression = check.expression(query.filter, in: fleet, of: index)
        if query.groupBy.count > Limits.groupKeyCountMax {
            check.refuse("group_by", "must have at most \(Limits.groupKeyCountMax) keys, not \(query.groupBy.count)")
        }
        for place in query.groupBy.indices.dropFirst() where query.groupBy[..<place].contains(query.groupBy[place]) {
            check.refuse("group_by[\(place)]", "comes again after itself; give each key once")
        }
        check.attributes(of: query.groupBy, in: fleet)
        if query.groupLimit < 1 {
            check.refuse("group_limit", "must be at least 1; 0 means \(index.limits.groupCountDefault)")
        }
        try check.finish()
        self.project = project
        self.expression = expression
        self.now = now
    }

    /// The query's filter as tests of the fleet as it is at this moment.
    func condition(
        _ query: CountQuery, _ index: borrowing RegistryIndex, in fleet: UnsafePointer<Fleet>
    ) -> Condition {
        index.condition(query.filter, self.expression, now: self.now, in: fleet)
    }

    /// What the query groups by, on the fleet as it is at this moment.
    func sources(_ query: CountQuery, _ limits: Limits, in fleet: UnsafePointer<Fleet>) -> GroupSources {
        let window = query.filter.activityWindowMicroseconds ?? limits.activityWindowMicrosecondsDefault
        let recent = self.now.advanced(byMicroseconds: -window).microseconds
        return GroupSources(query.groupBy, recent: recent, in: fleet)
    }
}

extension CountQuery {
    /// How many groups to return.
    func groupLimit(_ limits: Limits) -> Int { min(self.groupLimit, limits.groupCountMax) }
}

/// A count of one fleet's devices.
struct CountSearch: ~Copyable {
    private(set) var plan: QueryPlan
    let sources: GroupSources
    private let bounds: SearchBounds
    private let usesSets: Bool
    private(set) var tally = QueryTally()
    private(set) var usedPlan: QueryExplanation.Plan

    /// Codes up to which a chunk's matches are intersected with each one's set.
    private static var intersectedCodeCountMax: Int { 512 }

    init(_ condition: Condition, _ sources: GroupSources, _ bounds: SearchBounds, in fleet: UnsafePointer<Fleet>) {
        let plan = QueryPlan(condition, in: fleet, forced: bounds.forced, isCounting: sources.isEmpty)
        self.sources = sources
        self.bounds = bounds
        let setCost = Self.setCost(sources, fleet)
        let groupingCost = plan.matchEstimate * StepCost.candidate
        self.plan = plan
        if bounds.forced == nil, let setCost, setCost < groupingCost {
            let masked = QueryPlan(condition, in: fleet, forced: .bitmaps, isCounting: true)
            if masked.sourceCost + setCost < self.plan.sourceCost + groupingCost { self.plan = masked }
        }
        self.usesSets = setCost != nil && self.plan.sourcePlan == .bitmaps
        self.usedPlan = self.plan.sourcePlan
    }

    /// What intersecting with the set of each group costs, where that can be done.
    private static func setCost(_ sources: GroupSources, _ fleet: UnsafePointer<Fleet>) -> Double? {
        guard let field = sources.only?.field else { return nil }
        let codeCount = fleet.pointee.textCount(of: field)
        guard codeCount <= Self.intersectedCodeCountMax else { return nil }
        return Double(fleet.pointee.chunkCount * codeCount) * StepCost.chunkOfLargeSet
    }

    /// The count, its groups shown to `each`; nil where it would cost more than the bounds allow.
    mutating func count(groupLimit: Int, each: (BorrowedGroup) -> Bool) -> CountSummary? {
        let fleet = self.plan.fleet
        if case .never = self.plan.condition {
            self.usedPlan = .nothing
            return CountSummary(count: 0)
        }
        if self.bounds.forced == nil || self.bounds.forced == .indexCounts,
            let summary = Self.indexCount(
                self.plan.condition, self.sources, groupLimit, self.bounds, in: fleet, each: each)
        {
            self.usedPlan = .indexCounts
            return summary
        }
        let groupCost =
            self.usesSets
            ? Self.setCost(self.sources, fleet) ?? 0
            : self.sources.isEmpty ? 0 : self.plan.matchEstimate * StepCost.candidate
        guard self.plan.sourceCost + groupCost <= self.bounds.costMax else { return nil }
        if self.sources.isEmpty {
            var count = RowCount()
            self.plan.forEachMatch(&count, &self.tally)
            return CountSummary(count: Int64(count.count))
        }
        var counter = GroupCounter(self.sources, usesSets: self.usesSets, in: fleet)
        self.plan.forEachMatch(&counter, &self.tally)
        return counter.finish(limit: groupLimit, each: each)
    }

    /// Takes note of indexes that would have helped, once it is counted.
    func noteMisses() {
        guard self.usedPlan != .indexCounts, self.usedPlan != .nothing else { return }
        self.plan.noteMisses(cost: self.plan.sourceCost, self.sources.isEmpty ? .counted : .all)
    }

    /// The answer, where the counts that indexes keep are enough for it: nothing is to be planned then.
    static func indexCount(
        _ condition: Condition, _ sources: GroupSources, _ groupLimit: Int, _ bounds: SearchBounds,
        in fleet: UnsafePointer<Fleet>, each: (BorrowedGroup) -> Bool
    ) -> CountSummary? {
        if sources.isEmpty {
            return condition.exactCount(in: fleet).map { CountSummary(count: Int64($0)) }
        }
        guard case .always = condition, let source = sources.only else { return nil }
        switch source {
        case .dictionary, .version:
            let codeCount = source.field.map { fleet.pointee.codeCount(of: $0) } ?? 0
            guard Double(codeCount) * StepCost.countedCode <= bounds.costMax else { return nil }
            var counter = GroupCounter(sources, usesSets: false, in: fleet)
            counter.countSets()
            return counter.finish(limit: groupLimit, each: each)
        case .activity(let recent):
            return self.activityCount(recent, groupLimit, fleet, each: each)
        case .attribute, .attributeText:
            return nil
        }
    }

    private static func activityCount(
        _ recent: Int64, _ groupLimit: Int, _ fleet: UnsafePointer<Fleet>, each: (BorrowedGroup) -> Bool
    ) -> CountSummary {
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
        var summary = CountSummary(count: Int64(total))
        summary.otherCount = summary.count
        for (activity, count) in present.prefix(groupLimit) {
            let group = BorrowedGroup(
                first: .activity(activity), second: nil, count: Int64(count), totalCount: Int64(total))
            guard each(group) else { break }
            summary.otherCount -= Int64(count)
        }
        return summary
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
