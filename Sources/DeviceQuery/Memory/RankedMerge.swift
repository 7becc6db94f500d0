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
struct RankedMerge<Ties: TieBreaker>: ~Copyable {
    /// Those with entries left, in the order of their entries; the next one is at the end.
    private let cursors: UnsafeMutablePointer<RankedCursor>
    private var cursorCount = 0
    /// How many entries are left.
    private(set) var count = 0
    private let ties: Ties
    private let isDescending: Bool

    /// - Parameter cursors: room for as many as there are trees.
    init(_ cursors: UnsafeMutablePointer<RankedCursor>, _ ties: Ties, isDescending: Bool) {
        self.cursors = cursors
        self.ties = ties
        self.isDescending = isDescending
    }

    /// Adds the entries at some ranks of a tree.
    mutating func add(_ tree: borrowing RankedTree, _ ranks: Range<Int>) {
        guard !ranks.isEmpty else { return }
        let cursor = tree.cursor(in: ranks, isDescending: self.isDescending)
        (self.cursors + self.cursorCount).initialize(to: cursor)
        self.cursorCount += 1
        self.count += ranks.count
        self.place()
    }

    /// Writes the numbers of the next entries, up to `count` of them, and tells how many; none at the end only.
    mutating func read(into numbers: UnsafeMutablePointer<UInt32>, count: Int) -> Int {
        var read = 0
        while read < count, self.cursorCount > 0 {
            let last = self.cursorCount - 1
            numbers[read] = self.cursors[last].entry.number
            read += 1
            if self.cursors[last].advance() {
                self.place()
            } else {
                self.cursorCount = last
            }
        }
        self.count -= read
        return read
    }

    /// Moves the last cursor to where its entry comes in the order.
    @inline(__always)
    private mutating func place() {
        var place = self.cursorCount - 1
        guard place > 0 else { return }
        let entry = self.cursors[place].entry
        guard self.isBefore(self.cursors[place - 1].entry, entry) else { return }
        let moved = self.cursors[place]
        repeat {
            self.cursors[place] = self.cursors[place - 1]
            place -= 1
        } while place > 0 && self.isBefore(self.cursors[place - 1].entry, entry)
        self.cursors[place] = moved
    }

    @inline(__always)
    private func isBefore(_ left: RankedEntry, _ right: RankedEntry) -> Bool {
        if left.value != right.value { return (left.value < right.value) != self.isDescending }
        return self.ties.isBefore(left.number, right.number) != self.isDescending
    }
}
