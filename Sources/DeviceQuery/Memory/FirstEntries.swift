// The first of many entries, without sorting the rest.

/// Which of two entries comes first: a total order.
protocol EntryOrder {
    associatedtype Entry: BitwiseCopyable

    func isBefore(_ left: Entry, _ right: Entry) -> Bool
}

/// Keeps the first entries of an order: it collects up to twice as many, then lets go of the later half, and from then on of whatever
/// comes after the last one kept.
///
/// - Complexity: O(1) amortised for an entry, expected; O(limit × log limit) at the end.
struct FirstEntries<Order: EntryOrder>: ~Copyable {
    let order: Order
    private let limit: Int
    private let capacity: Int
    private var entries: Column<Order.Entry>
    /// Every entry seen that does not come after this one is kept; nil while all are.
    private var last: Order.Entry?
    /// Every entry kept was taken out after others had been let go: which one is first now is not known any more.
    private var isSpent = false
    private var pivotSeed: UInt64 = 0x9E37_79B9_7F4A_7C15

    private static var slackMin: Int { 256 }
    private static var slackMax: Int { 65_536 }
    private static var insertionSortCountMax: Int { 12 }

    /// - Parameters:
    ///   - limit: how many first entries are wanted, at least 1.
    ///   - expectedCount: how many are expected to be inserted.
    init(_ order: Order, limit: Int, expectedCount: Int) {
        precondition(limit > 0, "a selection keeps at least one entry")
        self.order = order
        self.limit = limit
        self.capacity = limit + max(Self.slackMin, min(limit, Self.slackMax))
        self.entries = Column(capacity: min(self.capacity, 2_048, max(expectedCount, 32)))
    }

    /// Whether as many entries as are wanted were seen.
    var isFull: Bool { self.last != nil || self.entries.count >= self.limit }

    /// How many first entries of all that were seen it has for certain.
    var certainCount: Int { self.isSpent ? 0 : self.last == nil ? .max : self.entries.count }

    @inline(__always)
    mutating func insert(_ entry: Order.Entry) {
        if self.isSpent { return }
        if let last = self.last, self.order.isBefore(last, entry) { return }
        self.entries.append(entry)
        if self.entries.count == self.capacity { self.shrink() }
    }

    /// Inserts `count` entries; whether one is kept is no branch, which would be guessed wrong too often.
    @inline(__always)
    mutating func insert(_ count: Int, _ entry: (Int) -> Order.Entry) {
        if self.isSpent { return }
        let start = self.entries.appendRoom(count)
        let room = self.entries.base + start
        var kept = 0
        if let last = self.last {
            for index in 0..<count {
                let entry = entry(index)
                room[kept] = entry
                kept &+= self.order.isBefore(last, entry) ? 0 : 1
            }
        } else {
            for index in 0..<count { room[index] = entry(index) }
            kept = count
        }
        self.entries.removeLast(count - kept)
        if self.entries.count >= self.capacity { self.shrink() }
    }

    private mutating func shrink() {
        self.select(self.limit - 1)
        self.entries.removeLast(self.entries.count - self.limit)
        self.last = self.entries[self.limit - 1]
    }

    /// Takes out an entry that was inserted, if it is kept. - Complexity: O(limit).
    ///
    /// - Parameter isSame: whether an entry is the one that goes.
    mutating func remove(_ entry: Order.Entry, where isSame: (Order.Entry) -> Bool) {
        if self.isSpent { return }
        if let last = self.last, !isSame(last), self.order.isBefore(last, entry) { return }
        guard let index = (0..<self.entries.count).first(where: { isSame(self.entries.base[$0]) }) else { return }
        self.entries.base[index] = self.entries.base[self.entries.count - 1]
        self.entries.removeLast()
        // What stands for the last one kept must be there to be compared with.
        guard let last = self.last, isSame(last) else { return }
        guard self.entries.count > 0 else {
            self.isSpent = true
            return
        }
        var latest = self.entries[0]
        for index in 0..<self.entries.count where self.order.isBefore(latest, self.entries.base[index]) {
            latest = self.entries.base[index]
        }
        self.last = latest
    }

    /// The first entries, up to the limit, in order.
    consuming func sorted() -> Column<Order.Entry> {
        self.sort(0, self.entries.count, upTo: self.limit)
        if self.entries.count > self.limit { self.entries.removeLast(self.entries.count - self.limit) }
        return self.entries
    }

    // MARK: Sorting

    /// Puts the entry of a rank where it belongs, and those before it to its left, in no order.
    private mutating func select(_ rank: Int) {
        var (start, stop) = (0, self.entries.count)
        while stop - start > 1 {
            let middle = self.partition(start, stop)
            if middle == rank { return }
            if middle < rank { start = middle + 1 } else { stop = middle }
        }
    }

    /// Sorts the entries of a range as far as the first `end` places go: quicksort that leaves the later parts alone.
    private mutating func sort(_ start: Int, _ count: Int, upTo end: Int) {
        var stop = start + count
        while stop - start > Self.insertionSortCountMax {
            let middle = self.partition(start, stop)
            if middle + 1 < end { self.sort(middle + 1, stop - middle - 1, upTo: end) }
            stop = middle
        }
        self.insertionSort(start, stop)
    }

    /// Puts an entry where it belongs, those before it to its left, and tells where that is.
    private mutating func partition(_ start: Int, _ stop: Int) -> Int {
        let entries = self.entries.base
        // Drawn, so that nobody can arrange for entries that take long.
        self.pivotSeed = self.pivotSeed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let drawn = start + Int((self.pivotSeed >> 33) % UInt64(stop - start))
        let pivot = entries[drawn]
        entries[drawn] = entries[stop - 1]
        var middle = start
        for index in start..<(stop - 1) {
            let entry = entries[index]
            entries[index] = entries[middle]
            entries[middle] = entry
            middle += self.order.isBefore(entry, pivot) ? 1 : 0
        }
        entries[stop - 1] = entries[middle]
        entries[middle] = pivot
        return middle
    }

    private mutating func insertionSort(_ start: Int, _ stop: Int) {
        let entries = self.entries.base
        for index in start..<stop where index > start {
            let entry = entries[index]
            var place = index
            while place > start, self.order.isBefore(entry, entries[place - 1]) {
                entries[place] = entries[place - 1]
                place -= 1
            }
            entries[place] = entry
        }
    }
}
