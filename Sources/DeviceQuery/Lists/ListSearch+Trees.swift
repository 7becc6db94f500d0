// Walking an index that lies in the order asked for, or in that of its first key.

internal import DeviceModel

extension ListSearch {
    /// Reads a window off an index.
    ///
    /// - Parameter budget: in nanoseconds.
    /// - Returns: how many matches were passed over, or nil where the budget did not suffice.
    mutating func walk(
        _ name: TreeName, _ window: PageWindow, budget: Double, into rows: inout Column<UInt32>
    ) -> Int? {
        name.noteUse(in: self.fleet)
        var walk = self.plan.walk(of: name)
        walk.ranks = self.cut(walk.ranks, of: name, window.place)
        if case .always = walk.residual, self.order.isSingle {
            let skipped = min(window.offset, walk.ranks.count)
            let ranks = Self.cut(walk.ranks, skipping: skipped, window.count, self.order.isWalkDescending)
            self.append(name, ranks, &rows)
            return skipped
        }
        let entryCount = budget / (StepCost.walkedRow + walk.askingCost) + Double(window.count)
        let entryCountMax = Int(min(entryCount, Double(walk.ranks.count)))
        return self.order.isSingle
            ? self.walkInOrder(name, walk, window, entryCountMax, &rows)
            : self.walkRuns(name, walk, window, entryCountMax, &rows)
    }

    /// The part of some ranks of an index where matches after a place may lie.
    private func cut(_ ranks: Range<Int>, of name: TreeName, _ place: ListPlace?) -> Range<Int> {
        guard let place else { return ranks }
        let column = QueryPlan.column(name, self.fleet)
        let order = self.order
        let fleet = self.fleet
        let isDescending = order.isWalkDescending
        let rank = fleet.pointee.withTree(name) { tree in
            tree.rank(order.treeValue(of: place)) { number in
                let row = column.map { $0.pointee.rows.base[Int(number)] } ?? number
                // Where the index decides the whole order, what is at the place is left out; where it decides no more than
                // the first key, all that share it with the place stay in.
                return order.isBeforeWalk(row, place, isInclusive: isDescending != order.isSingle, in: fleet)
            }
        }
        let bound = max(ranks.lowerBound, min(ranks.upperBound, rank ?? 0))
        return isDescending ? ranks.lowerBound..<bound : bound..<ranks.upperBound
    }

    private static func cut(_ ranks: Range<Int>, skipping: Int, _ count: Int, _ isDescending: Bool) -> Range<Int> {
        if isDescending {
            let end = ranks.upperBound - skipping
            return max(ranks.lowerBound, end - count)..<end
        }
        let start = ranks.lowerBound + skipping
        return start..<min(ranks.upperBound, start + count)
    }

    private mutating func append(_ name: TreeName, _ ranks: Range<Int>, _ rows: inout Column<UInt32>) {
        let column = QueryPlan.column(name, self.fleet)
        let isDescending = self.order.isWalkDescending
        self.tally.candidateCount += ranks.count
        self.tally.matchCount += ranks.count
        _ = self.fleet.pointee.withTree(name) { tree in
            tree.forEachRun(in: ranks, isDescending: isDescending) { run in
                let start = rows.appendRoom(run.count)
                Self.copy(run, isDescending: isDescending, column, into: rows.base + start)
                return true
            }
        }
    }

    /// Writes the rows of entries that lie side by side, in the order of a walk.
    @inline(__always)
    private static func copy(
        _ run: UnsafeBufferPointer<UInt32>, isDescending: Bool, _ column: UnsafeMutablePointer<AttributeColumn>?,
        into rows: UnsafeMutablePointer<UInt32>
    ) {
        if isDescending {
            for index in 0..<run.count { rows[index] = run[run.count &- 1 &- index] }
        } else {
            for index in 0..<run.count { rows[index] = run[index] }
        }
        guard let column else { return }
        for index in 0..<run.count { rows[index] = column.pointee.rows.base[Int(rows[index])] }
    }

    /// Matches expected in the part of a walk after which it is given up if it has found less than a quarter of them.
    private static var trialMatchCount: Double { 16 }

