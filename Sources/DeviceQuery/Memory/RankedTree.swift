// Numbers in the order of a value: a B+ tree that knows how many entries lie on each side.

internal import CRollcallShims
internal import Glibc

/// Which of two numbers under the same value comes first.
protocol TieBreaker {
    func isBefore(_ left: UInt32, _ right: UInt32) -> Bool
}

/// Numbers (of rows, codes or slots) by an integer and, among equal ones, by what they stand for, with ranks: the place of a value
/// and the entry at a place are both found from the root.
///
/// An entry takes 12 bytes in a leaf. Entries that come at the end, as new ids and new times do, fill their leaf to the last place.
///
/// What breaks ties lies outside of the tree and must not change while a number is in it: a number is removed first, then what it
/// stands for is changed, then it is inserted anew.
/// - Complexity: O(log n) to insert, remove and seek, with at most 1.5 KiB moved in each of two nodes: nothing grows with the
///   count but the height. O(1) amortised for a step to the next entry.
struct RankedTree: ~Copyable {
    var root: UnsafeMutableRawPointer
    /// Levels of branches above the leaves.
    var height = 0
    var count = 0
    var leafCount = 1
    var branchCount = 0

    init() {
        self.root = TreeLeaf.make().block
    }

    deinit {
        Self.destroy(self.root, height: self.height)
    }

    var byteCount: Int {
        self.leafCount * TreeLeaf.byteCount + self.branchCount * TreeBranch.byteCount
    }

    // MARK: Reading

    /// How many entries come before a place: those of smaller values, and of equal ones those that `isBefore` accepts.
    ///
    /// - Parameter isBefore: true for some first entries under `value` and false for the rest of them.
    @inline(__always)
    func rank(_ value: Int64, where isBefore: (UInt32) -> Bool) -> Int {
        var search = RankSearch(self)
        for _ in 0..<self.height {
            search.prefetch()
            search.descend(value, isBefore)
        }
        return search.rank(value, isBefore)
    }

    /// How many entries have smaller values.
    func rank(below value: Int64) -> Int {
        self.rank(value) { _ in false }
    }

    /// The ranks of the entries with values in `bounds`.
    func ranks(_ bounds: ClosedRange<Int64>) -> Range<Int> {
        if bounds.lowerBound == .min || bounds.upperBound == .max {
            let start = bounds.lowerBound == .min ? 0 : self.rank(below: bounds.lowerBound)
            return start..<(bounds.upperBound == .max ? self.count : self.rank(below: bounds.upperBound + 1))
        }
        // Both ends are searched for together, so that their waiting overlaps.
        var (start, end) = (RankSearch(self), RankSearch(self))
        for _ in 0..<self.height {
            start.prefetch()
            end.prefetch()
            start.descend(bounds.lowerBound) { _ in false }
            end.descend(bounds.upperBound + 1) { _ in false }
        }
        start.prefetch()
        end.prefetch()
        return start.rank(bounds.lowerBound) { _ in false }..<end.rank(bounds.upperBound + 1) { _ in false }
    }

    /// The number at a place, given as for ``rank(_:where:)``, if an entry of that value is there.
    func number(_ value: Int64, where isBefore: (UInt32) -> Bool) -> UInt32? {
        var node = self.root
        for _ in 0..<self.height {
            let branch = TreeBranch(block: node)
            // An entry that begins a subtree is found from the subtree before it: its rank is that one's end.
            node = branch.children[branch.child(value, isBefore)]
        }
        var leaf = TreeLeaf(block: node)
        var index = leaf.rank(value, isBefore)
        if index == leaf.count {
            guard let next = leaf.next else { return nil }
            leaf = next
            index = 0
        }
        guard index < leaf.count, leaf.values[index] == value else { return nil }
        return leaf.numbers[index]
    }

    func entry(at rank: Int) -> RankedEntry {
        precondition(rank >= 0 && rank < self.count, "the tree ends before this rank")
        let place = self.place(of: rank)
        return place.leaf.entry(at: place.index)
    }

    /// Calls `body` with each number of `ranks`, from the last one down if `isDescending`, until it returns false.
    @inline(__always)
    func forEach(in ranks: Range<Int>, isDescending: Bool, _ body: (UInt32) -> Bool) {
        self.forEachRun(in: ranks, isDescending: isDescending) { run in
            if isDescending {
                var index = run.count
                while index > 0 {
                    index -= 1
                    guard body(run[index]) else { return false }
                }
            } else {
                for number in run {
                    guard body(number) else { return false }
                }
            }
            return true
        }
    }

