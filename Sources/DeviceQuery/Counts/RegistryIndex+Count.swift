// Answering a count.

package import DeviceModel

/// What a count says beside its groups.
package struct CountSummary: Hashable, Sendable {
    package var count: Int64
    /// Devices in groups that were not shown.
    package var otherCount: Int64 = 0
    /// Only where it was asked for.
    @Boxed package var explanation: QueryExplanation?

    init(count: Int64) {
        self.count = count
    }
}

extension RegistryIndex {
    /// How many devices match; calls `each` with the groups that they divide into, the largest first.
    ///
    /// A group is valid only during the call of `each`, which returns false to end the groups before the one that it was given: its
    /// devices are then among the others.
    ///
    /// A count without groups costs O(log n) where one index knows it; any other count looks at the candidates of the cheapest
    /// source, and keeps what it counts for every group that it meets.
    /// - Parameter project: one that exists.
    /// - Throws: every bad field of the query at once.
    package func count(
        _ query: CountQuery, in project: ProjectID, now: Timestamp, planning: Planning = Planning(),
        each: (BorrowedGroup) -> Bool
    ) throws(InvalidFields) -> CountSummary {
        self.answer(query, try CountRequest(query, in: project, of: self, now: now), planning: planning, each: each)
    }

    /// The count of a query that was checked.
    func answer(
        _ query: CountQuery, _ request: CountRequest, planning: Planning = Planning(), each: (BorrowedGroup) -> Bool
    ) -> CountSummary {
        switch self.answer(query, request, SearchBounds(forced: planning.forcedPlan), each: each) {
        case let summary?: return summary
        case nil: preconditionFailure("a count without bounds is always answered")
        }
    }

    /// As ``count(_:in:now:planning:each:)``, if that is not expected to hold the index for longer than a moment.
    ///
    /// - Returns: nil where it is; `each` was not called then, and a ``LongQuery`` answers.
    package func shortCount(
        _ query: CountQuery, in project: ProjectID, now: Timestamp, each: (BorrowedGroup) -> Bool
    ) throws(InvalidFields) -> CountSummary? {
        let request = try CountRequest(query, in: project, of: self, now: now)
        let bounds = SearchBounds(costMax: Double(self.limits.queryHoldNanosecondsMax))
        return self.answer(query, request, bounds, each: each)
    }

    /// The ids of what a count counts.
    func select(_ query: CountQuery, _ request: CountRequest, partCountMax: Int) -> DeviceSelection {
        guard let fleet = self.fleet(request.project) else {
            preconditionFailure("a selection is made in a project that does not exist")
        }
        var collector = DeviceCollector(partCountMax: partCountMax, in: fleet)
        var tally = QueryTally()
        QueryPlan(request.condition(query, self, in: fleet), in: fleet).forEachMatch(&collector, &tally)
        return collector.selection
    }

    private func answer(
        _ query: CountQuery, _ request: CountRequest, _ bounds: SearchBounds, each: (BorrowedGroup) -> Bool
    ) -> CountSummary? {
        let watch = query.explains ? Stopwatch() : nil
        guard let fleet = self.fleet(request.project) else {
            preconditionFailure("a count is asked of a project that does not exist")
        }
        let condition = request.condition(query, self, in: fleet)
        let isPlain = watch == nil && bounds.forced == nil
        if isPlain, query.groupBy.isEmpty, let count = condition.exactCount(in: fleet) {
            return CountSummary(count: Int64(count))
        }
        let sources = request.sources(query, self.limits, in: fleet)
        let groupLimit = query.groupLimit(self.limits)
        if isPlain,
            let summary = CountSearch.indexCount(condition, sources, groupLimit, bounds, in: fleet, each: each)
        {
            return summary
        }
        var search = CountSearch(condition, sources, bounds, in: fleet)
        guard var summary = search.count(groupLimit: groupLimit, each: each) else { return nil }
        search.noteMisses()
        if let watch {
            summary.explanation = search.explanation(elapsedNanoseconds: watch.elapsedNanoseconds)
        }
        return summary
    }
}
