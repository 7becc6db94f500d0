// Finding the rows of a page: off an index that lies in the order, group by group, or by selection from every match.

internal import DeviceModel

/// Which matches of an order are wanted: those after a place, some of them left out, up to a count.
struct PageWindow {
    var place: ListPlace?
    var offset: Int
    var count: Int

    /// How many first matches after the place it reaches over.
    var reach: Int { self.offset.addingReportingOverflow(self.count).overflow ? .max : self.offset + self.count }
}

/// What a search may cost and how it is to go about it.
struct SearchBounds {
    /// In nanoseconds: where it is expected to cost more, it is not begun.
    var costMax = Double.infinity
    var forced: QueryExplanation.Plan?
}

/// A query's matches in an order.
struct ListSearch: ~Copyable {
    var plan: QueryPlan
    let order: SortOrder
    let bounds: SearchBounds
    var tally = QueryTally()
    /// The plan that found the page.
    private(set) var usedPlan: QueryExplanation.Plan
    /// What it was expected to come to, where that was a walk.
    private(set) var walkEstimate: (candidateCount: Double, cost: Double)?

    var fleet: UnsafePointer<Fleet> { self.plan.fleet }

    init(_ condition: Condition, _ order: SortOrder, _ bounds: SearchBounds, in fleet: UnsafePointer<Fleet>) {
        self.plan = QueryPlan(condition, in: fleet, forced: bounds.forced, isChosen: bounds.forced != nil)
        self.order = order
        self.bounds = bounds
        self.usedPlan = .nothing
    }

    /// Appends the rows of a window to `rows`, in order.
    ///
    /// - Returns: whether it did; false where it would cost more than the bounds allow, and then `rows` is as before.
    mutating func collect(_ window: PageWindow, into rows: inout Column<UInt32>) -> Bool {
        if case .never = self.plan.condition { return true }
        guard window.offset < self.fleet.pointee.deviceCount else {
            self.plan.choose()
            self.usedPlan = self.plan.sourcePlan
            return true
        }
        let rowCount = rows.count
        var spentCost = 0.0
        if let walk = self.order.walk, self.mayWalk(walk) {
            let planned = self.plannedWalk(walk, window)
            let walkPlan = planned?.partials == nil ? walk.plan : .mergedWalk
            let cost = self.expectedCost(walk, planned, window)
            let isForced = self.bounds.forced == walkPlan
            var selectionCost = Double.infinity
            if !self.isPlain(planned, cost) { selectionCost = self.chosenSelectionCost() }
            if isForced || (cost < selectionCost && cost <= self.bounds.costMax) {
                // Fewer matches than expected may lie in the way: the walk goes no further than selecting would cost. Where that
                // is not known, or where it would not be seen soon, it goes twice as far as it was expected to.
                let isWatched = selectionCost.isFinite && planned != nil && self.order.isSingle
                let limit = min(isWatched ? .infinity : cost * 2, selectionCost, self.bounds.costMax)
                let budget = isForced ? .infinity : max(limit, StepCost.plan)
                self.usedPlan = walkPlan
                let candidateCount = planned?.entryCount(ofMatches: Double(window.reach)) ?? self.rowCount(window)
                self.walkEstimate = (candidateCount, cost)
                let isFound = self.walk(walk, planned, window, budget: budget, into: &rows)
                let progress = Double(self.tally.candidateCount) / max(candidateCount, 1)
                let seekingCost = planned?.partials?.seekingCost ?? 0
                spentCost = seekingCost + (cost - seekingCost) * progress
                if isFound {
                    self.noteMisses(spentCost, window, progress)
                    return true
                }
                rows.removeLast(rows.count - rowCount)
                if walkPlan == .orderedWalk, !isForced, self.walkPartials(window, into: &rows) { return true }
            }
        }
        let selectionCost = self.chosenSelectionCost()
        self.usedPlan = self.plan.sourcePlan
        self.walkEstimate = nil
        guard selectionCost <= self.bounds.costMax else { return false }
        let limit = min(window.reach, self.fleet.pointee.deviceCount)
        var selection = PageSelection(
            self.order, after: window.place, limit: limit, expectedCount: Int(self.plan.matchEstimate), in: self.fleet)
        self.plan.forEachMatch(&selection, &self.tally)
        selection.finish(skipping: window.offset, into: &rows)
        self.noteMisses(spentCost + selectionCost, window)
        return true
    }

    /// Walks along partial indexes after a walk along the one index that came to nothing, if that is cheaper than selecting.
    private mutating func walkPartials(_ window: PageWindow, into rows: inout Column<UInt32>) -> Bool {
        let reach = Double(window.reach)
        guard self.order.hasPartialWalk, self.fleet.pointee.hasPartialOrders,
            let planned = self.plan.partialWalk(ofMatches: reach, isBuilt: true), let partials = planned.partials
        else { return false }
        let (rowCount, cost) = (rows.count, planned.cost(ofMatches: reach))
        let budget = min(self.chosenSelectionCost(), self.bounds.costMax)
        guard cost < budget else { return false }
        self.usedPlan = .mergedWalk
        self.walkEstimate = (planned.entryCount(ofMatches: reach), cost)
        if self.walk(partials, planned, window, budget: budget, into: &rows) { return true }
        rows.removeLast(rows.count - rowCount)
        return false
    }

