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
        self.fetchingCost = condition.askingCost(.scattered(fleet.pointee.rows.count))
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

extension [PlanPart] {
    init(_ condition: Condition, in fleet: UnsafePointer<Fleet>) {
        switch condition {
        case .always: self = []
        case .all(let parts): self = parts.map { PlanPart($0, in: fleet) }
        case .never, .test, .any: self = [PlanPart(condition, in: fleet)]
        }
        self.insertionSort { $0.rank < $1.rank }
    }

    /// The parts at some places, as one condition.
    func conjunction(where isChosen: (Int) -> Bool) -> Condition {
        var condition = Condition.always
        for place in self.indices where isChosen(place) { condition.add(self[place].condition) }
        return condition
    }

    /// What it costs to ask a row one part after another until one turns it away, in nanoseconds.
    ///
    /// - Parameter isAsked: whether the part at a place is asked at all.
    func fetchingCost(where isAsked: (Int) -> Bool) -> Double {
        var (cost, share) = (0.0, 1.0)
        for place in self.indices where isAsked(place) {
            cost += share * self[place].fetchingCost
            share *= self[place].share
        }
        return cost
    }

    var fetchingCost: Double { self.fetchingCost { _ in true } }
}

/// The part of an index in which the matches lie, or of several that are walked at once.
struct PlannedWalk {
    /// Of one index; of several, as many as they are expected to have.
    var ranks: Range<Int>
    /// The indexes that are walked, if it is not the one that lies in the order asked for.
    var partials: PartialIndexes?
    /// What is left to ask of its rows.
    var residual: Condition
    /// Of the rows, how many are expected to pass.
    var share: Double
    /// What it costs to ask a row, in nanoseconds.
    var askingCost: Double

    /// Adds a part of the filter to what is asked of each row.
    mutating func ask(_ part: PlanPart) {
        self.residual.add(part.condition)
        self.askingCost += self.share * part.fetchingCost
        self.share = max(self.share * part.share, 1e-9)
    }

    /// What it costs to find so many matches. The smaller the share, the less is known of it.
    func cost(ofMatches count: Double) -> Double {
        (self.partials?.seekingCost ?? 0) + self.entryCount(ofMatches: count) * self.entryCost
    }

    /// How many entries it is to ask to find so many matches.
    func entryCount(ofMatches count: Double) -> Double {
        Swift.min(Double(self.ranks.count), count / self.share)
    }

    /// What it costs to come to an entry and ask it, in nanoseconds.
    var entryCost: Double {
        (self.partials?.entryCost ?? StepCost.walkedRow) + self.askingCost
    }
}

/// The cheapest source of candidates.
struct PlanChoice {
    private let bid: Bid
    private let masks: MaskChoice

    var plan: QueryExplanation.Plan { self.bid.plan }
    /// What finding every match costs, in nanoseconds.
    var cost: Double { self.bid.cost }
    var candidateCount: Int { self.bid.candidateCount }

    /// See ``QueryPlan/init(_:in:forced:isCounting:)``.
    init(
        _ parts: borrowing [PlanPart], _ condition: borrowing Condition, in fleet: UnsafePointer<Fleet>,
        forced: QueryExplanation.Plan?, isCounting: Bool
    ) {
        let rowCount = fleet.pointee.rows.count
        let scanCost = StepCost.scannedRow + condition.askingCost(.inOrderOfMemory)
        var best = Bid(.everything, .scan, count: rowCount, each: scanCost)
        for place in parts.indices {
            if let bid = Bid(place, of: parts, in: fleet) { best.yield(to: bid, forced) }
        }
        if fleet.pointee.hasPartialOrders, case let (bounds, seenPlace?) = parts.seen {
            for place in parts.indices {
                let partials = PartialIndexes(parts[place].condition, seenIn: bounds, in: fleet)
                guard let partials, partials.isBuilt(in: fleet) else { continue }
                best.yield(to: Bid(partials, place, seenPlace, of: parts), forced)
            }
        }
        self.masks = MaskChoice(parts, in: fleet)
        if let bid = self.masks.bid(parts, in: fleet, isCounting) { best.yield(to: bid, forced) }
        self.bid = best
    }

    /// The source, of the parts that were chosen from.
    func source(of parts: [PlanPart], in fleet: UnsafePointer<Fleet>) -> CandidateSource {
        switch self.bid.origin {
        case .everything: return .everything
        case .bitmaps: return .bitmaps(self.masks.masked(parts))
        case .partials(let valuePlace, _):
            let partials = PartialIndexes(parts[valuePlace].condition, seenIn: parts.seen.bounds, in: fleet)
            guard let partials else { preconditionFailure("a part that names no values makes no bid") }
            return .partials(partials)
        case .part(let place):
            if let range = parts[place].range { return .range(range) }
            switch parts[place].condition {
            case .test(.rows(let rows), _): return .rows(rows)
            case .test(.codes(let field, let list), _): return .codes(field, list.codes)
            case .test(.attribute(let key, let test), _): return .column(key, test)
            case .always, .never, .all, .any, .test: preconditionFailure("a part that is no source makes no bid")
            }
        }
    }

