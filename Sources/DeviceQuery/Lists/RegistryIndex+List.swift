// Answering a list.

package import DeviceModel

/// What a page says beside its devices.
package struct ListPage: Hashable, Sendable {
    /// Empty at the end of the list.
    package var nextPageToken: String
    /// How many devices match, if the query asked.
    package var totalCount: Int64?
    package var itemCount: Int
    /// Only where it was asked for.
    package var explanation: QueryExplanation?
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
    /// - Throws: every bad field of the query at once.
    package func list(
        _ query: ListQuery, in project: ProjectID, now: Timestamp, planning: Planning = Planning(),
        each: (BorrowedDevice) -> Bool
    ) throws(InvalidFields) -> ListPage {
        self.answer(try ListRequest(query, in: project, of: self, now: now), planning: planning, each: each)
    }

    /// The page of a query that was checked.
    func answer(
        _ request: ListRequest, planning: Planning = Planning(), each: (BorrowedDevice) -> Bool
    ) -> ListPage {
        guard let page = self.answer(request, SearchBounds(forced: planning.forcedPlan), each: each) else {
            preconditionFailure("a list without bounds is always answered")
        }
        return page
    }

    /// As ``list(_:in:now:planning:each:)``, if that is not expected to hold the index for longer than a moment.
    ///
    /// - Returns: nil where it is; `each` was not called then, and a ``LongQuery`` answers.
    package func shortList(
        _ query: ListQuery, in project: ProjectID, now: Timestamp, each: (BorrowedDevice) -> Bool
    ) throws(InvalidFields) -> ListPage? {
        let request = try ListRequest(query, in: project, of: self, now: now)
        return self.answer(request, SearchBounds(costMax: Double(self.limits.queryHoldNanosecondsMax)), each: each)
    }

    private func answer(
        _ request: ListRequest, _ bounds: SearchBounds, each: (BorrowedDevice) -> Bool
    ) -> ListPage? {
        let watch = request.query.explains ? Stopwatch() : nil
        guard var search = request.search(self, bounds) else {
            preconditionFailure("a list is asked of a project that does not exist")
        }
        var rows = Column<UInt32>(capacity: request.pageSize + 1)
        guard search.collect(request.window, into: &rows) else { return nil }
        var totalCount: Int64?
        if request.query.includesTotal {
            guard let count = search.count() else { return nil }
            totalCount = Int64(count)
        }
        let elapsed = watch?.elapsedNanoseconds
        var page = request.page(rows, in: search.fleet, each: each)
        page.totalCount = totalCount
        if let elapsed {
            page.explanation = search.explanation(request.window, elapsedNanoseconds: elapsed)
        }
        return page
    }
}

extension ListSearch {
    /// How many devices match, over all pages; nil where counting would cost more than the bounds allow.
    fileprivate mutating func count() -> Int? {
        if let count = self.plan.condition.exactCount(in: self.fleet) { return count }
        guard self.plan.sourceCost <= self.bounds.costMax else { return nil }
        return self.plan.count(&self.tally)
    }
}
