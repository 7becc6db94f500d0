// Several ordered indexes read as one.

/// An entry of a tree on the way to one end of some ranks. It is used only while the tree does not change.
struct RankedCursor: BitwiseCopyable {
    private var place: LeafPlace
    /// How many entries are left, the present one counted.
    private(set) var count: Int
    private let isDescending: Bool

    init(_ place: LeafPlace, count: Int, isDescending: Bool) {
        self.place = place
        self.count = count
        self.isDescending = isDescending
        self.place.prefetchSiblings(isDescending, entryCount: count)
    }

    @inline(__always)
    var entry: RankedEntry { self.place.leaf.entry(at: self.place.index) }

    /// Goes on to the next entry, unless there is none left.
    @inline(__always)
    mutating func advance() -> Bool {
        self.count -= 1
        guard self.count > 0 else { return false }
        if self.isDescending ? self.place.index > 0 : self.place.index + 1 < self.place.leaf.count {
            self.place.index += self.isDescending ? -1 : 1
        } else {
            let isThere = self.place.moveToNeighbour(self.isDescending)
            precondition(isThere, "the tree ends before the ranks of a cursor")
        }
        return true
    }
}

/// The entries of several trees as one sequence, in the order of their values and of what breaks ties.
///
/// Which tree has the next entry cannot be foreseen, so it is found by a tournament without branches: each of its nodes keeps who
/// lost there, and the tree that had the last entry plays again on its way from its seat to the top.
/// - Complexity: O(log trees) an entry.
struct RankedMerge<Ties: TieBreaker>: ~Copyable {
    /// In the order in which trees were added; those without entries left stay.
    private let cursors: UnsafeMutablePointer<RankedCursor>
    private var cursorCount = 0
    /// Of each tree's next entry, what is smaller the sooner it comes; the largest number of all where there is none.
    private var keys = InlineArray<64, Int64>(repeating: 0)
    /// Who lost at each node. They are numbered from the top on, which is 1; below them come the trees.
    private var losers = InlineArray<64, Int>(repeating: 0)
    /// Who has the next entry.
    private var winner = 0
    /// How many entries are left.
    private(set) var count = 0
    private let ties: Ties
    private let isDescending: Bool
    /// What makes a key of a value: all bits are turned where entries descend.
    private let keyMask: Int64

    /// How many trees may be merged.
    static var treeCountMax: Int { 64 }

    /// - Parameter cursors: room for as many as there are trees, ``treeCountMax`` at most.
    init(_ cursors: UnsafeMutablePointer<RankedCursor>, _ ties: Ties, isDescending: Bool) {
        self.cursors = cursors
        self.ties = ties
        self.isDescending = isDescending
        self.keyMask = isDescending ? -1 : 0
    }

    /// Adds the entries at some ranks of a tree.
    mutating func add(_ tree: borrowing RankedTree, _ ranks: Range<Int>) {
        guard !ranks.isEmpty else { return }
        precondition(self.cursorCount < Self.treeCountMax, "a merge has room for \(Self.treeCountMax) trees")
        let cursor = tree.cursor(in: ranks, isDescending: self.isDescending)
        (self.cursors + self.cursorCount).initialize(to: cursor)
        self.keys[self.cursorCount] = cursor.entry.value ^ self.keyMask
        self.cursorCount += 1
        self.count += ranks.count
    }

    /// Finds the first entry of all: once, after the last tree was added and before anything is read.
    mutating func begin() {
        self.winner = self.cursorCount == 0 ? 0 : self.play(below: 1)
    }

    /// Writes the numbers of the next entries, up to `count` of them, and tells how many; none at the end only.
    ///
    /// - Parameter column: what will be read of them, which is fetched meanwhile.
    mutating func read(
        into numbers: UnsafeMutablePointer<UInt32>, count: Int, fetching column: ColumnPrefetch?
    ) -> Int {
        let end = min(count, self.count)
        var winner = self.winner
        for read in 0..<end {
            let number = self.cursors[winner].entry.number
            numbers[read] = number
            column?.prefetch(number)
            // A tree without entries left comes behind all others.
            let isThere = self.cursors[winner].advance()
            winner = self.replay(winner, isThere ? self.cursors[winner].entry.value ^ self.keyMask : .max)
        }
        self.winner = winner
        self.count -= end
        return end
    }

    /// Plays a node and all below it.
    private mutating func play(below node: Int) -> Int {
        guard node < self.cursorCount else { return node - self.cursorCount }
        let (left, right) = (self.play(below: 2 * node), self.play(below: 2 * node + 1))
        let isRight = self.isBefore(right, self.keys[right], left, self.keys[left])
        self.losers[node] = isRight ? left : right
        return isRight ? right : left
    }

    /// Finds the next winner where the last one has a new entry.
    ///
    /// Unchecked: trees are numbered from 0 and nodes from 1, each below the count of trees.
    @inline(__always)
    private mutating func replay(_ winner: Int, _ key: Int64) -> Int {
        self.keys[unchecked: winner] = key
        var (winner, key) = (winner, key)
        var node = (winner &+ self.cursorCount) &>> 1
        while node > 0 {
            let loser = self.losers[unchecked: node]
            let loserKey = self.keys[unchecked: loser]
            // They change places or not without a branch, which would be guessed wrong half of the time.
            let change = self.isBefore(loser, loserKey, winner, key) ? -1 : 0
            self.losers[unchecked: node] = loser ^ ((winner ^ loser) & change)
            winner ^= (winner ^ loser) & change
            key ^= (key ^ loserKey) & Int64(change)
            node &>>= 1
        }
        return winner
    }

    /// Whether the next entry of one tree comes before that of another.
    @inline(__always)
    private func isBefore(_ left: Int, _ leftKey: Int64, _ right: Int, _ rightKey: Int64) -> Bool {
        leftKey == rightKey ? self.isTieBefore(left, right) : leftKey < rightKey
    }

    /// As ``isBefore(_:_:_:_:)`` for two trees with the same key, which a device that was never seen may share with a tree that has no
    /// entries left. It is seldom needed, and out of the way of the rest.
    @inline(never)
    private func isTieBefore(_ left: Int, _ right: Int) -> Bool {
        guard self.cursors[left].count > 0, self.cursors[right].count > 0 else { return self.cursors[left].count > 0 }
        let (left, right) = (self.cursors[left].entry.number, self.cursors[right].entry.number)
        return self.ties.isBefore(left, right) != self.isDescending
    }
}