    /// What is left to ask of the source's rows.
    func residual(of parts: [PlanPart]) -> Condition {
        switch self.bid.origin {
        case .everything: return parts.conjunction { _ in true }
        case .bitmaps: return self.masks.asked(parts)
        case .partials(let valuePlace, let seenPlace):
            return parts.conjunction { $0 != valuePlace && $0 != seenPlace }
        case .part(let place):
            let isDecided = parts[place].range?.isExact ?? true
            return parts.conjunction { $0 != place || !isDecided }
        }
    }
}

/// What a source would cost. It is made when its rows are asked for.
private struct Bid {
    enum Origin {
        case everything
        case part(Int)
        case bitmaps
        /// Partial indexes, by the places of the parts that they decide: that of the values, and that of `last_seen`.
        case partials(Int, Int)
    }

    let origin: Origin
    let plan: QueryExplanation.Plan
    let candidateCount: Int
    var cost: Double

    init(_ origin: Origin, _ plan: QueryExplanation.Plan, count: Int, each: Double) {
        self.origin = origin
        self.plan = plan
        self.candidateCount = count
        self.cost = Double(count) * each
    }

    /// Of partial indexes, which decide two parts.
    init(_ partials: PartialIndexes, _ valuePlace: Int, _ seenPlace: Int, of parts: borrowing [PlanPart]) {
        let rest = parts.fetchingCost { $0 != valuePlace && $0 != seenPlace }
        let count = Int(Double(partials.rowCount) * parts[seenPlace].share)
        self.init(
            .partials(valuePlace, seenPlace), .partialRanges, count: count, each: StepCost.walkedRow + rest)
        self.cost += partials.seekingCost
    }

    /// Of a part; nil where it is no source.
    init?(_ place: Int, of parts: borrowing [PlanPart], in fleet: UnsafePointer<Fleet>) {
        let part = parts[place]
        guard case .test(let test, isNegated: false) = part.condition else { return nil }
        let rest = parts.fetchingCost { $0 != place }
        let each = StepCost.walkedRow + rest
        if let range = part.range {
            let own = range.isExact ? 0 : part.fetchingCost
            self.init(.part(place), .rangeScan, count: range.ranks.count, each: each + own)
            return
        }
        switch test {
        case .rows(let rows): self.init(.part(place), .lookup, count: rows.count, each: each)
        case .codes(_, let list): self.init(.part(place), .postings, count: list.rowCount, each: each)
        case .attribute(let key, _):
            let slotCount = fleet.pointee.columns[key].pointee.slotCount
            self.init(.part(place), .scan, count: slotCount, each: StepCost.columnValue + rest / 3)
        case .number, .text, .released: return nil
        }
    }

    /// Gives way to a bid that is cheaper, or of the plan that is forced.
    mutating func yield(to other: Bid, _ forced: QueryExplanation.Plan?) {
        let (isForced, isOtherForced) = (self.plan == forced, other.plan == forced)
        if isForced == isOtherForced ? other.cost < self.cost : isOtherForced { self = other }
    }
}

/// Which parts become bitmaps: those that have them, as far as asking the rows that the others leave is not cheaper.
private struct MaskChoice {
    /// Bits by the place of a part. A part whose bitmaps do not decide it is asked as well.
    private var maskedPlaces: UInt64 = 0
    private var askedPlaces: UInt64 = .max
    private var rowCount: Double
    private var chunkCost = StepCost.chunk

    init(_ parts: borrowing [PlanPart], in fleet: UnsafePointer<Fleet>) {
        let chunkCount = Double(fleet.pointee.chunkCount)
        self.rowCount = Double(fleet.pointee.deviceCount)
        for place in 0..<min(parts.count, UInt64.bitWidth) {
            guard let mask = MaskProgram.chunkCost(parts[place].condition) else { continue }
            let askingCost = self.rowCount * (parts[place].fetchingCost + StepCost.maskedRow)
            guard self.maskedPlaces == 0 || mask.cost * chunkCount < askingCost else { continue }
            self.maskedPlaces |= 1 << UInt64(place)
            self.chunkCost += mask.cost
            if mask.isExact {
                self.askedPlaces &= ~(1 << UInt64(place))
                self.rowCount *= parts[place].share
            }
        }
    }

    private func isAsked(_ place: Int) -> Bool {
        place >= UInt64.bitWidth || self.askedPlaces >> UInt64(place) & 1 != 0
    }

    /// Nil where no part has bitmaps.
    func bid(_ parts: [PlanPart], in fleet: UnsafePointer<Fleet>, _ isCounting: Bool) -> Bid? {
        guard self.maskedPlaces != 0 else { return nil }
        let isDecided = !parts.indices.contains(where: self.isAsked)
        let rowCost = isCounting && isDecided ? 0 : StepCost.maskedRow + parts.fetchingCost(where: self.isAsked)
        var bid = Bid(.bitmaps, .bitmaps, count: Int(self.rowCount), each: rowCost)
        bid.cost += Double(fleet.pointee.chunkCount) * self.chunkCost
        return bid
    }

    func masked(_ parts: [PlanPart]) -> Condition {
        parts.conjunction { $0 < UInt64.bitWidth && self.maskedPlaces >> UInt64($0) & 1 != 0 }
    }

    func asked(_ parts: [PlanPart]) -> Condition {
        parts.conjunction(where: self.isAsked)
    }
}
