// Answering a list.

package import DeviceModel

/// What a page says beside its devices.
package struct ListPage: Hashable, Sendable {
    /// Where the next page begins; nil at the end of the list.
    let next: PageToken?
    /// How many devices match, if the query asked.
    package var totalCount: Int64?
    package var itemCount: Int
    /// Only where it was asked for.
    @Boxed package var explanation: QueryExplanation?

    /// The text of the cursor, made anew each time; empty at the end of the list.
    package var nextPageToken: String { self.next?.text ?? "" }
}

/// How a query is to be planned; for tests and measurements.
package struct Planning: Sendable {
    /// Used where the query can be answered so; the explanation tells which plan was used.
    package var forcedPlan: QueryExplanation.Plan?

    package init(forcedPlan: QueryExplanation.Plan? = nil) {
        self.forcedPlan = forcedPlan
    }
}

extension RegistryIndex {
    /// Calls `each` with the devices of one page, in order.
    ///
    /// `each` returns false to end the page before the device that it was given, which the next page then begins with; the first
    /// device of a page cannot be refused, for the list would never go on.
    ///
    /// A page of an order that an index has costs O(log n) and its rows, however deep it lies, as long as filters match often
    /// enough. Any other is selected from every candidate of the cheapest source.
    /// - Parameters:
    ///   - project: one that exists.
    ///   - now: what activity is counted from, if the query has no token of an earlier page.
    ///   - readsTexts: whether `each` reads the texts of devices, which are then fetched before they are waited for; what is
    ///     measured in process reads ids alone.
    /// - Throws: every bad field of the query at once.
    package func list(
        _ query: ListQuery, in project: ProjectID, now: Timestamp, planning: Planning = Planning(),
        readsTexts: Bool = true, each: (BorrowedDevice) -> Bool
    ) throws(InvalidFields) -> ListPage {
        let request = try ListRequest(query, in: project, of: self, now: now)
        return self.answer(query, request, request.order, planning: planning, readsTexts: readsTexts, each: each)
    }

    /// The page of a query that was checked, with its order on the fleet as it is at this moment.
    func answer(
        _ query: ListQuery, _ request: ListRequest, _ order: SortOrder, planning: Planning = Planning(),
        readsTexts: Bool = true, each: (BorrowedDevice) -> Bool
    ) -> ListPage {
        let bounds = SearchBounds(forced: planning.forcedPlan)
        guard let page = self.answer(query, request, order, bounds, readsTexts: readsTexts, each: each) else {
            preconditionFailure("a list without bounds is always answered")
        }
        return page
    }

    /// As ``list(_:in:now:planning:readsTexts:each:)``, if that is not expected to hold the index for longer than a moment.
    ///
    /// - Returns: nil where it is; `each` was not called then, and a ``LongQuery`` answers.
    package func shortList(
        _ query: ListQuery, in project: ProjectID, now: Timestamp, each: (BorrowedDevice) -> Bool
    ) throws(InvalidFields) -> ListPage? {
        let request = try ListRequest(query, in: project, of: self, now: now)
        let bounds = SearchBounds(costMax: Double(self.limits.queryHoldNanosecondsMax))
        return self.answer(query, request, request.order, bounds, readsTexts: true, each: each)
    }

    private func answer(
        _ query: ListQuery, _ request: ListRequest, _ order: SortOrder, _ bounds: SearchBounds,
        readsTexts: Bool, each: (BorrowedDevice) -> Bool
    ) -> ListPage? {
        guard let fleet = self.fleet(request.project) else {
            preconditionFailure("a list is asked of a project that does not exist")
        }
        let window = request.window
        if query.filter.asksNothing, !query.explains, bounds.forced == nil {
            // Every device matches: where an index has them in order, nothing is planned.
            var page: ListPage?
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: window.count) { rows in
                guard let first = rows.baseAddress, let count = order.readIndex(window, in: fleet, into: first) else {
                    return
                }
                let totalCount = query.includesTotal ? fleet.pointee.deviceCount : nil
                page = request.page(
                    UnsafeBufferPointer(start: first, count: count), order, totalCount: totalCount,
                    readsTexts: readsTexts, in: fleet, each: each)
            }
            if let page { return page }
        }
        var rows = Column<UInt32>(capacity: window.count)
        let watch = query.explains ? Stopwatch() : nil
        var search = ListSearch(request.condition(query, self, in: fleet), order, bounds, in: fleet)
        guard search.collect(window, into: &rows) else { return nil }
        var totalCount: Int?
        if query.includesTotal {
            totalCount = search.count()
            if totalCount == nil { return nil }
        }
        let elapsed = watch?.elapsedNanoseconds
        var page = request.page(
            rows.elements, order, totalCount: totalCount, readsTexts: readsTexts, in: fleet, each: each)
        if let elapsed {
            page.explanation = search.explanation(request.window, elapsedNanoseconds: elapsed)
        }
        return page
    }
}

extension ListSearch {
    /// How many devices match, over all pages; nil where counting would cost more than the bounds allow.
    mutating func count() -> Int? {
        if let count = self.plan.condition.exactCount(in: self.fleet) { return count }
        self.plan.choose()
        guard self.plan.sourceCost <= self.bounds.costMax else { return nil }
        self.plan.noteMisses(cost: self.plan.sourceCost, .counted)
        return self.plan.count(&self.tally)
    }
}
