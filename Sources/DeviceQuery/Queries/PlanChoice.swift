// The choice between sources of candidates, by what they are expected to cost.

internal import DeviceModel

/// A part of a filter that must hold, with what a plan weighs of it.
struct PlanPart {
    let condition: Condition
    /// Where an index has the rows that pass in one piece.
    let range: RowRange?
    /// The share of all devices that are expected to pass.
    let share: Double
    /// What it costs to ask a row out of the order of memory, in nanoseconds.
    let fetchingCost: Double

    init(_ condition: Condition, in fleet: UnsafePointer<Fleet>) {
        self.condition = condition
        self.fetchingCost = condition.askingCost(isFetching: true)
        if case .test(let test, isNegated: false) = condition, let range = test.range(in: fleet) {
            self.range = range
            self.share = Double(range.ranks.count) / Double(max(fleet.pointee.deviceCount, 1))
        } else {
            self.range = nil
            self.share = condition.share(in: fleet)
        }
    }

    /// Smaller for what is better asked first: what turns away many rows for what it costs.
    var rank: Double { self.fetchingCost / max(1 - self.share, 1e-9) }
}

extension Sequence<PlanPart> {
    /// What it costs to ask a row one part after another until one turns it away, in nanoseconds.
    var fetchingCost: Double {
        var share = 1.0
        return self.reduce(0) { cost, part in
            defer { share *= part.share }
            return cost + share * part.fetchingCost
        }
    }
}

/// The part of an index in which the matches lie.
struct PlannedWalk {
    var ranks: Range<Int>
    /// What is left to ask of its rows.
    var residual: Condition
    /// Of the rows, how many are expected to pass.
    var share: Double
    /// What it costs to ask a row, in nanoseconds.
    var askingCost: Double

    /// What it costs to find so many matches. The smaller the share, the less is known of it.
    func cost(ofMatches count: Double) -> Double {
        Swift.min(Double(self.ranks.count), count / self.share) * (StepCost.walkedRow + self.askingCost)
    }
}

/// A source with what is left to ask of its rows.
struct PlanChoice {
    var source: CandidateSource
    var residual: Condition
    /// What finding every match costs, in nanoseconds.
    var cost: Double
    var candidateCount: Int

    private init(_ source: CandidateSource, _ residual: Condition, count: Int, each: Double) {
        self.source = source
        self.residual = residual
        self.cost = Double(count) * each
        self.candidateCount = count
    }

    /// The cheapest source; see ``QueryPlan/init(_:in:forced:isCounting:)``.
    init(
        _ parts: [PlanPart], _ condition: Condition, in fleet: UnsafePointer<Fleet>,
        forced: QueryExplanation.Plan?, isCounting: Bool
    ) {
        let rowCount = fleet.pointee.rows.count
        let scanCost = StepCost.scannedRow + condition.askingCost(isFetching: false)
        self.init(.everything, condition, count: rowCount, each: scanCost)
        for place in parts.indices {
            if let choice = Self.part(place, of: parts, in: fleet) { self.consider(choice, forced) }
        }
        if let choice = Self.bitmaps(parts, in: fleet, isCounting) { self.consider(choice, forced) }
    }

    private mutating func consider(_ choice: PlanChoice, _ forced: QueryExplanation.Plan?) {
        let (isForced, isOtherForced) = (self.source.plan == forced, choice.source.plan == forced)
        if isForced == isOtherForced ? choice.cost < self.cost : isOtherForced { self = choice }
    }

    /// The source that a part is.
    private static func part(_ place: Int, of parts: [PlanPart], in fleet: UnsafePointer<Fleet>) -> PlanChoice? {
        let part = parts[place]
        guard case .test(let test, isNegated: false) = part.condition else { return nil }
        var others = parts
        others.remove(at: place)
        let rest = Condition.every(others.map(\.condition))
        let restCost = others.fetchingCost
        if let range = part.range {
            let residual = range.isExact ? rest : .every([part.condition, rest])
            let each = StepCost.walkedRow + restCost + (range.isExact ? 0 : part.fetchingCost)
            return PlanChoice(.range(range), residual, count: range.ranks.count, each: each)
        }
        switch test {
        case .rows(let rows):
            return PlanChoice(.rows(rows), rest, count: rows.count, each: StepCost.walkedRow + restCost)
        case .codes(let field, let list):
            let each = StepCost.walkedRow + restCost
            return PlanChoice(.codes(field, list.codes), rest, count: list.rowCount, each: each)
        case .attribute(let key, let test):
            let slotCount = fleet.pointee.columns[key].pointee.slotCount
            return PlanChoice(.column(key, test), rest, count: slotCount, each: StepCost.columnValue + restCost / 3)
        case .number, .text, .released:
            return nil
        }
    }

    /// Bitmaps of those parts that have them, as far as asking the rows that the others leave is not cheaper.
    private static func bitmaps(
        _ parts: [PlanPart], in fleet: UnsafePointer<Fleet>, _ isCounting: Bool
    ) -> PlanChoice? {
        let chunkCount = Double(fleet.pointee.chunkCount)
        var rowCount = Double(fleet.pointee.deviceCount)
        var cost = 0.0
        var masks: [Condition] = []
        var asked: [PlanPart] = []
        let bySize = parts.count > 1 ? parts.sorted { $0.share < $1.share } : parts
        for part in bySize {
            guard let mask = MaskProgram.chunkCost(part.condition, in: fleet),
                masks.isEmpty || mask.cost * chunkCount < rowCount * (part.fetchingCost + StepCost.maskedRow)
            else {
                asked.append(part)
                continue
            }
            masks.append(part.condition)
            cost += mask.cost * chunkCount
            if mask.isExact { rowCount *= part.share } else { asked.append(part) }
        }
        guard !masks.isEmpty else { return nil }
        asked.sort { $0.rank < $1.rank }
        let rowCost = isCounting && asked.isEmpty ? 0 : StepCost.maskedRow + asked.fetchingCost
        var choice = PlanChoice(
            .bitmaps(.every(masks)), .every(asked.map(\.condition)), count: Int(rowCount), each: rowCost)
        choice.cost += cost + chunkCount * StepCost.chunk
        return choice
    }
}
