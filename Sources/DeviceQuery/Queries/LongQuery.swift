// A query that takes longer than the index may be held: in slices, with one revision's answer.

package import DeviceModel

/// A list, a count or a selection that looks at a great part of a fleet, a slice at a time, while changes go on between
/// the slices.
///
/// It goes through the rows in the order of their numbers. Before a row changes for the first time, the writer tells it: what the
/// row contributed is taken back, or the row is passed over, and it is noted. When the walk is through, the rows noted are looked at
/// once more within the last slice, so that the answer is that of the revision at the end.
///
/// It holds what the answer takes, the rows that changed meanwhile, and no more; nothing grows with the fleet.
///
/// ## Concurrency
/// ``advance(_:wordCount:each:eachGroup:)`` is called by one thread at a time, which holds the index for reading; the index calls
/// what concerns changes while it is held for writing. The one lock thus keeps the two apart, which is what makes
/// `@unchecked Sendable` true.
package final class LongQuery: @unchecked Sendable {
    package enum Progress {
        /// Not there yet: let others at the index, then go on.
        case unfinished
        case list(ListPage)
        case count(CountSummary)
        case selected(DeviceSelection)
        /// There is no such project any more.
        case projectGone
    }

    private enum Request {
        case list(ListQuery, ListRequest)
        case count(CountQuery, CountRequest)
        /// The count's matches themselves.
        case selection(CountQuery, CountRequest, partCountMax: Int)
    }

    private let request: Request
    package let project: ProjectID
    private var walk: LongWalk?
    private var retryCount = 0
    private var sliceCount = 0
    private let watch = Stopwatch()

    /// How long a slice may take, in nanoseconds.
    package static let sliceNanoseconds: Int64 = 400_000
    /// After so many attempts that changes made void, the query is answered in one hold.
    private static let retryCountMax = 4

    /// - Throws: every bad field of the query at once.
    package init(
        _ query: ListQuery, in project: ProjectID, of index: borrowing RegistryIndex, now: Timestamp
    ) throws(InvalidFields) {
        self.request = .list(query, try ListRequest(query, in: project, of: index, now: now))
        self.project = project
    }

    /// - Throws: every bad field of the query at once.
    package init(
        _ query: CountQuery, in project: ProjectID, of index: borrowing RegistryIndex, now: Timestamp
    ) throws(InvalidFields) {
        self.request = .count(query, try CountRequest(query, in: project, of: index, now: now))
        self.project = project
    }

    /// A query for the ids of what matches, in parts of up to `partCountMax`.
    ///
    /// - Throws: every bad field of the filter at once.
    package init(
        selecting filter: DeviceFilter, inPartsOf partCountMax: Int, in project: ProjectID,
        of index: borrowing RegistryIndex, now: Timestamp
    ) throws(InvalidFields) {
        var query = CountQuery()
        query.filter = filter
        self.request = .selection(
            query, try CountRequest(query, in: project, of: index, now: now), partCountMax: partCountMax)
        self.project = project
    }

    /// Goes on for about a slice, beginning where it was.
    ///
    /// - Parameters:
    ///   - wordCount: rows to go on for, in words of 64; nil for as many as a slice's time allows.
    ///   - each: shown the devices of a list with the last slice; see ``RegistryIndex/list(_:in:now:planning:readsTexts:each:)``.
    ///   - eachGroup: shown the groups of a count with the last slice; see ``RegistryIndex/count(_:in:now:planning:each:)``.
    package func advance(
        _ index: borrowing RegistryIndex, wordCount: Int? = nil, each: (BorrowedDevice) -> Bool,
        eachGroup: (BorrowedGroup) -> Bool
    ) -> Progress {
        guard let fleet = index.fleet(self.project) else {
            self.cancel(index)
            return .projectGone
        }
        self.sliceCount += 1
        if self.walk?.isOutdated(index) ?? true {
            if self.walk != nil { self.beginAnew(index) }
            guard self.retryCount < Self.retryCountMax else {
                return self.answerInOneHold(index, fleet, each: each, eachGroup: eachGroup)
            }
            let walk = self.makeWalk(index, fleet)
            self.walk = walk
            index.walks.insert(walk)
        }
        guard let walk = self.walk, walk.advance(wordCount) else { return .unfinished }
        guard let progress = self.finish(walk, index, each: each, eachGroup: eachGroup) else {
            // Too many of the first rows have changed: the ones that they kept out are not known.
            self.beginAnew(index)
            return .unfinished
        }
        self.cancel(index)
        return progress
    }

    /// Ends the query before its answer; the index keeps nothing of it.
    package func cancel(_ index: borrowing RegistryIndex) {
        if let walk = self.walk { index.walks.remove(walk) }
        self.walk = nil
    }

    private func beginAnew(_ index: borrowing RegistryIndex) {
        self.cancel(index)
        self.retryCount += 1
    }

    private func makeWalk(_ index: borrowing RegistryIndex, _ fleet: UnsafePointer<Fleet>) -> LongWalk {
        switch self.request {
        case .list(let query, let request):
            let condition = request.condition(query, index, in: fleet)
            let order = SortOrder(query.sort, in: fleet)
            let window = request.window
            // More than asked for, in case that some of the first rows change.
            let slack = max(64, request.pageSize) << (2 * self.retryCount)
            let reach = window.offset < fleet.pointee.deviceCount ? min(window.reach, fleet.pointee.deviceCount) : 1
            let limit = reach + slack
            let selection = PageSelection(
                order, after: window.place, limit: limit, expectedCount: fleet.pointee.deviceCount, in: fleet)
            return LongWalk(
                condition, asksCohortNames: request.expression?.asksCohortNames ?? false,
                LongVisitor(selection: selection), index, self.project, fleet)
        case .count(let query, let request):
            let condition = request.condition(query, index, in: fleet)
            let sources = request.sources(query, index.limits, in: fleet)
            let counter = GroupCounter(sources, usesSets: false, in: fleet)
            return LongWalk(
                condition, asksCohortNames: request.expression?.asksCohortNames ?? false,
                LongVisitor(counter: counter), index, self.project, fleet)
        case .selection(let query, let request, let partCountMax):
            return LongWalk(
                request.condition(query, index, in: fleet),
                asksCohortNames: request.expression?.asksCohortNames ?? false,
                LongVisitor(collector: DeviceCollector(partCountMax: partCountMax, in: fleet)), index, self.project,
                fleet)
        }
    }

    /// The answer of a walk that is through; nil where changes made it void.
    private func finish(
        _ walk: LongWalk, _ index: borrowing RegistryIndex, each: (BorrowedDevice) -> Bool,
        eachGroup: (BorrowedGroup) -> Bool
    ) -> Progress? {
        let fleet = walk.fleet
        switch self.request {
        case .list(let query, let request):
            let condition = request.condition(query, index, in: fleet)
            let order = SortOrder(query.sort, in: fleet)
            walk.visitChanged(condition)
            let window = request.window
            guard walk.isCertain(ofFirst: window.reach) else { return nil }
            var rows = Column<UInt32>(capacity: window.count)
            let totalCount = query.includesTotal ? walk.tally.matchCount : nil
            walk.takeSelection().finish(skipping: window.offset, count: window.count, into: &rows)
            var page = request.page(
                rows.elements, order, totalCount: totalCount, readsTexts: true, in: fleet, each: each)
            let plan = QueryPlan(condition, in: fleet)
            let wanted = self.want(plan.wanted ?? order.walk?.lazyOrder(in: fleet), fleet)
            plan.noteMisses(cost: plan.sourceCost, order.hasPartialWalk ? .first(window.reach) : .all)
            if query.explains {
                page.explanation = self.explanation(walk, plan, wanted, "keep the first \(window.reach)")
            }
            return .list(page)
        case .count(let query, let request):
            let condition = request.condition(query, index, in: fleet)
            walk.visitChanged(condition)
            var summary = walk.takeCounter().finish(limit: query.groupLimit(index.limits), each: eachGroup)
            let plan = QueryPlan(condition, in: fleet)
            let wanted = self.want(plan.wanted, fleet)
            plan.noteMisses(cost: plan.sourceCost, query.groupBy.isEmpty ? .counted : .all)
            if query.explains {
                summary.explanation = self.explanation(walk, plan, wanted, "count them")
            }
            return .count(summary)
        case .selection(let query, let request, _):
            walk.visitChanged(request.condition(query, index, in: fleet))
            return .selected(walk.takeCollector().selection)
        }
    }

    private func answerInOneHold(
        _ index: borrowing RegistryIndex, _ fleet: UnsafePointer<Fleet>, each: (BorrowedDevice) -> Bool,
        eachGroup: (BorrowedGroup) -> Bool
    ) -> Progress {
        switch self.request {
        case .list(let query, let request):
            .list(index.answer(query, request, SortOrder(query.sort, in: fleet), each: each))
        case .count(let query, let request): .count(index.answer(query, request, each: eachGroup))
        case .selection(let query, let request, let partCountMax):
            .selected(index.select(query, request, partCountMax: partCountMax))
        }
    }

    /// Asks for an index that would have made this cheap, and that is not built.
    private func want(_ name: OrderName?, _ fleet: UnsafePointer<Fleet>) -> OrderName? {
        if let name { fleet.pointee.wish.make(name) }
        return name
    }

    private func explanation(
        _ walk: LongWalk, _ plan: borrowing QueryPlan, _ wanted: OrderName?, _ last: String
    ) -> QueryExplanation {
        var steps = ["go through the devices in slices, bitmaps first"] + plan.conditionSteps("hold to: ")
        steps += ["look again at \(walk.changedCount) devices that changed meanwhile", last]
        if let wanted {
            steps.append("an index by \(wanted.text(in: walk.fleet)) would help; it is built now")
        }
        return QueryExplanation(
            plan: .scan, steps: steps,
            estimatedCandidateCount: Int64(plan.candidateEstimate), estimatedMatchCount: Int64(plan.matchEstimate),
            candidateCount: Int64(walk.tally.candidateCount), matchCount: Int64(walk.tally.matchCount),
            estimatedNanoseconds: Int64(plan.sourceCost), elapsedNanoseconds: self.watch.elapsedNanoseconds,
            sliceCount: Int64(self.sliceCount))
    }
}