    /// The walk along the index that lies in the order, or along partial indexes where that is cheaper.
    private func plannedWalk(_ walk: Walk, _ window: PageWindow) -> PlannedWalk? {
        guard let tree = walk.tree else { return nil }
        let planned = self.plan.walk(of: tree)
        guard self.order.hasPartialWalk, self.fleet.pointee.hasPartialOrders, self.bounds.forced != .orderedWalk else {
            return planned
        }
        let reach = Double(window.reach)
        guard let partial = self.plan.partialWalk(ofMatches: reach, isBuilt: true) else { return planned }
        let isChosen =
            self.bounds.forced == .mergedWalk || partial.cost(ofMatches: reach) < planned.cost(ofMatches: reach)
        return isChosen ? partial : planned
    }

    private func noteMisses(_ cost: Double, _ window: PageWindow, _ progress: Double = 1) {
        let wanted = self.order.hasPartialWalk ? WantedMatches.first(window.reach) : .all
        self.plan.noteMisses(cost: cost, wanted, progress: progress)
    }

    /// Of the devices a walk meets, the share from which on it may go without being weighed against anything.
    private static var plainWalkShare: Double { 0.05 }

    /// Whether a walk costs hardly more than weighing it against selecting would: one that is expected to end soon, and where matches
    /// are so many that it will not be far wrong.
    private func isPlain(_ planned: PlannedWalk?, _ cost: Double) -> Bool {
        guard let planned, self.bounds.forced == nil else { return false }
        return cost <= 2 * StepCost.plan && planned.share >= Self.plainWalkShare
    }

    /// What selecting from every match costs, by the cheapest source.
    private mutating func chosenSelectionCost() -> Double {
        self.plan.choose()
        return self.plan.sourceCost + self.plan.matchEstimate * StepCost.keptRow
    }

    /// Whether a walk is there and is not ruled out by a plan that is forced.
    private func mayWalk(_ walk: Walk) -> Bool {
        let isPossible =
            self.bounds.forced == walk.plan || (self.bounds.forced == .mergedWalk && self.order.hasPartialWalk)
        if let forced = self.bounds.forced, !isPossible, self.plan.sourcePlan == forced { return false }
        return walk.lazyOrder(in: self.fleet) == nil
    }

    private func expectedCost(_ walk: Walk, _ planned: PlannedWalk?, _ window: PageWindow) -> Double {
        if case .always = self.plan.condition, self.order.isSingle { return StepCost.plan }
        if let planned { return planned.cost(ofMatches: Double(window.reach)) }
        switch walk {
        case .dictionary(let field):
            let total = Double(self.fleet.pointee.deviceCount)
            let rowCount = self.rowCount(window)
            let groups = Double(self.fleet.pointee.textCount(of: field))
            // The group in which the page ends is looked at whole, unless an index lies in its order.
            let groupCount = min(groups, groups * rowCount / max(total, 1) + 1)
            let last = groups > 100 || self.order.rest.walk == nil ? total / max(groups, 1) : 0
            let rowCost = StepCost.candidate + self.plan.parts.fetchingCost
            return groupCount * StepCost.group + (rowCount + last) * rowCost
        case .tree, .attribute:
            preconditionFailure("the walk of an index is planned")
        }
    }

    /// How many devices of the whole fleet a walk is expected to look at.
    private func rowCount(_ window: PageWindow) -> Double {
        min(Double(self.fleet.pointee.deviceCount), Double(window.reach) / max(self.plan.share, 1e-9))
    }

    private mutating func walk(
        _ walk: Walk, _ planned: consuming PlannedWalk?, _ window: PageWindow, budget: Double,
        into rows: inout Column<UInt32>
    ) -> Bool {
        switch walk {
        case .dictionary(let field):
            return self.walkGroups(field, window, budget: budget, into: &rows)
        case .tree(let name):
            if let planned = consume planned {
                if let partials = planned.partials {
                    return self.walk(partials, planned, window, budget: budget, into: &rows)
                }
                return self.walk(name, planned, window, budget: budget, into: &rows) != nil
            }
        case .attribute(let key):
            if let planned = consume planned {
                return self.walkAttribute(key, planned, window, budget: budget, into: &rows)
            }
        }
        preconditionFailure("the walk of an index is planned")
    }
}

// MARK: - Walks

/// A way through the devices in an order.
enum Walk: Equatable {
    case tree(TreeName)
    /// The groups of a dictionary's texts, in their order.
    case dictionary(DictionaryField)
    /// Devices without a value, and the values' own order.
    case attribute(Int)

    var plan: QueryExplanation.Plan {
        if case .dictionary = self { .groupedWalk } else { .orderedWalk }
    }

    /// The index that it goes along, if it is one.
    var tree: TreeName? {
        switch self {
        case .tree(let name): name
        case .attribute(let key): .lazy(.attribute(key))
        case .dictionary: nil
        }
    }

    /// The order that it needs and that is not built.
    func lazyOrder(in fleet: UnsafePointer<Fleet>) -> OrderName? {
        guard case .lazy(let name)? = self.tree else { return nil }
        return fleet.pointee.tree(name) == nil ? name : nil
    }
}

extension SortOrder {
    /// The walk that its first key has.
    var walk: Walk? {
        guard let key = self.firstKey else { return .tree(.id) }
        switch key.source {
        case .number(.lastSeen): return .tree(.lastSeen)
        case .number(.createdDate): return .tree(.lazy(.createdDate))
        case .number(.updatedDate): return .tree(.lazy(.updatedDate))
        case .number: return nil
        case .serial: return .tree(.lazy(.deviceSerial))
        case .dictionary(let field): return .dictionary(field)
        case .attribute(let key): return .attribute(key)
        }
    }

    /// Whether partial indexes lie in the order.
    var hasPartialWalk: Bool { self.isSingle && self.walk == .tree(.lastSeen) }

    /// Whether the first key, or the id where there is none, descends.
    var isWalkDescending: Bool { self.firstKey?.isDescending ?? self.isIDDescending }
}
