// How the rows of a query are found: where candidates come from, and what each of them is then asked.

internal import DeviceModel

/// Where the rows come from that are held against the rest of the filter.
enum CandidateSource {
    /// The rows that a part of the filter names.
    case rows([UInt32])
    /// The rows of one field's codes.
    case codes(DictionaryField, [UInt32])
    /// Bitmaps, chunk by chunk.
    case bitmaps
    case range(RowRange)
    /// The values of one attribute.
    case column(Int, AttributeTest)
    case everything

    var plan: QueryExplanation.Plan {
        switch self {
        case .rows: .lookup
        case .codes: .postings
        case .bitmaps: .bitmaps
        case .range: .rangeScan
        case .column, .everything: .scan
        }
    }
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
    /// Its parts in the order in which they are best asked.
    let condition: Condition
    /// The share of all devices that are expected to match.
    let share: Double
    let source: CandidateSource
    /// What finding every match costs, in nanoseconds.
    let sourceCost: Int
    let candidateEstimate: Int
    /// What is left to ask of the source's rows; bitmaps work that out themselves.
    private let residual: Condition

    var matchEstimate: Int { Int(self.share * Double(self.fleet.pointee.deviceCount) + 0.5) }

    struct Choice {
        var source: CandidateSource
        var residual: Condition
        var cost: Int
        var candidateCount: Int
    }

    /// Chooses the cheapest source of candidates; the counts that it weighs are exact where indexes know them, the costs are not.
    ///
    /// - Parameters:
    ///   - forced: a plan to use where it can be.
    ///   - isCounting: whether the rows themselves are of no use: a bitmap's bits are then counted together.
    init(
        _ condition: Condition, in fleet: UnsafePointer<Fleet>, forced: QueryExplanation.Plan? = nil,
        isCounting: Bool = false
    ) {
        let parts = condition.conjuncts.map { (condition: $0, share: $0.share(in: fleet)) }.sorted {
            $0.share < $1.share
        }
        let ordered = parts.map(\.condition)
        self.fleet = fleet
        self.condition = ordered.count > 1 ? .all(ordered) : ordered.first ?? condition
        self.share = parts.reduce(1) { $0 * $1.share }
        var best: Choice?
        func consider(_ choice: Choice) {
            if let forced, choice.source.plan == forced, best?.source.plan != forced { best = choice }
            let isForced = forced != nil && best?.source.plan == forced
            if isForced, choice.source.plan != forced { return }
            guard let cheapest = best, cheapest.cost <= choice.cost else { return best = choice }
        }
        consider(Self.everything(self.condition, fleet))
        for (index, part) in ordered.enumerated() {
            guard case .test(let test, isNegated: false) = part else { continue }
            var others = ordered
            others.remove(at: index)
            if let choice = Self.choice(test, part, others, fleet) { consider(choice) }
        }
        if let choice = Self.bitmaps(parts, fleet, isCounting) { consider(choice) }
        guard let best else { preconditionFailure("every device can always be asked") }
        self.source = best.source
        self.sourceCost = best.cost
        self.residual = best.residual
        self.candidateEstimate = best.candidateCount
    }

    private static func everything(_ condition: Condition, _ fleet: UnsafePointer<Fleet>) -> Choice {
        let count = fleet.pointee.rows.count
        let cost = count * (StepCost.scannedRow + condition.askingCost(isFetching: false))
        return Choice(source: .everything, residual: condition, cost: cost, candidateCount: count)
    }

    /// The source that a test is.
    private static func choice(
        _ test: RowTest, _ part: Condition, _ others: [Condition], _ fleet: UnsafePointer<Fleet>
    ) -> Choice? {
        let rest = Condition.every(others)
        let restCost = rest.askingCost(isFetching: true)
        func choice(_ source: CandidateSource, _ residual: Condition, _ count: Int, _ each: Int) -> Choice {
            Choice(source: source, residual: residual, cost: count * each, candidateCount: count)
        }
        switch test {
        case .rows(let rows):
            return choice(.rows(rows), rest, rows.count, restCost + 1)
        case .codes(let field, let list):
            return choice(.codes(field, list.codes), rest, list.rowCount, StepCost.walkedRow + restCost)
        case .number, .text, .attribute:
            if let range = test.range(in: fleet) {
                let each = StepCost.walkedRow + restCost
                return choice(.range(range), range.isExact ? rest : .every([part] + others), range.ranks.count, each)
            }
            guard case .attribute(let key, let test) = test else { return nil }
            let column = fleet.pointee.columns[key]
            return choice(.column(key, test), rest, column.pointee.slotCount, StepCost.columnValue + restCost / 3)
        case .released:
            return nil
        }
    }

    private static func bitmaps(
        _ parts: [(condition: Condition, share: Double)], _ fleet: UnsafePointer<Fleet>, _ isCounting: Bool
    ) -> Choice? {
        var chunkCost = 0
        var share = 1.0
        var asking = 0
        for part in parts {
            let masks = MaskProgram.chunkCost(part.condition, in: fleet)
            chunkCost += masks?.cost ?? 0
            if masks?.isExact ?? false {
                share *= part.share
            } else {
                asking += part.condition.askingCost(isFetching: false) * 2
            }
        }
        guard chunkCost > 0 else { return nil }
        let rowCount = Int(share * Double(fleet.pointee.deviceCount))
        let rowCost = isCounting && asking == 0 ? 0 : StepCost.maskedRow + asking
        return Choice(
            source: .bitmaps, residual: .always,
            cost: fleet.pointee.chunkCount * (StepCost.chunk + chunkCost) + rowCount * rowCost,
            candidateCount: rowCount)
    }

    /// How many rows an index has in the range that the condition leaves of it, and the share of them expected to match.
    func range(of tree: TreeName) -> (count: Double, share: Double) {
        var count = Double(self.fleet.pointee.deviceCount)
        var share = 1.0
        for part in self.condition.conjuncts {
            if case .test(let test, isNegated: false) = part, test.tree == tree, let range = test.range(in: self.fleet)
            {
                count = min(count, Double(range.ranks.count))
            } else {
                share *= part.share(in: self.fleet)
            }
        }
        return (count, max(share, 1e-9))
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
        if case .bitmaps = self.source {
            var scan = MaskScan(self.condition, isAlone: true, in: self.fleet)
            for chunk in 0..<self.fleet.pointee.chunkCount {
                scan.load(chunk: chunk, hasChanged: false)
                scan.visit(0..<MaskScan.wordCount, &visitor, &tally)
                visitor.chunkEnded(chunk)
            }
            return
        }
        let fleet = self.fleet
        var batch = RowBatch(RowProgram(self.residual, in: fleet), in: fleet)
        switch self.source {
        case .rows(let rows):
            for row in rows { batch.append(row, &visitor, &tally) }
        case .codes(let field, let codes):
            for code in codes {
                fleet.pointee.rowSet(code, in: field).forEach { batch.append($0, &visitor, &tally) }
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
