// How the rows of a query are found: where candidates come from, and what each of them is then asked.

internal import DeviceModel

/// Where the rows come from that are held against the rest of the filter.
enum CandidateSource {
    /// The rows that a part of the filter names.
    case rows([UInt32])
    /// The rows of one field's codes.
    case codes(DictionaryField, [UInt32])
    /// Bitmaps of a condition, chunk by chunk.
    case bitmaps(Condition)
    case range(RowRange)
    /// Of each of some values, the devices that were last seen within bounds.
    case partials(PartialIndexes)
    /// The values of one attribute.
    case column(Int, AttributeTest)
    case everything
}

/// What became of a query so far.
struct QueryTally {
    var candidateCount = 0
    var matchCount = 0
}

/// A filter on its way through a fleet.
///
/// Fleets are passed by pointer throughout: a borrowed argument of that size would be copied, a kilobyte at each call.
struct QueryPlan: ~Copyable {
    let fleet: UnsafePointer<Fleet>
    /// The parts that must all hold, in the order in which they are best asked.
    let parts: [PlanPart]
    /// All of them, in no order.
    let condition: Condition
    /// The share of all devices that are expected to match.
    let share: Double
    private let forced: QueryExplanation.Plan?
    private let isCounting: Bool
    /// Nil until it is made for good.
    private var chosen: PlanChoice?

    private var choice: PlanChoice {
        self.chosen
            ?? PlanChoice(self.parts, self.condition, in: self.fleet, forced: self.forced, isCounting: self.isCounting)
    }

    /// What the source of candidates is called.
    var sourcePlan: QueryExplanation.Plan { self.choice.plan }
    /// What finding every match costs, in nanoseconds.
    var sourceCost: Double { self.choice.cost }
    var candidateEstimate: Int { self.choice.candidateCount }
    /// Made when it is asked for: where an index is walked, it is not.
    var source: CandidateSource { self.choice.source(of: self.parts, in: self.fleet) }

    /// How many devices are expected to match.
    var matchEstimate: Double { (self.share * Double(self.fleet.pointee.deviceCount)).rounded() }

    /// Chooses the cheapest source of candidates; the counts that it weighs are exact where indexes know them, the costs are not.
    ///
    /// - Parameters:
    ///   - forced: a plan to use where it can be.
    ///   - isCounting: whether the rows themselves are of no use: a bitmap's bits are then counted together.
    ///   - isChosen: false where it may turn out that no source is needed: until ``choose()`` is called, the choice is made each time that
    ///     something of it is asked for.
    init(
        _ condition: Condition, in fleet: UnsafePointer<Fleet>, forced: QueryExplanation.Plan? = nil,
        isCounting: Bool = false, isChosen: Bool = true
    ) {
        let parts = [PlanPart](condition, in: fleet)
        self.fleet = fleet
        self.parts = parts
        self.condition = condition
        self.share = parts.reduce(1) { $0 * $1.share }
        self.forced = forced
        self.isCounting = isCounting
        self.chosen = nil
        if isChosen { self.choose() }
    }

    /// Makes the choice, so that it is not made anew each time that something of it is asked for.
    mutating func choose() {
        if self.chosen == nil { self.chosen = self.choice }
    }

    /// What is left to ask of the rows of an index, within the ranks that the condition leaves of it.
    func walk(of tree: TreeName) -> PlannedWalk {
        let count = self.fleet.pointee.withTree(tree) { $0.count } ?? 0
        var walk = PlannedWalk(ranks: 0..<count, residual: .always, share: 1, askingCost: 0)
        for part in self.parts {
            if let range = part.range, range.tree == tree {
                walk.ranks = walk.ranks.clamped(to: range.ranks)
                if range.isExact { continue }
            }
            walk.ask(part)
        }
        return walk
    }

    /// The order that the most selective part could be answered from if it were built.
    var wanted: OrderName? {
        for part in self.condition.conjuncts {
            guard case .test(let test, isNegated: false) = part, case .lazy(let name)? = test.tree else { continue }
            if self.fleet.pointee.tree(name) == nil { return name }
        }
        return nil
    }

    // MARK: Matches

    /// Shows every match to `visitor`, each once, in no order.
    func forEachMatch<Visitor: RowVisitor & ~Copyable>(_ visitor: inout Visitor, _ tally: inout QueryTally) {
        let (source, residual) = (self.source, self.choice.residual(of: self.parts))
        if case .bitmaps(let masks) = source {
            var scan = MaskScan(masks, asking: residual, in: self.fleet)
            for chunk in 0..<self.fleet.pointee.chunkCount {
                scan.load(chunk: chunk, hasChanged: false)
                scan.visit(0..<MaskScan.wordCount, &visitor, &tally)
            }
            return
        }
        let fleet = self.fleet
        var batch = RowBatch(RowProgram(residual), in: fleet)
        switch source {
        case .rows(let rows):
            for row in rows { batch.append(row, &visitor, &tally) }
        case .codes(let field, let codes):
            for code in codes {
                batch.append(fleet.pointee.rowSet(code, in: field), &visitor, &tally)
            }
        case .range(let range):
            range.tree.noteUse(in: fleet)
            let column = Self.column(range.tree, fleet)
            _ = fleet.pointee.withTree(range.tree) { tree in
                tree.forEachRun(in: range.ranks, isDescending: false) { run in
                    if let column {
                        for slot in run { batch.append(column.pointee.rows.base[Int(slot)], &visitor, &tally) }
                    } else {
                        batch.append(run, &visitor, &tally)
                    }
                    return true
                }
            }
        case .partials(let partials):
            partials.forEachTree(in: fleet) { _, tree in
                tree.forEachRun(in: tree.ranks(partials.bounds), isDescending: false) { run in
                    batch.append(run, &visitor, &tally)
                    return true
                }
            }
        case .column(let key, let test):
            let column = fleet.pointee.columns[key]
            for slot in 0..<UInt32(column.pointee.slotCount) where column.pointee.passes(slot, test) {
                batch.append(column.pointee.rows.base[Int(slot)], &visitor, &tally)
            }
        case .everything:
            for row in 0..<UInt32(fleet.pointee.rows.count) where !fleet.pointee.rows.base[Int(row)].isFree {
                batch.append(row, &visitor, &tally)
            }
        case .bitmaps:
            break
        }
        batch.flush(&visitor, &tally)
    }

    /// The column whose slots a tree's entries are.
    static func column(
        _ name: TreeName, _ fleet: UnsafePointer<Fleet>
    ) -> UnsafeMutablePointer<AttributeColumn>? {
        guard case .lazy(.attribute(let key)) = name else { return nil }
        return fleet.pointee.columns[key]
    }

    /// How many devices match. - Complexity: O(log n) where an index knows; else O(candidates).
    func count(_ tally: inout QueryTally) -> Int {
        if let count = self.condition.exactCount(in: self.fleet) { return count }
        var count = RowCount()
        self.forEachMatch(&count, &tally)
        return count.count
    }
}

extension AttributeColumn {
    /// Whether a slot is in use and its value passes.
    @inline(__always)
    fileprivate func passes(_ slot: UInt32, _ test: AttributeTest) -> Bool {
        guard self.rows.base[Int(slot)] != DeviceRow.noRow else { return false }
        switch test {
        case .present: return true
        case .range(let range): return range.contains(self.sortValue(slot))
        case .text(let match): return match.holds(self.text(slot))
        }
    }
}
