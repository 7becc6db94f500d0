// Walking the groups of devices that share a value of the first key, in the order of the values.

internal import DeviceModel

extension ListSearch {
    /// A larger group is searched as a list of its own.
    private static var smallGroupCount: Int { 2_048 }

    /// Reads a window off the groups of a dictionary's texts.
    ///
    /// - Parameter budget: in nanoseconds.
    /// - Returns: false where the budget did not suffice.
    mutating func walkGroups(
        _ field: DictionaryField, _ window: PageWindow, budget: Double, into rows: inout Column<UInt32>
    ) -> Bool {
        let program = RowProgram(self.plan.parts.conjunction { _ in true })
        let isDescending = self.order.isWalkDescending
        let rowCost = StepCost.candidate + self.plan.parts.fetchingCost
        let end = rows.count + window.count
        var offset = window.offset
        var spent = 0.0
        // Never released comes before every release.
        var place = window.place
        var startText: [UInt8]?
        if case .text(let text)? = window.place?.firstValue { startText = text }
        if field == .release, !isDescending, startText?.isEmpty ?? true {
            guard self.searchUnreleased(place?.rest, &offset, end, &rows) else { return false }
            place = nil
        }
        let ranks = Self.ranks(field, from: startText, isDescending, self.fleet)
        for step in 0..<ranks.count where rows.count < end {
            let rank = isDescending ? ranks.upperBound - 1 - step : ranks.lowerBound + step
            let code = self.fleet.pointee.code(at: rank, in: field)
            let set = self.fleet.pointee.rowSet(code, in: field)
            spent += StepCost.group
            if set.count == 0, spent <= budget { continue }
            // Only the first group may hold the place itself; it may also be gone.
            let isAtPlace = startText.map { Self.isText(of: code, field, $0, self.fleet) } ?? false
            let part = PageWindow(place: isAtPlace ? place?.rest : nil, offset: offset, count: end - rows.count)
            if Int(set.count) <= Self.smallGroupCount {
                spent += Double(set.count) * rowCost
                offset -= self.search(set, part, program, &rows)
            } else {
                let codes = CodeList(codes: [code], rowCount: Int(set.count), largeCount: set.isChunked ? 1 : 0)
                let group = Condition.test(.codes(field, codes))
                let candidateCount = self.tally.candidateCount
                guard self.search(group, part, costMax: budget - spent, &offset, &rows) else { return false }
                spent += Double(self.tally.candidateCount - candidateCount) * rowCost
            }
            guard spent <= budget || rows.count >= end else { return false }
        }
        if field == .release, isDescending, rows.count < end {
            return self.searchUnreleased(startText?.isEmpty ?? false ? place?.rest : nil, &offset, end, &rows)
        }
        return true
    }

    private static func isText(
        of code: UInt32, _ field: DictionaryField, _ text: [UInt8], _ fleet: UnsafePointer<Fleet>
    ) -> Bool {
        text.withUnsafeBytes { fleet.pointee.text(code, in: field).holdsSameBytes(as: $0) }
    }

    /// The groups from a text on.
    private static func ranks(
        _ field: DictionaryField, from text: [UInt8]?, _ isDescending: Bool, _ fleet: UnsafePointer<Fleet>
    ) -> Range<Int> {
        let count = fleet.pointee.textCount(of: field)
        guard let text else { return 0..<count }
        let rank = text.withUnsafeBytes { fleet.pointee.rank(of: $0, in: field, isInclusive: isDescending) }
        return isDescending ? 0..<rank : rank..<count
    }

    /// Appends a small group's part of a window, and tells how many of the rows to leave out were among its matches.
    private mutating func search(
        _ set: RowSet, _ window: PageWindow, _ program: borrowing RowProgram, _ rows: inout Column<UInt32>
    ) -> Int {
        let fleet = self.fleet
        let count = Int(set.count)
        var selection = PageSelection(
            self.order.rest, after: window.place, limit: min(window.reach, count), expectedCount: count, in: fleet)
        set.forEach { row in
            if program.passes(row, fleet) { selection.visit(row) }
        }
        self.tally.candidateCount += Int(set.count)
        self.tally.matchCount += selection.visitedCount
        let skipped = min(window.offset, selection.visitedCount)
        selection.finish(skipping: window.offset, count: window.count, into: &rows)
        return skipped
    }

    private mutating func searchUnreleased(
        _ place: ListPlace?, _ offset: inout Int, _ end: Int, _ rows: inout Column<UInt32>
    ) -> Bool {
        let window = PageWindow(place: place, offset: offset, count: end - rows.count)
        return self.search(.not(.released), window, &offset, &rows)
    }

    /// Appends the part of a window that lies among the matches of which `group` is true, by a search of their own.
    ///
    /// - Parameters:
    ///   - costMax: what is left of a budget, in nanoseconds; nil for as much as the whole search may cost.
    ///   - offset: how many rows are still to be left out; those that were are taken off.
    /// - Returns: false where it would cost more than the bounds allow.
    mutating func search(
        _ group: Condition, _ window: PageWindow, costMax: Double? = nil, _ offset: inout Int,
        _ rows: inout Column<UInt32>
    ) -> Bool {
        let condition = Condition.every(self.plan.condition.conjuncts + [group])
        if condition.isNever { return true }
        let bounds = SearchBounds(costMax: min(self.bounds.costMax, max(costMax ?? .infinity, StepCost.plan)))
        var search = ListSearch(condition, self.order.rest, bounds, in: self.fleet)
        if window.offset > 0 {
            guard let count = search.count() else { return false }
            if count <= window.offset {
                self.add(search.tally)
                offset -= count
                return true
            }
        }
        let isFound = search.collect(window, into: &rows)
        self.add(search.tally)
        if isFound { offset = 0 }
        return isFound
    }

    private mutating func add(_ tally: QueryTally) {
        self.tally.candidateCount += tally.candidateCount
        self.tally.matchCount += tally.matchCount
    }

    // MARK: Attributes

    /// Reads a window off the order of an attribute: devices without a value count as smallest.
    mutating func walkAttribute(
        _ key: Int, _ planned: PlannedWalk, _ window: PageWindow, budget: Double, into rows: inout Column<UInt32>
    ) -> Bool {
        let end = rows.count + window.count
        var offset = window.offset
        let isDescending = self.order.isWalkDescending
        let isPlaceAbsent = window.place.map { $0.firstValue == SortValue.none }
        for isAbsent in isDescending ? [false, true] : [true, false] where rows.count < end {
            // A place lies in one of the two parts; if that is the second one, the first lies before it.
            if let isPlaceAbsent, isPlaceAbsent != isAbsent, isAbsent != isDescending { continue }
            let place = isPlaceAbsent == isAbsent ? window.place : nil
            let part = PageWindow(place: place, offset: offset, count: end - rows.count)
            if !isAbsent {
                let name = TreeName.lazy(.attribute(key))
                guard let skipped = self.walk(name, planned, part, budget: budget, into: &rows) else { return false }
                offset -= skipped
            } else if !self.plan.condition.asksPresence(of: key) {
                let part = PageWindow(place: place?.rest, offset: offset, count: end - rows.count)
                guard self.search(.not(.attribute(key: key, .present)), part, &offset, &rows) else { return false }
            }
        }
        return true
    }
}

extension Condition {
    /// Whether every match has a value of an attribute, as a part of the condition by itself says.
    fileprivate func asksPresence(of key: Int) -> Bool {
        self.conjuncts.contains { part in
            if case .test(.attribute(let asked, _), isNegated: false) = part { asked == key } else { false }
        }
    }
}
