// The nodes of an ordered index, as they lie in memory.

internal import CRollcallShims
internal import Glibc

/// A number under its value.
struct RankedEntry: BitwiseCopyable, Hashable {
    var value: Int64
    var number: UInt32
}

/// A leaf: up to 128 numbers in order, each with its value beside it. What breaks ties is looked up only among equal values.
///
/// This is a handle. Invariant: it is used only while the tree that made the leaf holds it.
struct TreeLeaf: BitwiseCopyable {
    let block: UnsafeMutableRawPointer

    static var capacity: Int { 128 }
    private static var valuesOffset: Int { 24 }
    private static var numbersOffset: Int { Self.valuesOffset + Self.capacity * 8 }
    static var byteCount: Int { Self.numbersOffset + Self.capacity * 4 }
    /// Cache lines in which a leaf has its count and its values; a branch has its values and its subtrees in as many.
    private static var valueLineCount: Int { Self.numbersOffset / 64 + 1 }

    static func make() -> TreeLeaf {
        let leaf = TreeLeaf(block: allocated(malloc(Self.byteCount)))
        leaf.count = 0
        leaf.previous = nil
        leaf.next = nil
        return leaf
    }

    var count: Int {
        @inline(__always) get { self.block.load(as: Int.self) }
        nonmutating set { self.block.storeBytes(of: newValue, as: Int.self) }
    }

    var previous: TreeLeaf? {
        get { self.block.load(fromByteOffset: 8, as: UnsafeMutableRawPointer?.self).map(TreeLeaf.init(block:)) }
        nonmutating set {
            self.block.storeBytes(of: newValue?.block, toByteOffset: 8, as: UnsafeMutableRawPointer?.self)
        }
    }

    var next: TreeLeaf? {
        get { self.block.load(fromByteOffset: 16, as: UnsafeMutableRawPointer?.self).map(TreeLeaf.init(block:)) }
        nonmutating set {
            self.block.storeBytes(of: newValue?.block, toByteOffset: 16, as: UnsafeMutableRawPointer?.self)
        }
    }

    @inline(__always)
    var values: UnsafeMutablePointer<Int64> {
        (self.block + Self.valuesOffset).assumingMemoryBound(to: Int64.self)
    }

    @inline(__always)
    var numbers: UnsafeMutablePointer<UInt32> {
        (self.block + Self.numbersOffset).assumingMemoryBound(to: UInt32.self)
    }

    @inline(__always)
    func entry(at index: Int) -> RankedEntry {
        RankedEntry(value: self.values[index], number: self.numbers[index])
    }

    /// How many entries come before a place: those of smaller values, and of equal ones those that `isBefore` accepts.
    @inline(__always)
    func rank(_ value: Int64, _ isBefore: (UInt32) -> Bool) -> Int {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) >> 1
            let candidate = self.values[middle]
            if candidate == value ? isBefore(self.numbers[middle]) : candidate < value {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    /// Where an entry is. What breaks ties is not looked at: it would have to be waited for.
    @inline(__always)
    func index(of entry: RankedEntry) -> Int? {
        var index = self.rank(entry.value) { _ in false }
        while index < self.count, self.values[index] == entry.value {
            if self.numbers[index] == entry.number { return index }
            index += 1
        }
        return nil
    }

    /// Begins to fetch what the comparisons of a search read, in a leaf or a branch: they wait once, not one after the other.
    @inline(__always)
    func prefetchValues() {
        for line in 0..<Self.valueLineCount { rollcall_prefetch(self.block + line * 64) }
    }

    /// Begins to fetch all of a leaf that will be changed, or of a branch the greater part.
    @inline(__always)
    func prefetch() {
        for line in 0..<(Self.byteCount + 63) / 64 { rollcall_prefetch(self.block + line * 64) }
    }

    /// Begins to fetch the numbers, and with the count what tells the next leaf.
    @inline(__always)
    func prefetchNumbers() {
        rollcall_prefetch(self.block)
        for index in stride(from: 0, to: Self.capacity, by: 16) { rollcall_prefetch(self.numbers + index) }
    }

    func insert(_ entry: RankedEntry, at index: Int) {
        let moved = self.count - index
        memmove(self.values + index + 1, self.values + index, moved * 8)
        memmove(self.numbers + index + 1, self.numbers + index, moved * 4)
        self.values[index] = entry.value
        self.numbers[index] = entry.number
        self.count += 1
    }

    func remove(at index: Int) {
        self.count -= 1
        let moved = self.count - index
        memmove(self.values + index, self.values + index + 1, moved * 8)
        memmove(self.numbers + index, self.numbers + index + 1, moved * 4)
    }

    /// Moves the entries from `index` on to the end of `other`.
    func move(from index: Int, to other: TreeLeaf) {
        let moved = self.count - index
        memcpy(other.values + other.count, self.values + index, moved * 8)
        memcpy(other.numbers + other.count, self.numbers + index, moved * 4)
        other.count += moved
        self.count = index
    }

    /// Puts `new` right after this leaf.
    func link(_ new: TreeLeaf) {
        new.previous = self
        new.next = self.next
        self.next?.previous = new
        self.next = new
    }

    /// Takes this leaf out of the chain and gives its memory back.
    func unlinkAndFree() {
        self.previous?.next = self.next
        self.next?.previous = self.previous
        free(self.block)
    }
}

/// An inner node: up to 64 subtrees, each with how many entries it has and the first of them.
///
/// The first entry of the first subtree is not kept true: whatever comes before the second subtree belongs to the first.
/// This is a handle, under the same invariant as ``TreeLeaf``.
struct TreeBranch: BitwiseCopyable {
    let block: UnsafeMutableRawPointer

