// The open-addressing table under serials, owners and every other text that is looked up.

internal import CRollcallShims
internal import Glibc

/// Numbers found by the hash of the text that they stand for; the texts themselves lie elsewhere.
///
/// A slot holds 32 bits of hash beside the number, so that a probe leaves the table for a text that is most likely the right one; it
/// holds the text's place too, so that the text and what the number stands for are fetched at the same time, not one after the other.
/// The slot where a search begins is the upper bits of that hash: entries lie in the order of their hashes, removal needs no
/// tombstones, and growth neither looks at a text nor jumps about.
/// - Complexity: O(1) expected; an insertion that doubles the table is O(n), about 5 ns an entry, once in n insertions.
struct HashSlots: ~Copyable {
    struct Slot: BitwiseCopyable {
        var tag: UInt32
        /// `UInt32.max` where the slot is empty.
        var number: UInt32
        var text: TextRef
    }

    private var slots: UnsafeMutablePointer<Slot>
    private var mask: Int
    private var shift: UInt32
    private(set) var count = 0

    private static var emptyNumber: UInt32 { .max }

    init() {
        self.mask = 7
        self.shift = 29
        self.slots = Self.makeSlots(8)
    }

    deinit {
        Self.destroy(self.slots, self.mask + 1)
    }

    var byteCount: Int {
        (self.mask + 1) * MemoryLayout<Slot>.stride
    }

    @inline(__always)
    static func tag(_ hash: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: hash >> 32)
    }

    /// The number under `tag` whose text `isMatch` accepts.
    @inline(__always)
    func find(_ tag: UInt32, where isMatch: (TextRef) -> Bool) -> UInt32? {
        var index = Int(tag >> self.shift)
        while true {
            let slot = self.slots[index]
            if slot.number == Self.emptyNumber { return nil }
            if slot.tag == tag, isMatch(slot.text) { return slot.number }
            index = (index + 1) & self.mask
        }
    }

    /// Begins to fetch where a search for `tag` begins.
    @inline(__always)
    func prefetch(_ tag: UInt32) {
        rollcall_prefetch(self.slots + Int(tag >> self.shift))
    }

    /// The first slot under `tag`, whose text is most likely the right one.
    @inline(__always)
    func first(_ tag: UInt32) -> Slot? {
        var index = Int(tag >> self.shift)
        while self.slots[index].number != Self.emptyNumber {
            if self.slots[index].tag == tag { return self.slots[index] }
            index = (index + 1) & self.mask
        }
        return nil
    }

    /// Adds a number that is not in the table.
    mutating func insert(_ tag: UInt32, _ number: UInt32, _ text: TextRef) {
        precondition(number != Self.emptyNumber, "the table takes numbers below 2^32 - 1")
        self.reserve(self.count + 1)
        self.place(Slot(tag: tag, number: number, text: text))
        self.count += 1
    }

    /// Removes a number that is in the table under `tag`.
    mutating func remove(_ tag: UInt32, _ number: UInt32) {
        var hole = Int(tag >> self.shift)
        while self.slots[hole].number != number {
            precondition(self.slots[hole].number != Self.emptyNumber, "the table does not hold this number")
            hole = (hole + 1) & self.mask
        }
        // Entries after the hole move into it unless that would put them before the slot where their search begins.
        var index = hole
        while true {
            index = (index + 1) & self.mask
            let slot = self.slots[index]
            if slot.number == Self.emptyNumber { break }
            let home = Int(slot.tag >> self.shift)
            if (index - home) & self.mask >= (index - hole) & self.mask {
                self.slots[hole] = slot
                hole = index
            }
        }
        self.slots[hole].number = Self.emptyNumber
        self.count -= 1
    }

    /// Makes room for `count` numbers in all at no more than three quarters full.
    private mutating func reserve(_ count: Int) {
        let capacity = self.mask + 1
        guard count > capacity / 4 * 3 else { return }
        var larger = capacity * 2
        while count > larger / 4 * 3 {
            larger *= 2
        }
        precondition(larger <= 1 << 32, "the table holds at most 3 × 2^30 numbers")
        let old = self.slots
        self.slots = Self.makeSlots(larger)
        self.mask = larger - 1
        self.shift = UInt32(32 - larger.trailingZeroBitCount)
        for index in 0..<capacity where old[index].number != Self.emptyNumber {
            self.place(old[index])
        }
        Self.destroy(old, capacity)
    }

    @inline(__always)
    private func place(_ slot: Slot) {
        var index = Int(slot.tag >> self.shift)
        while self.slots[index].number != Self.emptyNumber {
            index = (index + 1) & self.mask
        }
        self.slots[index] = slot
    }

    private static func destroy(_ slots: UnsafeMutablePointer<Slot>, _ capacity: Int) {
        let byteCount = capacity * MemoryLayout<Slot>.stride
        if LargeBlock.isLarge(byteCount) {
            LargeBlock.destroy(slots, byteCount)
        } else {
            free(slots)
        }
    }

    private static func makeSlots(_ capacity: Int) -> UnsafeMutablePointer<Slot> {
        let byteCount = capacity * MemoryLayout<Slot>.stride
        let block = LargeBlock.isLarge(byteCount) ? LargeBlock.make(byteCount) : allocated(malloc(byteCount))
        memset(block, 0xFF, byteCount)
        return block.bindMemory(to: Slot.self, capacity: capacity)
    }
}
