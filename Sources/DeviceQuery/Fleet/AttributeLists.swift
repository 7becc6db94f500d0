// Which attributes each device has.

/// One attribute of a device: its key's place in the project's table, and the slot of its value in that key's column.
struct AttributeEntry: BitwiseCopyable {
    var key: UInt32
    var slot: UInt32
}

/// The attributes of each device, side by side in blocks of a few sizes; a block is known by where it begins.
///
/// The first entry of a block is its head, with the count of entries in `key` and their room in `slot`. The room of a block that is
/// given up is kept in a list for its size, as a ``TextPool`` does.
/// - Complexity: O(log of a device's attributes) to find one, O(their count) to add and remove one.
struct AttributeLists: ~Copyable {
    private var entries: Column<AttributeEntry>
    /// By room, the first free block, whose head's `key` holds the next.
    private var freeBlocks: [UInt32] = []

    static var none: UInt32 { .max }

    init() {
        self.entries = Column()
    }

    var byteCount: Int { self.entries.byteCount }

    /// The entries of a list, in ascending order of keys, valid until the lists change.
    @inline(__always)
    subscript(list: UInt32) -> UnsafeBufferPointer<AttributeEntry> {
        guard list != Self.none else { return UnsafeBufferPointer(start: nil, count: 0) }
        let head = UnsafePointer(self.entries.base) + Int(list)
        return UnsafeBufferPointer(start: head + 1, count: Int(head.pointee.key))
    }

    @inline(__always)
    func slot(of key: UInt32, in list: UInt32) -> UInt32? {
        let entries = self[list]
        let index = Self.place(of: key, in: entries)
        return index < entries.count && entries[index].key == key ? entries[index].slot : nil
    }

    @inline(__always)
    private static func place(of key: UInt32, in entries: UnsafeBufferPointer<AttributeEntry>) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) >> 1
            if entries[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Adds an entry whose key is not in the list, and tells where the list is then.
    mutating func insert(_ entry: AttributeEntry, into list: UInt32) -> UInt32 {
        let old = self[list]
        let index = Self.place(of: entry.key, in: old)
        let room = list == Self.none ? 0 : self.entries[Int(list)].slot
        var target = list
        if old.count == Int(room) {
            target = self.allocate(room < 4 ? room + 1 : room + room / 2)
            // The column may have moved.
            let source = self[list]
            let copy = self.entries.base + Int(target) + 1
            if let first = source.baseAddress { copy.update(from: first, count: source.count) }
            self.entries.base[Int(target)].key = UInt32(source.count)
            if list != Self.none { self.free(list) }
        }
        let head = self.entries.base + Int(target)
        let count = Int(head.pointee.key)
        for place in stride(from: count, to: index, by: -1) { head[1 + place] = head[place] }
        head[1 + index] = entry
        head.pointee.key += 1
        return target
    }

    /// Removes the entry of `key`, which is in the list, and tells where the list is then.
    mutating func remove(_ key: UInt32, from list: UInt32) -> UInt32 {
        let entries = self[list]
        let index = Self.place(of: key, in: entries)
        precondition(index < entries.count && entries[index].key == key, "the list does not hold this key")
        if entries.count == 1 {
            self.free(list)
            return Self.none
        }
        let head = self.entries.base + Int(list)
        for place in index..<(entries.count - 1) { head[1 + place] = head[2 + place] }
        head.pointee.key -= 1
        return list
    }

    /// Gives up a whole list.
    mutating func free(_ list: UInt32) {
        let room = Int(self.entries[Int(list)].slot)
        while self.freeBlocks.count <= room { self.freeBlocks.append(Self.none) }
        self.entries[Int(list)].key = self.freeBlocks[room]
        self.freeBlocks[room] = list
    }

    private mutating func allocate(_ room: UInt32) -> UInt32 {
        let size = Int(room)
        if size < self.freeBlocks.count, self.freeBlocks[size] != Self.none {
            let list = self.freeBlocks[size]
            self.freeBlocks[size] = self.entries[Int(list)].key
            self.entries[Int(list)].key = 0
            return list
        }
        let start = self.entries.appendRoom(size + 1)
        precondition(start < Int(Self.none), "the attributes of one project take at most 32 GiB")
        self.entries[start] = AttributeEntry(key: 0, slot: room)
        return UInt32(start)
    }
}
