// Walking an index that lies in the order asked for, or in that of its first key.

internal import DeviceModel

extension ListSearch {
    /// Reads a window off an index.
    ///
    /// - Parameter budget: in nanoseconds.
    /// - Returns: how many matches were passed over, or nil where the budget did not suffice.
    mutating func walk(
        _ name: TreeName, _ planned: consuming PlannedWalk, _ window: PageWindow, budget: Double,
        into rows: inout Column<UInt32>
    ) -> Int? {
        name.noteUse(in: self.fleet)
        var walk = planned
        walk.ranks = self.order.cut(walk.ranks, of: name, window.place, in: self.fleet)
        if case .always = walk.residual, self.order.isSingle {
            let room = rows.appendRoom(min(window.count, walk.ranks.count))
            let read = self.order.read(walk.ranks, of: name, window, in: self.fleet, into: rows.base + room)
            rows.removeLast(rows.count - room - read.count)
            self.tally.candidateCount += read.count
            self.tally.matchCount += read.count
            return read.skipped
        }
        return self.order.isSingle
            ? self.walkInOrder(name, walk, window, budget: budget, &rows)
            : self.walkRuns(name, walk, window, walk.entryCount(budget, window, of: walk.ranks.count), &rows)
    }

    /// Reads a window off partial indexes, all at once.
    ///
    /// - Parameter budget: in nanoseconds.
    /// - Returns: whether it did; false where the budget did not suffice.
    mutating func walk(
        _ partials: PartialIndexes, _ walk: PlannedWalk, _ window: PageWindow, budget: Double,
        into rows: inout Column<UInt32>
    ) -> Bool {
        let (fleet, order) = (self.fleet, self.order)
        return withUnsafeTemporaryAllocation(of: RankedCursor.self, capacity: partials.codes.count) { cursors in
            guard let first = cursors.baseAddress else { return false }
            var merge = RankedMerge(first, fleet.pointee.idTies, isDescending: order.isWalkDescending)
            partials.forEachTree(in: fleet) { name, tree in
                merge.add(tree, order.cut(tree.ranks(partials.bounds), of: name, window.place, in: fleet))
            }
            merge.begin()
            var page = WalkedPage(walk, window, budget, of: merge.count, rowCount: rows.count, in: fleet)
            let column = page.firstColumn
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: TreeLeaf.capacity) { buffer in
                guard let taken = buffer.baseAddress else { return }
                while page.isUnfinished(rows) {
                    let count = merge.read(into: taken, count: page.stepCount, fetching: column)
                    page.ask(taken, count, &rows)
                }
            }
            page.add(to: &self.tally, rows)
            return page.isThrough(rows)
        }
    }

    /// Takes some entries at a time, and asks them together: about as many as are expected to be enough.
    private mutating func walkInOrder(
        _ name: TreeName, _ walk: PlannedWalk, _ window: PageWindow, budget: Double, _ rows: inout Column<UInt32>
    ) -> Int? {
        let fleet = self.fleet
        let column = QueryPlan.column(name, fleet)
        let isDescending = self.order.isWalkDescending
        var page = WalkedPage(walk, window, budget, of: walk.ranks.count, rowCount: rows.count, in: fleet)
        _ = fleet.pointee.withTree(name) { tree in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: TreeLeaf.capacity) { buffer in
                guard let taken = buffer.baseAddress else { return }
                tree.forEachRun(in: walk.ranks, isDescending: isDescending) { run in
                    var place = 0
                    while place < run.count, page.isUnfinished(rows) {
                        let count = min(page.stepCount, run.count - place)
                        let start = isDescending ? run.count - place - count : place
                        let part = UnsafeBufferPointer(rebasing: run[start..<(start + count)])
                        part.copy(isDescending: isDescending, column, into: taken)
                        place += count
                        page.ask(taken, count, &rows)
                    }
                    return page.isUnfinished(rows)
                }
            }
        }
        page.add(to: &self.tally, rows)
        return page.isThrough(rows) ? page.skipped : nil
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
        self.tally.candidateCount += walked
        guard isDone || walked == walk.ranks.count else { return nil }
        let visitedCount = selection.visitedCount
        self.tally.matchCount += visitedCount
        selection.finish(skipping: window.offset, into: &rows)
        return min(visitedCount, window.offset)
    }
}

// MARK: - Ranks

extension SortOrder {
    /// Reads a window off an index that lies in this order, where every device matches.
    ///
    /// - Parameter rows: has room for the window's rows, which are written to its front.
    /// - Returns: how many there are; nil where there is no such index.
    /// - Complexity: O(log n) and the rows of the window.
    func readIndex(
        _ window: PageWindow, in fleet: UnsafePointer<Fleet>, into rows: UnsafeMutablePointer<UInt32>
    ) -> Int? {
        guard self.isSingle, case .tree(let name)? = self.walk,
            let count = fleet.pointee.withTree(name, { $0.count })
        else { return nil }
        name.noteUse(in: fleet)
        if let place = window.place, window.offset == 0 {
            return self.read(window.count, after: place, of: name, in: fleet, into: rows)
        }
        let ranks = self.cut(0..<count, of: name, window.place, in: fleet)
        return self.read(ranks, of: name, window, in: fleet, into: rows).count
    }

