// The first of many entries, without sorting the rest.

/// Which of two entries comes first: a total order.
protocol EntryOrder {
    associatedtype Entry: BitwiseCopyable

    /// Decides between most entries: those of smaller numbers come first.
    func prefix(_ entry: Entry) -> UInt64
    /// Decides between entries of the same prefix.
    func isBefore(_ left: Entry, _ right: Entry) -> Bool
}

extension EntryOrder {
    /// Whether an entry comes before another as 1 or 0: to be added up where a branch would be guessed wrong too often.
    @inline(__always)
    fileprivate func precedence(_ left: Entry, _ right: Entry) -> Int {
        let (first, second) = (self.prefix(left), self.prefix(right))
        if first == second { return self.isBefore(left, right) ? 1 : 0 }
        // What is borrowed where the first is smaller: beside the branch for equal ones, a comparison would become a branch too.
        return Int(truncatingIfNeeded: (UInt128(first) &- UInt128(second)) >> 127)
    }
}

/// Keeps the first entries of an order: it collects up to twice as many, then lets go of the later part, and from then on of whatever
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
    /// Up to so many entries are first taken to be nearly in order, as the groups of a count often are.
    private static var orderedCountMax: Int { 64 }
    /// Entries among which one is found that lies about where an entry is wanted.
    private static var sampleCount: Int { 7 }

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
        if let last = self.last, self.order.precedence(last, entry) == 1 { return }
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
                kept &+= 1 &- self.order.precedence(last, entry)
            }
        } else {
            for index in 0..<count { room[index] = entry(index) }
            kept = count
        }
        self.entries.removeLast(count - kept)
        if self.entries.count >= self.capacity { self.shrink() }
    }

    private mutating func shrink() {
        let kept = self.select(atLeast: self.limit, atMost: self.limit + (self.capacity - self.limit) / 16)
        self.entries.removeLast(self.entries.count - kept)
        self.last = self.entries[kept - 1]
    }

    /// Takes out an entry that was inserted, if it is kept. - Complexity: O(limit).
    ///
    /// - Parameter isSame: whether an entry is the one that goes.
    mutating func remove(_ entry: Order.Entry, where isSame: (Order.Entry) -> Bool) {
        if self.isSpent { return }
        if let last = self.last, !isSame(last), self.order.precedence(last, entry) == 1 { return }
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
        for index in 0..<self.entries.count where self.order.precedence(latest, self.entries.base[index]) == 1 {
            latest = self.entries.base[index]
        }
        self.last = latest
    }

    /// The first entries, up to the limit, in order.
    consuming func sorted() -> Column<Order.Entry> {
        let count = self.entries.count
        let isSmall = count <= Self.orderedCountMax
        if !isSmall || !self.insertionSort(0, count, moveCountMax: 4 * count) {
            self.sort(0, count, upTo: self.limit)
        }
        if self.entries.count > self.limit { self.entries.removeLast(self.entries.count - self.limit) }
        return self.entries
    }

    // MARK: Sorting

    /// Puts some first entries in front of the others, in no order but for the last of them, and tells how many: what their count
    /// is need not be known before, and finding a certain one would take longer.
    private mutating func select(atLeast least: Int, atMost most: Int) -> Int {
        var (start, stop) = (0, self.entries.count)
        while stop - start > 1 {
            let middle = self.partition(start, stop, near: (least + most) / 2)
            if middle + 1 < least {
                start = middle + 1
            } else if middle + 1 > most {
                stop = middle
            } else {
                return middle + 1
            }
        }
        return least
    }

    /// Sorts the entries of a range as far as the first `end` places go: quicksort that leaves the later parts alone.
    private mutating func sort(_ start: Int, _ count: Int, upTo end: Int) {
        var stop = start + count
        while stop - start > Self.insertionSortCountMax {
            let middle = self.partition(start, stop, near: end < stop ? end : (start + stop) / 2)
            if middle + 1 < end { self.sort(middle + 1, stop - middle - 1, upTo: end) }
            stop = middle
        }
        self.insertionSort(start, stop)
    }

    /// Puts an entry where it belongs, those before it to its left, and tells where that is: most likely close to `place`.
    private mutating func partition(_ start: Int, _ stop: Int, near place: Int) -> Int {
        let entries = self.entries.base
        let drawn = self.pivot(start, stop, near: place)
        let pivot = entries[drawn]
        entries[drawn] = entries[stop - 1]
        var middle = start
        for index in start..<(stop - 1) {
            let entry = entries[index]
            entries[index] = entries[middle]
            entries[middle] = entry
            middle &+= self.order.precedence(entry, pivot)
        }
        entries[stop - 1] = entries[middle]
        entries[middle] = pivot
        return middle
    }

    /// An entry that is likely to belong about where `place` is: the one of that rank among a few.
    private mutating func pivot(_ start: Int, _ stop: Int, near place: Int) -> Int {
        let count = stop - start
        guard count > Self.sampleCount * 8 else { return start + self.draw(count) }
        let entries = self.entries.base + start
        for index in 0..<Self.sampleCount {
            let drawn = index + self.draw(count - index)
            let entry = entries[drawn]
            entries[drawn] = entries[index]
            entries[index] = entry
        }
        self.insertionSort(start, start + Self.sampleCount)
        return start + min(max(place - start, 0) * Self.sampleCount / count, Self.sampleCount - 1)
    }

    /// A number below `count`: drawn, so that nobody can arrange for entries that take long.
    private mutating func draw(_ count: Int) -> Int {
        self.pivotSeed = self.pivotSeed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(truncatingIfNeeded: (self.pivotSeed >> 32) &* UInt64(count) >> 32)
    }

    /// - Parameter moveCountMax: with more entries moved it gives up.
    /// - Returns: whether the range is sorted.
    @discardableResult
    private mutating func insertionSort(_ start: Int, _ stop: Int, moveCountMax: Int = .max) -> Bool {
        let entries = self.entries.base
        var moveCount = 0
        for index in start..<stop where index > start {
            let entry = entries[index]
            var place = index
            while place > start, self.order.precedence(entry, entries[place - 1]) == 1 {
                entries[place] = entries[place - 1]
                place -= 1
            }
            entries[place] = entry
            moveCount += index - place
            if moveCount > moveCountMax { return false }
        }
        return true
    }
}