    static var capacity: Int { 64 }
    private static var valuesOffset: Int { 16 }
    private static var childrenOffset: Int { Self.valuesOffset + Self.capacity * 8 }
    private static var countsOffset: Int { Self.childrenOffset + Self.capacity * 8 }
    private static var numbersOffset: Int { Self.countsOffset + Self.capacity * 8 }
    static var byteCount: Int { Self.numbersOffset + Self.capacity * 4 }

    static func make() -> TreeBranch {
        let branch = TreeBranch(block: allocated(malloc(Self.byteCount)))
        branch.childCount = 0
        return branch
    }

    var childCount: Int {
        @inline(__always) get { self.block.load(as: Int.self) }
        nonmutating set { self.block.storeBytes(of: newValue, as: Int.self) }
    }

    /// The value of the first entry of each subtree.
    @inline(__always)
    var values: UnsafeMutablePointer<Int64> {
        (self.block + Self.valuesOffset).assumingMemoryBound(to: Int64.self)
    }

    /// The number of the first entry of each subtree.
    @inline(__always)
    var numbers: UnsafeMutablePointer<UInt32> {
        (self.block + Self.numbersOffset).assumingMemoryBound(to: UInt32.self)
    }

    @inline(__always)
    var children: UnsafeMutablePointer<UnsafeMutableRawPointer> {
        (self.block + Self.childrenOffset).assumingMemoryBound(to: UnsafeMutableRawPointer.self)
    }

    /// Entries in each subtree.
    @inline(__always)
    var counts: UnsafeMutablePointer<Int> {
        (self.block + Self.countsOffset).assumingMemoryBound(to: Int.self)
    }

    /// Entries in the subtrees before one, of `total` in all: it adds up the shorter side.
    @inline(__always)
    func entryCount(before index: Int, of total: Int) -> Int {
        let childCount = self.childCount
        if index * 2 <= childCount {
            var sum = 0
            for earlier in 0..<index { sum &+= self.counts[earlier] }
            return sum
        }
        var rest = total
        for later in index..<childCount { rest &-= self.counts[later] }
        return rest
    }

    /// The subtree that has the entry at a rank, which becomes the rank within it; it begins at the nearer end of `total` entries.
    @inline(__always)
    func child(at rank: inout Int, of total: Int) -> Int {
        if rank < total / 2 {
            var index = 0
            while rank >= self.counts[index] {
                rank -= self.counts[index]
                index += 1
            }
            return index
        }
        var index = self.childCount - 1
        var start = total - self.counts[index]
        while rank < start {
            index -= 1
            start -= self.counts[index]
        }
        rank -= start
        return index
    }

    /// Entries in all subtrees.
    var entryCount: Int {
        var sum = 0
        for index in 0..<self.childCount { sum += self.counts[index] }
        return sum
    }

    @inline(__always)
    func first(of index: Int) -> RankedEntry {
        RankedEntry(value: self.values[index], number: self.numbers[index])
    }

    func setFirst(_ entry: RankedEntry, of index: Int) {
        self.values[index] = entry.value
        self.numbers[index] = entry.number
    }

    /// The last subtree that begins before a place, as ``TreeLeaf/rank(_:_:)`` has it.
    @inline(__always)
    func child(_ value: Int64, _ isBefore: (UInt32) -> Bool) -> Int {
        var low = 1
        var high = self.childCount
        while low < high {
            let middle = (low + high) >> 1
            let candidate = self.values[middle]
            if candidate == value ? isBefore(self.numbers[middle]) : candidate < value {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low - 1
    }

    func insert(_ first: RankedEntry, _ child: UnsafeMutableRawPointer, _ count: Int, at index: Int) {
        let moved = self.childCount - index
        memmove(self.values + index + 1, self.values + index, moved * 8)
        memmove(self.numbers + index + 1, self.numbers + index, moved * 4)
        memmove(self.children + index + 1, self.children + index, moved * 8)
        memmove(self.counts + index + 1, self.counts + index, moved * 8)
        self.setFirst(first, of: index)
        self.children[index] = child
        self.counts[index] = count
        self.childCount += 1
    }

    func remove(at index: Int) {
        self.childCount -= 1
        let moved = self.childCount - index
        memmove(self.values + index, self.values + index + 1, moved * 8)
        memmove(self.numbers + index, self.numbers + index + 1, moved * 4)
        memmove(self.children + index, self.children + index + 1, moved * 8)
        memmove(self.counts + index, self.counts + index + 1, moved * 8)
    }

    /// Moves the subtrees from `index` on to the end of `other`.
    func move(from index: Int, to other: TreeBranch) {
        let moved = self.childCount - index
        memcpy(other.values + other.childCount, self.values + index, moved * 8)
        memcpy(other.numbers + other.childCount, self.numbers + index, moved * 4)
        memcpy(other.children + other.childCount, self.children + index, moved * 8)
        memcpy(other.counts + other.childCount, self.counts + index, moved * 8)
        other.childCount += moved
        self.childCount = index
    }
}
