// Answering a count.

package import DeviceModel

extension RegistryIndex {
    /// How many devices match, and how they divide.
    ///
    /// A count without groups costs O(log n) where one index knows it; any other count looks at the candidates of the cheapest
    /// source, and keeps what it counts for every group that it meets.
    /// - Parameter project: one that exists.
    /// - Throws: every bad field of the query at once.
    package func count(
        _ query: CountQuery, in project: ProjectID, now: Timestamp, planning: Planning = Planning()
    ) throws(InvalidFields) -> DeviceCount {
        self.answer(query, try CountRequest(query, in: project, of: self, now: now), planning: planning)
    }

    /// The count of a query that was checked.
    func answer(_ query: CountQuery, _ request: CountRequest, planning: Planning = Planning()) -> DeviceCount {
        switch self.answer(query, request, SearchBounds(forced: planning.forcedPlan)) {
        case let count?: return count
        case nil: preconditionFailure("a count without bounds is always answered")
        }
    }

    /// As ``count(_:in:now:planning:)``, if that is not expected to hold the index for longer than a moment.
    ///
    /// - Returns: nil where it is; a ``LongQuery`` answers then.
    package func shortCount(
        _ query: CountQuery, in project: ProjectID, now: Timestamp
    ) throws(InvalidFields) -> DeviceCount? {
        let request = try CountRequest(query, in: project, of: self, now: now)
        return self.answer(query, request, SearchBounds(costMax: Double(self.limits.queryHoldNanosecondsMax)))
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

    private func answer(_ query: CountQuery, _ request: CountRequest, _ bounds: SearchBounds) -> DeviceCount? {
        let watch = query.explains ? Stopwatch() : nil
        guard let fleet = self.fleet(request.project) else {
            preconditionFailure("a count is asked of a project that does not exist")
        }
        let condition = request.condition(query, self, in: fleet)
        let isPlain = watch == nil && bounds.forced == nil
        if isPlain, query.groupBy.isEmpty, let count = condition.exactCount(in: fleet) {
            return DeviceCount(count: Int64(count), groups: [], otherCount: 0)
        }
        let sources = request.sources(query, self.limits, in: fleet)
        let groupLimit = query.groupLimit(self.limits)
        if isPlain, let count = CountSearch.indexCount(condition, sources, groupLimit, bounds, in: fleet) {
            return count
        }
        var search = CountSearch(condition, sources, bounds, in: fleet)
        guard var answer = search.count(groupLimit: groupLimit) else { return nil }
        if let watch {
            answer.explanation = search.explanation(elapsedNanoseconds: watch.elapsedNanoseconds)
        }
        return answer
    }
}
