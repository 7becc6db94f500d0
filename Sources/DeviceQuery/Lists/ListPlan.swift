// How the devices of a list are found: which index is read, and what each row is then asked.

internal import DeviceModel

/// Where the rows come from that are held against the filter.
enum CandidateSource: Equatable {
    /// The rows of the serials that were named.
    case serials
    /// The rows of one field's values, by the field's place in the filter.
    case field(Int)
    /// The union of each field's rows, intersected chunk by chunk as bitmaps.
    case bitmaps
    /// The rows of these ranks of the order of `last_seen`.
    case seen(Range<Int>)
    case everything
}

/// What a step costs on a fleet that does not fit a processor's caches, in nanoseconds: ratios matter, absolutes drift.
enum StepCost {
    /// Taking a row in no order of memory and asking the device.
    static let candidate = 20
    /// Taking a row in the order of memory.
    static let scannedRow = 4
    /// Taking a row that an index has in order, fields asked of row sets.
    static let walkedRow = 10
    /// Clearing, intersecting and reading the bitmap of a chunk.
    static let chunk = 600
    static let chunkOfLargeSet = 300
    static let chunkOfList = 40
    static let bitmapRow = 3
}

/// A filter on its way through a fleet.
///
/// Fleets are passed by pointer throughout: a borrowed argument of that size would be copied, a kilobyte at each call.
struct ListPlan: ~Copyable {
    let fleet: UnsafePointer<Fleet>
    let filter: RowFilter
    private let seenRanks: Range<Int>
    private let source: CandidateSource
    /// In nanoseconds.
    private let sourceCost: Int

    /// Chooses the cheapest source of candidates; the counts that it weighs are exact, the costs are not.
    init(_ filter: consuming RowFilter, in fleet: UnsafePointer<Fleet>) {
        self.fleet = fleet
        self.seenRanks =
            filter.seen.isEverything
            ? 0..<fleet.pointee.deviceCount : filter.seen.ranks(in: fleet)
        var best = (source: CandidateSource.everything, cost: fleet.pointee.rows.count * StepCost.scannedRow)
        func consider(_ source: CandidateSource, _ cost: Int) {
            if cost < best.cost { best = (source, cost) }
        }
        if !filter.seen.isEverything {
            consider(.seen(self.seenRanks), self.seenRanks.count * StepCost.candidate)
        }
        if filter.fields.count > 0 {
            consider(.field(0), filter.fields[0].rowCount * StepCost.candidate)
            consider(
                .bitmaps,
                Self.bitmapCost(filter, chunkCount: fleet.pointee.chunkCount, deviceCount: fleet.pointee.deviceCount))
        }
        if filter.serialRows != nil {
            best = (.serials, 0)
        }
        (self.source, self.sourceCost) = best
        self.filter = filter
    }

    private static func bitmapCost(_ filter: borrowing RowFilter, chunkCount: Int, deviceCount: Int) -> Int {
        var costPerChunk = StepCost.chunk
        var expectedRowCount = Double(deviceCount)
        for index in 0..<filter.fields.count {
            for set in filter.sets(filter.fields[index]) {
                costPerChunk += set.isChunked ? StepCost.chunkOfLargeSet : StepCost.chunkOfList
            }
            expectedRowCount *= Double(filter.fields[index].rowCount) / Double(max(deviceCount, 1))
        }
        let rowCost = filter.seen.isEverything ? StepCost.bitmapRow : StepCost.candidate
        return chunkCount * costPerChunk + Int(expectedRowCount) * rowCost
    }

    // MARK: Counting

    /// How many devices match. - Complexity: O(log n) for at most one field or a range of times; else O(candidates).
    func count() -> Int {
        if self.filter.isImpossible { return 0 }
        if self.filter.serialRows == nil {
            if self.filter.fields.count == 0 { return self.seenRanks.count }
            if self.filter.fields.count == 1, self.filter.seen.isEverything { return self.filter.fields[0].rowCount }
        }
        var count = RowCount()
        self.forEachMatch(&count)
        return count.count
    }

    // MARK: Pages

    /// Appends to `rows` up to `count` matches in order: those after `place`, the first `offset` of them left out.
    func collect(
        _ order: SortOrder, after place: ListPlace?, offset: Int, count: Int, into rows: inout Column<UInt32>
    ) {
        guard !self.filter.isImpossible, offset < self.fleet.pointee.deviceCount else { return }
        if self.filter.serialRows == nil {
            switch order.index {
            case .id:
                if self.walk(self.fleet.pointee.byID, isSeenOrder: false, order, place, offset, count, &rows) { return }
            case .lastSeen:
                if self.walk(self.fleet.pointee.byLastSeen, isSeenOrder: true, order, place, offset, count, &rows) {
                    return
                }
            case nil:
                break
            }
        }
        let limit = min(offset + count, self.fleet.pointee.deviceCount)
        var selection = PageSelection(order, after: place, limit: limit, in: self.fleet)
        self.forEachMatch(&selection)
        selection.finish(skipping: offset, into: &rows)
    }