    /// Takes some entries at a time, and asks them together: about as many as are expected to be enough.
    private mutating func walkInOrder(
        _ name: TreeName, _ walk: PlannedWalk, _ window: PageWindow, _ entryCount: Int,
        _ rows: inout Column<UInt32>
    ) -> Int? {
        let fleet = self.fleet
        let column = QueryPlan.column(name, fleet)
        let isDescending = self.order.isWalkDescending
        let end = rows.count + window.count
        let program = RowProgram(walk.residual)
        let expected = Double(window.reach) / walk.share
        let stepCount = Int(min(max(expected, 8), Double(TreeLeaf.capacity)))
        // Where matches are this rare, the budget will not suffice: that is better known soon.
        let trialCount = entryCount < walk.ranks.count ? Int(Self.trialMatchCount / walk.share) : .max
        var isHopeless = false
        var skipped = 0
        var walked = 0
        _ = fleet.pointee.withTree(name) { tree in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: TreeLeaf.capacity) { buffer in
                guard let taken = buffer.baseAddress else { return }
                tree.forEachRun(in: walk.ranks, isDescending: isDescending) { run in
                    var place = 0
                    while place < run.count, walked < entryCount, rows.count < end {
                        let count = min(stepCount, run.count - place)
                        let start = isDescending ? run.count - place - count : place
                        let part = UnsafeBufferPointer(rebasing: run[start..<(start + count)])
                        Self.copy(part, isDescending: isDescending, column, into: taken)
                        place += count
                        walked += count
                        let passing = program.filter(taken, count: count, fleet)
                        let passed = min(window.offset - skipped, passing)
                        skipped += passed
                        let added = max(0, min(passing - passed, end - rows.count))
                        let target = rows.appendRoom(added)
                        (rows.base + target).update(from: taken + passed, count: added)
                        let matchCount = skipped + rows.count + window.count - end
                        isHopeless = walked >= trialCount && matchCount < Int(Self.trialMatchCount) / 4
                        if isHopeless { return false }
                    }
                    return walked < entryCount && rows.count < end
                }
            }
        }
        self.tally.candidateCount += walked
        self.tally.matchCount += skipped + rows.count + window.count - end
        return rows.count == end || walked == walk.ranks.count ? skipped : nil
    }

    /// Walks over runs of devices that share the first key, and sorts each by the rest of the order.
    private mutating func walkRuns(
        _ name: TreeName, _ walk: PlannedWalk, _ window: PageWindow, _ entryCount: Int,
        _ rows: inout Column<UInt32>
    ) -> Int? {
        let fleet = self.fleet
        let order = self.order
        let column = QueryPlan.column(name, fleet)
        let program = RowProgram(walk.residual)
        let limit = min(window.reach, max(fleet.pointee.deviceCount, 1))
        var selection = PageSelection(
            order, after: window.place, limit: limit, expectedCount: window.reach, in: fleet)
        var walked = 0
        var previous = DeviceRow.noRow
        var isDone = false
        _ = fleet.pointee.withTree(name) { tree in
            tree.forEach(in: walk.ranks, isDescending: order.isWalkDescending) { number in
                let row = column.map { $0.pointee.rows.base[Int(number)] } ?? number
                if selection.isFull, previous != DeviceRow.noRow, !order.sharesFirstKey(previous, row, in: fleet) {
                    isDone = true
                    return false
                }
                walked += 1
                previous = row
                if program.passes(row, fleet) { selection.visit(row) }
                return walked < entryCount
            }
        }
        guard isDone || walked == walk.ranks.count else { return nil }
        let visitedCount = selection.visitedCount
        self.tally.candidateCount += walked
        self.tally.matchCount += visitedCount
        selection.finish(skipping: window.offset, into: &rows)
        return min(visitedCount, window.offset)
    }
}

extension SortOrder {
    /// The value under which an index by the first key, or by id, has a device at `place`.
    fileprivate func treeValue(of place: ListPlace) -> Int64 {
        switch place.firstValue {
        case nil, .some(.none): place.id
        case .number(let number): number
        case .text(let bytes): bytes.withUnsafeBytes { $0.sortValue }
        }
    }

    /// Whether a row comes before a place in an ascending index, by the first key and, where it decides the order, by id.
    ///
    /// - Parameter isInclusive: the answer for one that is neither before nor after.
    fileprivate func isBeforeWalk(
        _ row: UInt32, _ place: ListPlace, isInclusive: Bool, in fleet: UnsafePointer<Fleet>
    ) -> Bool {
        var order = 0
        if let key = self.firstKey, let value = place.firstValue {
            order = key.source.order(row, value, in: fleet)
        }
        if order == 0, self.isSingle {
            let id = fleet.pointee.rows.base[Int(row)].id
            order = id < place.id ? -1 : id == place.id ? 0 : 1
        }
        return order == 0 ? isInclusive : order < 0
    }

    fileprivate func sharesFirstKey(_ left: UInt32, _ right: UInt32, in fleet: UnsafePointer<Fleet>) -> Bool {
        self.firstKey.map { $0.source.order(left, right, in: fleet) == 0 } ?? false
    }
}
