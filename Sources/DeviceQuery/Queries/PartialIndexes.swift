// Partial indexes in a plan: those of the values that a filter names.

internal import DeviceModel

/// The partial orders of some values of a field, which together have every device with one of them, each once; and of those the ones
/// that were last seen within some bounds.
struct PartialIndexes {
    let field: DictionaryField
    let codes: [UInt32]
    let bounds: ClosedRange<Int64>
    /// How many devices have one of the values.
    let rowCount: Int

    /// Of more values than this, the orders would cost too much to find the ends of.
    private static var valueCountMax: Int { RankedMerge<IDTies>.treeCountMax }

    /// - Parameter condition: what names the values; nil comes out where it does not, or where they may not all have an order.
    init?(_ condition: Condition, seenIn bounds: ClosedRange<Int64>, in fleet: UnsafePointer<Fleet>) {
        guard case .test(.codes(let field, let list), isNegated: false) = condition, field != .owner,
            list.codes.count <= Self.valueCountMax,
            list.codes.allSatisfy({ fleet.pointee.partialOrder(field, $0) != nil })
        else { return nil }
        self.field = field
        self.codes = list.codes
        self.bounds = bounds
        self.rowCount = list.rowCount
    }

    @inline(__always)
    private func order(_ code: UInt32, in fleet: UnsafePointer<Fleet>) -> UnsafeMutablePointer<LazyOrder> {
        fleet.pointee.knownPartialOrder(self.field, code)
    }

    private func name(_ code: UInt32) -> OrderName { .lastSeen(of: self.field, code) }

    func isBuilt(in fleet: UnsafePointer<Fleet>) -> Bool {
        self.codes.allSatisfy { self.order($0, in: fleet).pointee.isComplete }
    }

    /// What finding the ends of the bounds costs, in nanoseconds.
    var seekingCost: Double { Double(self.codes.count) * StepCost.soughtRange }

    /// What it costs to take the next entry of all of them, in nanoseconds: it grows with what it is chosen from.
    var entryCost: Double {
        let levelCount = Int.bitWidth - (self.codes.count - 1).leadingZeroBitCount
        return StepCost.walkedRow + StepCost.mergedRow * Double(levelCount)
    }

    /// How many devices they have within the bounds. - Complexity: O(values × log n).
    func count(in fleet: UnsafePointer<Fleet>) -> Int {
        var count = 0
        self.forEachTree(in: fleet) { _, tree in count += tree.ranks(self.bounds).count }
        return count
    }

    /// Calls `body` with each order, which is built.
    @inline(__always)
    func forEachTree(in fleet: UnsafePointer<Fleet>, _ body: (TreeName, borrowing RankedTree) -> Void) {
        let now = Stopwatch.now
        for code in self.codes {
            let order = self.order(code, in: fleet)
            guard let tree = order.pointee.tree else { preconditionFailure("an index is read that is not built") }
            order.pointee.noteUse(now)
            body(.lazy(self.name(code)), tree.pointee)
        }
    }

    /// Takes note that they would have saved a query so many nanoseconds; those that would have saved more by now than building them
    /// takes are wished for.
    func noteMiss(_ saving: Double, in fleet: UnsafePointer<Fleet>) {
        let missing = self.codes.filter { !self.order($0, in: fleet).pointee.isBegun }
        for code in missing {
            let missed = self.order(code, in: fleet).pointee.noteMiss(Int64(saving / Double(missing.count)))
            let rowCount = Double(fleet.pointee.rowSet(code, in: self.field).count)
            let cost = Double(fleet.pointee.deviceCount) * StepCost.passedEntry + rowCount * StepCost.addedEntry
            if Double(missed) >= cost { fleet.pointee.wish.make(self.name(code)) }
        }
    }
}

extension QueryPlan {
    /// The cheapest walk along partial indexes that has all matches by `last_seen`.
    ///
    /// - Parameters:
    ///   - count: how many first matches it is to find.
    ///   - isBuilt: whether it is to go along indexes that are built, or along such as are not.
    func partialWalk(ofMatches count: Double, isBuilt: Bool) -> PlannedWalk? {
        let (bounds, seenPlace) = self.parts.seen
        let seenShare = seenPlace.map { self.parts[$0].share } ?? 1
        var best: PlannedWalk?
        for place in self.parts.indices {
            let partials = PartialIndexes(self.parts[place].condition, seenIn: bounds, in: self.fleet)
            guard let partials, partials.isBuilt(in: self.fleet) == isBuilt else { continue }
            let entryCount = Int(Double(partials.rowCount) * seenShare)
            var walk = PlannedWalk(
                ranks: 0..<entryCount, partials: partials, residual: .always, share: 1, askingCost: 0)
            for other in self.parts.indices where other != place && other != seenPlace { walk.ask(self.parts[other]) }
            if walk.cost(ofMatches: count) < best?.cost(ofMatches: count) ?? .infinity { best = walk }
        }
        return best
    }

    /// Takes note of what partial indexes that are not built would have saved.
    ///
    /// - Parameters:
    ///   - cost: what the query cost, in nanoseconds, as far as that is known, or else was expected to.
    ///   - wanted: the matches that it was to find.
    ///   - progress: what it had to ask as a share of the entries in which it was expected to find them. Where matches lie closer
    ///     together than expected, or farther apart, they do so in the indexes as well.
    func noteMisses(cost: Double, _ wanted: WantedMatches, progress: Double = 1) {
        guard cost > 2 * StepCost.plan else { return }
        // All devices of a value its own set has as well: they are in no index for the sake of that.
        if self.parts.seen.place == nil, wanted.count == .infinity { return }
        let walk = self.partialWalk(ofMatches: wanted.count, isBuilt: false)
        guard let walk, let partials = walk.partials else { return }
        let possible =
            switch wanted {
            case .counted where walk.residual.isAlways: partials.seekingCost
            case .first:
                partials.seekingCost + walk.entryCost
                    * min(walk.entryCount(ofMatches: wanted.count) * progress, Double(walk.ranks.count))
            case .counted, .all:
                partials.seekingCost + Double(walk.ranks.count) * (StepCost.walkedRow + walk.askingCost)
            }
        if possible < cost { partials.noteMiss(cost - possible, in: self.fleet) }
    }
}

/// Which matches a query is to find.
enum WantedMatches {
    /// So many by `last_seen`, whichever way.
    case first(Int)
    /// All of them, in no order.
    case all
    /// How many there are.
    case counted

    /// How many at most.
    var count: Double {
        if case .first(let count) = self { Double(count) } else { .infinity }
    }
}

extension [PlanPart] {
    /// Within which bounds devices were last seen, as far as a part says that, and at which place it does.
    var seen: (bounds: ClosedRange<Int64>, place: Int?) {
        for place in self.indices {
            if case .test(.number(.lastSeen, let bounds), isNegated: false) = self[place].condition {
                return (bounds, place)
            }
        }
        return (.min ... .max, nil)
    }
}

extension Condition {
    /// How many rows match, where it asks for values and a span of time and for nothing else, and partial indexes know that.
    func partialCount(in fleet: UnsafePointer<Fleet>) -> Int? {
        guard case .all(let parts) = self, parts.count == 2 else { return nil }
        for (place, other) in [(0, 1), (1, 0)] {
            if case .test(.number(.lastSeen, let bounds), isNegated: false) = parts[place],
                let partials = PartialIndexes(parts[other], seenIn: bounds, in: fleet), partials.isBuilt(in: fleet)
            {
                return partials.count(in: fleet)
            }
        }
        return nil
    }
}