    /// Reads the page off an index that lies in the order asked for, and tells whether it did.
    ///
    /// Where the filter asks about more than the index knows, the walk goes no further than gathering every candidate would cost,
    /// so that a filter with next to no matches costs at most twice its best plan.
    private func walk(
        _ index: borrowing RowOrder, isSeenOrder: Bool, _ order: SortOrder, _ place: ListPlace?, _ offset: Int,
        _ count: Int,
        _ rows: inout Column<UInt32>
    ) -> Bool {
        let devices = UnsafePointer(self.fleet.pointee.rows.base)
        var ranks = isSeenOrder ? self.seenRanks : 0..<index.count
        if let place {
            var key = OrderKey(value: place.id, id: place.id)
            if isSeenOrder, case .number(let lastSeen)? = place.values.first { key.value = lastSeen }
            let rank = index.rank(key, inclusive: !order.isIDDescending, devices)
            ranks =
                order.isIDDescending
                ? ranks.lowerBound..<max(ranks.lowerBound, min(ranks.upperBound, rank))
                : min(ranks.upperBound, max(ranks.lowerBound, rank))..<ranks.upperBound
        }
        let asksSeen = !isSeenOrder && !self.filter.seen.isEverything
        if self.filter.fields.count == 0, !asksSeen {
            let skipped = min(offset, ranks.count)
            let taken =
                order.isIDDescending
                ? max(ranks.lowerBound, ranks.upperBound - skipped - count)..<(ranks.upperBound - skipped)
                : (ranks.lowerBound + skipped)..<min(ranks.upperBound, ranks.lowerBound + skipped + count)
            index.forEach(in: taken, descending: order.isIDDescending) { row in
                rows.append(row)
                return true
            }
            return true
        }
        var budget = self.sourceCost / StepCost.walkedRow
        if ranks.count > budget {
            guard self.expectedWalk(offset + count, asksSeen: asksSeen) <= Double(budget) else { return false }
        }
        var skipped = 0
        index.forEach(in: ranks, descending: order.isIDDescending) { row in
            budget -= 1
            if self.filter.passesFields(row, devices), !asksSeen || self.filter.passesSeen(row, devices) {
                if skipped < offset { skipped += 1 } else { rows.append(row) }
            }
            return budget >= 0 && rows.count < count
        }
        if budget >= 0 { return true }
        rows.removeAll()
        return false
    }

    /// How many rows a walk passes until it has found `count` matches, if the fields have nothing to do with each other.
    private func expectedWalk(_ count: Int, asksSeen: Bool) -> Double {
        let total = Double(self.fleet.pointee.deviceCount)
        var expected = Double(count)
        for index in 0..<self.filter.fields.count {
            expected *= total / Double(self.filter.fields[index].rowCount)
        }
        return asksSeen ? expected * total / Double(max(self.seenRanks.count, 1)) : expected
    }

    // MARK: Candidates

    private func forEachMatch<Visitor: RowVisitor & ~Copyable>(_ visitor: inout Visitor) {
        let devices = UnsafePointer(self.fleet.pointee.rows.base)
        switch self.source {
        case .serials:
            for row in self.filter.serialRows ?? [] {
                if self.filter.passesFields(row, devices), self.filter.passesSeen(row, devices) { visitor.visit(row) }
            }
        case .field(let driver):
            for set in self.filter.sets(self.filter.fields[driver]) {
                set.forEach { row in
                    if self.filter.passesFields(row, devices, skipping: driver), self.filter.passesSeen(row, devices) {
                        visitor.visit(row)
                    }
                }
            }
        case .bitmaps:
            self.forEachMatchInBitmaps(&visitor)
        case .seen(let ranks):
            self.fleet.pointee.byLastSeen.forEach(in: ranks, descending: false) { row in
                if self.filter.passesFields(row, devices) { visitor.visit(row) }
                return true
            }
        case .everything:
            for row in 0..<UInt32(self.fleet.pointee.rows.count) where !devices[Int(row)].isFree {
                if self.filter.passesSeen(row, devices), self.filter.passesFields(row, devices) { visitor.visit(row) }
            }
        }
    }

    private func forEachMatchInBitmaps<Visitor: RowVisitor & ~Copyable>(_ visitor: inout Visitor) {
        let devices = UnsafePointer(self.fleet.pointee.rows.base)
        let wordCount = RowChunk.wordCount
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: wordCount * 2) { words in
            guard let mask = words.baseAddress else { return }
            let union = mask + wordCount
            for chunk in 0..<self.fleet.pointee.chunkCount {
                mask.update(repeating: .max, count: wordCount)
                for index in 0..<self.filter.fields.count {
                    union.update(repeating: 0, count: wordCount)
                    for set in self.filter.sets(self.filter.fields[index]) {
                        set.unite(chunk: chunk, into: union)
                    }
                    for word in 0..<wordCount { mask[word] &= union[word] }
                }
                for word in 0..<wordCount where mask[word] != 0 {
                    let first = UInt32(chunk << RowChunk.rowBits + word << 6)
                    var bits = mask[word]
                    if !self.filter.seen.isEverything {
                        var rest = bits
                        while rest != 0 {
                            let bit = rest.trailingZeroBitCount
                            if !self.filter.passesSeen(first + UInt32(bit), devices) { bits &= ~(1 << UInt64(bit)) }
                            rest &= rest - 1
                        }
                    }
                    visitor.visit(bits: bits, first: first)
                }
            }
        }
    }
}