    /// Calls `body` with the numbers of `ranks` as they lie side by side, ascending within each run; the last run first if
    /// `isDescending`; until it returns false.
    @inline(__always)
    func forEachRun(in ranks: Range<Int>, isDescending: Bool, _ body: (UnsafeBufferPointer<UInt32>) -> Bool) {
        guard !ranks.isEmpty else { return }
        precondition(ranks.lowerBound >= 0 && ranks.upperBound <= self.count, "the tree ends before these ranks")
        var rest = ranks
        var place = self.place(of: isDescending ? ranks.upperBound - 1 : ranks.lowerBound)
        place.prefetchSiblings(isDescending, entryCount: rest.count)
        while true {
            let leaf = place.leaf
            let count = min(rest.count, isDescending ? place.index + 1 : leaf.count - place.index)
            let start = isDescending ? place.index + 1 - count : place.index
            guard body(UnsafeBufferPointer(start: leaf.numbers + start, count: count)), count < rest.count else {
                return
            }
            rest =
                isDescending ? rest.lowerBound..<(rest.upperBound - count) : (rest.lowerBound + count)..<rest.upperBound
            if !place.moveToSibling(isDescending) {
                place = self.place(of: isDescending ? rest.upperBound - 1 : rest.lowerBound)
                place.prefetchSiblings(isDescending, entryCount: rest.count)
            }
        }
    }

    /// Calls `body` with up to `count` numbers on one side of a place, which is given as for ``rank(_:where:)``, as they lie side by
    /// side: if `isDescending` those before it, from the last run on, or else the others; until it returns false.
    ///
    /// No rank is found on the way: that is what a walk from a place takes less than one between ranks.
    @inline(__always)
    func forEachRun(
        from value: Int64, count: Int, isDescending: Bool, where isBefore: (UInt32) -> Bool,
        _ body: (UnsafeBufferPointer<UInt32>) -> Bool
    ) {
        var rest = count
        var place = self.place(value, where: isBefore)
        place.prefetchSiblings(isDescending, entryCount: rest)
        if isDescending { place.index -= 1 }
        while true {
            let leaf = place.leaf
            let count = min(rest, isDescending ? place.index + 1 : leaf.count - place.index)
            let start = isDescending ? place.index + 1 - count : place.index
            if count > 0 {
                guard body(UnsafeBufferPointer(start: leaf.numbers + start, count: count)) else { return }
            }
            rest -= count
            guard rest > 0, place.moveToNeighbour(isDescending) else { return }
        }
    }

    /// The entries at some ranks, one after another; from the last one down if `isDescending`. There must be one at least.
    func cursor(in ranks: Range<Int>, isDescending: Bool) -> RankedCursor {
        precondition(!ranks.isEmpty && ranks.upperBound <= self.count, "a cursor begins at an entry of the tree")
        let place = self.place(of: isDescending ? ranks.upperBound - 1 : ranks.lowerBound)
        return RankedCursor(place, count: ranks.count, isDescending: isDescending)
    }

    /// The place of the first entry that does not come before one that is given as for ``rank(_:where:)``.
    @inline(__always)
    private func place(_ value: Int64, where isBefore: (UInt32) -> Bool) -> LeafPlace {
        var search = LeafPlace(leaf: TreeLeaf(block: self.root))
        for _ in 0..<self.height {
            search.leaf.prefetchValues()
            let branch = TreeBranch(block: search.leaf.block)
            let child = branch.child(value, isBefore)
            search = LeafPlace(leaf: TreeLeaf(block: branch.children[child]), parent: branch, child: child)
        }
        search.leaf.prefetchValues()
        search.index = search.leaf.rank(value, isBefore)
        return search
    }

    private func place(of rank: Int) -> LeafPlace {
        var rest = rank
        var count = self.count
        var node = self.root
        var place = LeafPlace(leaf: TreeLeaf(block: node))
        for _ in 0..<self.height {
            let branch = TreeBranch(block: node)
            let child = branch.child(at: &rest, of: count)
            count = branch.counts[child]
            node = branch.children[child]
            place = LeafPlace(leaf: TreeLeaf(block: node), parent: branch, child: child)
        }
        place.index = rest
        return place
    }

    private static func destroy(_ node: UnsafeMutableRawPointer, height: Int) {
        if height > 0 {
            let branch = TreeBranch(block: node)
            for index in 0..<branch.childCount {
                Self.destroy(branch.children[index], height: height - 1)
            }
        }
        free(node)
    }
}

/// A search for a place on its way down a tree.
private struct RankSearch {
    private var node: UnsafeMutableRawPointer
    /// How many entries lie before the node.
    private var rank = 0
    /// How many entries it has.
    private var count: Int

    @inline(__always)
    init(_ tree: borrowing RankedTree) {
        self.node = tree.root
        self.count = tree.count
    }

    /// See ``TreeLeaf/prefetchValues()``.
    @inline(__always)
    func prefetch() { TreeLeaf(block: self.node).prefetchValues() }

    /// Goes on from a branch to one of its subtrees.
    @inline(__always)
    mutating func descend(_ value: Int64, _ isBefore: (UInt32) -> Bool) {
        let branch = TreeBranch(block: self.node)
        let index = branch.child(value, isBefore)
        self.rank += branch.entryCount(before: index, of: self.count)
        self.count = branch.counts[index]
        self.node = branch.children[index]
    }

    /// The rank, once it has come to a leaf.
    @inline(__always)
    func rank(_ value: Int64, _ isBefore: (UInt32) -> Bool) -> Int {
        self.rank + TreeLeaf(block: self.node).rank(value, isBefore)
    }
}