    /// Writes up to `count` rows that come after a place in an index that lies in this order, and tells how many there are.
    private func read(
        _ count: Int, after place: ListPlace, of name: TreeName, in fleet: UnsafePointer<Fleet>,
        into rows: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let column = QueryPlan.column(name, fleet)
        let isDescending = self.isWalkDescending
        var readCount = 0
        _ = fleet.pointee.withTree(name) { tree in
            tree.forEachRun(from: self.treeValue(of: place), count: count, isDescending: isDescending) { number in
                let row = column.map { $0.pointee.rows.base[Int(number)] } ?? number
                // What is at the place itself is left out, on whichever side the walk goes.
                return self.isBeforeWalk(row, place, isInclusive: !isDescending, in: fleet)
            } _: { run in
                run.copy(isDescending: isDescending, column, into: rows + readCount)
                readCount += run.count
                return true
            }
        }
        return readCount
    }

    /// The part of some ranks of an index where matches after a place may lie.
    fileprivate func cut(
        _ ranks: Range<Int>, of name: TreeName, _ place: ListPlace?, in fleet: UnsafePointer<Fleet>
    ) -> Range<Int> {
        guard let place else { return ranks }
        let column = QueryPlan.column(name, fleet)
        let isDescending = self.isWalkDescending
        let rank = fleet.pointee.withTree(name) { tree in
            tree.rank(self.treeValue(of: place)) { number in
                let row = column.map { $0.pointee.rows.base[Int(number)] } ?? number
                // Where the index decides the whole order, what is at the place is left out; where it decides no more than
                // the first key, all that share it with the place stay in.
                return self.isBeforeWalk(row, place, isInclusive: isDescending != self.isSingle, in: fleet)
            }
        }
        let bound = max(ranks.lowerBound, min(ranks.upperBound, rank ?? 0))
        return isDescending ? ranks.lowerBound..<bound : bound..<ranks.upperBound
    }

    /// Writes the rows of a window among some ranks of an index, and tells how many ranks it passed over and how many rows there
    /// are.
    fileprivate func read(
        _ ranks: Range<Int>, of name: TreeName, _ window: PageWindow, in fleet: UnsafePointer<Fleet>,
        into rows: UnsafeMutablePointer<UInt32>
    ) -> (skipped: Int, count: Int) {
        let isDescending = self.isWalkDescending
        let skipped = min(window.offset, ranks.count)
        let taken = min(window.count, ranks.count - skipped)
        let start = isDescending ? ranks.upperBound - skipped - taken : ranks.lowerBound + skipped
        let column = QueryPlan.column(name, fleet)
        var readCount = 0
        _ = fleet.pointee.withTree(name) { tree in
            tree.forEachRun(in: start..<(start + taken), isDescending: isDescending) { run in
                run.copy(isDescending: isDescending, column, into: rows + readCount)
                readCount += run.count
                return true
            }
        }
        return (skipped, readCount)
    }

    /// The value under which an index by the first key, or by id, has a device at `place`.
    fileprivate func treeValue(of place: ListPlace) -> Int64 {
        switch place.firstValue {
        case nil, .some(.none): place.id
        case .number(let number): number
        case .text(let bytes): bytes.withUnsafeBytes { $0.sortValue }
        }
    }

    /// Whether a row that has the value of a place in an ascending index comes before that place, by the first key and, where it
    /// decides the order, by id.
    ///
    /// - Parameter isInclusive: the answer for one that is neither before nor after.
    fileprivate func isBeforeWalk(
        _ row: UInt32, _ place: ListPlace, isInclusive: Bool, in fleet: UnsafePointer<Fleet>
    ) -> Bool {
        var order = 0
        // Of a number an index has all there is, of a text no more than its beginning.
        if let key = self.firstKey, let value = place.firstValue, !value.isNumber {
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

extension UnsafeBufferPointer<UInt32> {
    /// Writes the rows of entries that lie side by side in an index, in the order of a walk.
    @inline(__always)
    fileprivate func copy(
        isDescending: Bool, _ column: UnsafeMutablePointer<AttributeColumn>?, into rows: UnsafeMutablePointer<UInt32>
    ) {
        if isDescending {
            for index in 0..<self.count { rows[index] = self[self.count &- 1 &- index] }
        } else {
            for index in 0..<self.count { rows[index] = self[index] }
        }
        guard let column else { return }
        for index in 0..<self.count { rows[index] = column.pointee.rows.base[Int(rows[index])] }
    }
}
