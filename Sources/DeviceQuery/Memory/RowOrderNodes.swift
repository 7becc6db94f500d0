// The nodes of an ordered index, as they lie in memory.

internal import Glibc

/// A place in an order: a value (a time in microseconds, or an id), then the device's id among equals.
struct OrderKey: BitwiseCopyable, Hashable, Comparable {
    var value: Int64
    var id: Int64

    @inline(__always)
    static func < (left: OrderKey, right: OrderKey) -> Bool {
        left.value < right.value || (left.value == right.value && left.id < right.id)
    }
}

/// A leaf: up to 128 rows in order, each with its value beside it. The id is read from the device only among equal values.
///
/// This is a handle. Invariant: it is used only while the tree that made the leaf holds it.
struct OrderLeaf: BitwiseCopyable {
    let block: UnsafeMutableRawPointer

    static var capacity: Int { 128 }
    private static var valuesOffset: Int { 24 }
    private static var rowsOffset: Int { Self.valuesOffset + Self.capacity * 8 }
    static var byteCount: Int { Self.rowsOffset + Self.capacity * 4 }

    static func make() -> OrderLeaf {
        let leaf = OrderLeaf(block: allocated(malloc(Self.byteCount)))
        leaf.count = 0
        leaf.previous = nil
        leaf.next = nil
        return leaf
    }

    var count: Int {
        @inline(__always) get { self.block.load(as: Int.self) }
        nonmutating set { self.block.storeBytes(of: newValue, as: Int.self) }
    }

    var previous: OrderLeaf? {
        get { self.block.load(fromByteOffset: 8, as: UnsafeMutableRawPointer?.self).map(OrderLeaf.init(block:)) }
        nonmutating set {
            self.block.storeBytes(of: newValue?.block, toByteOffset: 8, as: UnsafeMutableRawPointer?.self)
        }
    }

    var next: OrderLeaf? {
        get { self.block.load(fromByteOffset: 16, as: UnsafeMutableRawPointer?.self).map(OrderLeaf.init(block:)) }
        nonmutating set {
            self.block.storeBytes(of: newValue?.block, toByteOffset: 16, as: UnsafeMutableRawPointer?.self)
        }
    }

    @inline(__always)
    var values: UnsafeMutablePointer<Int64> {
        (self.block + Self.valuesOffset).assumingMemoryBound(to: Int64.self)
    }

    @inline(__always)
    var rows: UnsafeMutablePointer<UInt32> {
        (self.block + Self.rowsOffset).assumingMemoryBound(to: UInt32.self)
    }

    @inline(__always)
    func key(at index: Int, _ devices: UnsafePointer<DeviceRow>) -> OrderKey {
        OrderKey(value: self.values[index], id: devices[Int(self.rows[index])].id)
    }

    /// How many entries come before `key`, the entry with that very key counted if `inclusive`.
    @inline(__always)
    func rank(_ key: OrderKey, inclusive: Bool, _ devices: UnsafePointer<DeviceRow>) -> Int {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) >> 1
            let value = self.values[middle]
            let isBefore: Bool
            if value == key.value {
                let id = devices[Int(self.rows[middle])].id
                isBefore = inclusive ? id <= key.id : id < key.id
            } else {
                isBefore = value < key.value
            }
            if isBefore { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func insert(_ value: Int64, _ row: UInt32, at index: Int) {
        let moved = self.count - index
        memmove(self.values + index + 1, self.values + index, moved * 8)
        memmove(self.rows + index + 1, self.rows + index, moved * 4)
        self.values[index] = value
        self.rows[index] = row
        self.count += 1
    }

    func remove(at index: Int) {
        self.count -= 1
        let moved = self.count - index
        memmove(self.values + index, self.values + index + 1, moved * 8)
        memmove(self.rows + index, self.rows + index + 1, moved * 4)
    }

    /// Moves the entries from `index` on to the end of `other`.
    func move(from index: Int, to other: OrderLeaf) {
        let moved = self.count - index
        memcpy(other.values + other.count, self.values + index, moved * 8)
        memcpy(other.rows + other.count, self.rows + index, moved * 4)
        other.count += moved
        self.count = index
    }

    /// Puts `new` right after this leaf.
    func link(_ new: OrderLeaf) {
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

/// An inner node: up to 64 subtrees, each with how many entries it has and a key that none of them is below.
///
/// The key of the first subtree is not used: whatever comes before the second belongs to it.
/// This is a handle, under the same invariant as ``OrderLeaf``.
struct OrderBranch: BitwiseCopyable {
    let block: UnsafeMutableRawPointer

    static var capacity: Int { 64 }
    private static var keysOffset: Int { 16 }
    private static var childrenOffset: Int { Self.keysOffset + Self.capacity * 16 }
    private static var countsOffset: Int { Self.childrenOffset + Self.capacity * 8 }
    static var byteCount: Int { Self.countsOffset + Self.capacity * 8 }

    static func make() -> OrderBranch {
        let branch = OrderBranch(block: allocated(malloc(Self.byteCount)))
        branch.childCount = 0
        return branch
    }

    var childCount: Int {
        @inline(__always) get { self.block.load(as: Int.self) }
        nonmutating set { self.block.storeBytes(of: newValue, as: Int.self) }
    }

    @inline(__always)
    var keys: UnsafeMutablePointer<OrderKey> {
        (self.block + Self.keysOffset).assumingMemoryBound(to: OrderKey.self)
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

    /// Entries in all subtrees.
    var entryCount: Int {
        var sum = 0
        for index in 0..<self.childCount { sum += self.counts[index] }
        return sum
    }

    /// The subtree that `key` belongs to.
    @inline(__always)
    func child(for key: OrderKey) -> Int {
        var low = 1
        var high = self.childCount
        while low < high {
            let middle = (low + high) >> 1
            if key < self.keys[middle] { high = middle } else { low = middle + 1 }
        }
        return low - 1
    }

    func insert(_ key: OrderKey, _ child: UnsafeMutableRawPointer, _ count: Int, at index: Int) {
        let moved = self.childCount - index
        memmove(self.keys + index + 1, self.keys + index, moved * 16)
        memmove(self.children + index + 1, self.children + index, moved * 8)
        memmove(self.counts + index + 1, self.counts + index, moved * 8)
        self.keys[index] = key
        self.children[index] = child
        self.counts[index] = count
        self.childCount += 1
    }

    func remove(at index: Int) {
        self.childCount -= 1
        let moved = self.childCount - index
        memmove(self.keys + index, self.keys + index + 1, moved * 16)
        memmove(self.children + index, self.children + index + 1, moved * 8)
        memmove(self.counts + index, self.counts + index + 1, moved * 8)
    }

    /// Moves the subtrees from `index` on to the end of `other`.
    func move(from index: Int, to other: OrderBranch) {
        let moved = self.childCount - index
        memcpy(other.keys + other.childCount, self.keys + index, moved * 16)
        memcpy(other.children + other.childCount, self.children + index, moved * 8)
        memcpy(other.counts + other.childCount, self.counts + index, moved * 8)
        other.childCount += moved
        self.childCount = index
    }
}
