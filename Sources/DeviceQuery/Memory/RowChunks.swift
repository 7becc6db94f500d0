// The large form of a set of rows: a container for every 65,536 of them.

internal import CRollcallShims
internal import CWordKernels
internal import Glibc

/// The members of a ``RowSet`` within one run of 65,536 rows: a sorted array of 16-bit numbers, or a bitmap where there are many.
struct RowChunk: BitwiseCopyable {
    private(set) var count: UInt32
    /// The room of the array; 0 where nothing is allocated, `bitmapForm` where the block is a bitmap.
    private var form: UInt32
    private var block: UnsafeMutableRawPointer?

    static var rowBits: Int { 16 }
    static var rowMask: UInt32 { 0xFFFF }
    /// Words of 64 bits in a bitmap.
    static var wordCount: Int { 1_024 }

    private static var prefetchedByteCount: Int { 1_024 }
    private static var bitmapForm: UInt32 { .max }
    private static var bitmapByteCount: Int { Self.wordCount * 8 }
    /// An array that outgrows this is half as large as a bitmap, and several times slower to intersect.
    private static var arrayCountMax: UInt32 { 2_048 }
    /// Lower than the above, so that a row that comes and goes does not convert the chunk each time.
    private static var bitmapCountMin: UInt32 { 1_536 }

    static var empty: RowChunk { RowChunk(count: 0, form: 0, block: nil) }

    @inline(__always)
    private var words: UnsafeMutablePointer<UInt64> {
        self.allocatedBlock.assumingMemoryBound(to: UInt64.self)
    }

    @inline(__always)
    private var array: UnsafeMutablePointer<UInt16> {
        self.allocatedBlock.assumingMemoryBound(to: UInt16.self)
    }

    @inline(__always)
    private var allocatedBlock: UnsafeMutableRawPointer {
        guard let block = self.block else { preconditionFailure("a chunk with rows has lost its block") }
        return block
    }

    @inline(__always)
    func contains(_ low: UInt16) -> Bool {
        if self.form == Self.bitmapForm {
            return self.words[Int(low) >> 6] >> UInt64(low & 63) & 1 != 0
        }
        guard self.count > 0 else { return false }
        let array = UnsafeBufferPointer(start: self.array, count: Int(self.count))
        let index = lowerBound(low, array)
        return index < array.count && array[index] == low
    }

    @inline(__always)
    func forEach(_ body: (UInt16) -> Void) {
        guard self.count > 0 else { return }
        if self.form == Self.bitmapForm {
            let words = self.words
            for index in 0..<Self.wordCount {
                var word = words[index]
                while word != 0 {
                    body(UInt16(truncatingIfNeeded: index << 6 | word.trailingZeroBitCount))
                    word &= word - 1
                }
            }
        } else {
            let array = self.array
            for index in 0..<Int(self.count) { body(array[index]) }
        }
    }

    func unite(into mask: UnsafeMutablePointer<UInt64>) {
        guard self.count > 0 else { return }
        if self.form == Self.bitmapForm {
            rollcall_words_unite(mask, mask, self.words, Self.wordCount)
        } else {
            let array = self.array
            for index in 0..<Int(self.count) {
                mask[Int(array[index]) >> 6] |= 1 << UInt64(array[index] & 63)
            }
        }
    }

    /// The members within the chunk, where the form is that of an array.
    @inline(__always)
    var lows: UnsafeBufferPointer<UInt16> {
        UnsafeBufferPointer(start: self.count > 0 ? self.array : nil, count: Int(self.count))
    }

    /// Begins to fetch the first members.
    @inline(__always)
    func prefetch() {
        guard self.count > 0 else { return }
        let byteCount = min(Int(self.count) * 2, Self.prefetchedByteCount)
        for offset in stride(from: 0, to: byteCount, by: 64) { rollcall_prefetch(self.allocatedBlock + offset) }
    }

    /// The words, where the form is that of a bitmap.
    @inline(__always)
    var bitmap: UnsafePointer<UInt64>? {
        self.form == Self.bitmapForm ? UnsafePointer(self.words) : nil
    }

    /// How many members are in a mask.
    func count(in mask: UnsafePointer<UInt64>) -> Int {
        guard self.count > 0 else { return 0 }
        if self.form == Self.bitmapForm { return rollcall_words_count_common(mask, self.words, Self.wordCount) }
        return rollcall_words_count_members(mask, self.array, Int(self.count))
    }

    mutating func insert(_ low: UInt16, byteCount: inout Int) {
        if self.form != Self.bitmapForm, self.count == self.form {
            self.grow(byteCount: &byteCount)
        }
        if self.form == Self.bitmapForm {
            let bit: UInt64 = 1 << UInt64(low & 63)
            precondition(self.words[Int(low) >> 6] & bit == 0, "the set holds this row already")
            self.words[Int(low) >> 6] |= bit
        } else {
            let array = self.array
            let index = lowerBound(low, UnsafeBufferPointer(start: array, count: Int(self.count)))
            precondition(index == Int(self.count) || array[index] != low, "the set holds this row already")
            memmove(array + index + 1, array + index, (Int(self.count) - index) * 2)
            array[index] = low
        }
        self.count += 1
    }

    mutating func remove(_ low: UInt16, byteCount: inout Int) {
        precondition(self.contains(low), "the set does not hold this row")
        self.count -= 1
        if self.form == Self.bitmapForm {
            self.words[Int(low) >> 6] &= ~(1 << UInt64(low & 63))
            if self.count == Self.bitmapCountMin {
                self.becomeArray(byteCount: &byteCount)
            }
        } else if self.count == 0 {
            self.destroy(byteCount: &byteCount)
        } else {
            let array = self.array
            let index = lowerBound(low, UnsafeBufferPointer(start: array, count: Int(self.count) + 1))
            memmove(array + index, array + index + 1, (Int(self.count) - index) * 2)
            if self.form > 8, self.count <= self.form / 4 {
                self.resizeArray(to: self.form / 2, byteCount: &byteCount)
            }
        }
    }

    mutating func destroy(byteCount: inout Int) {
        byteCount -= self.blockByteCount
        free(self.block)
        self = .empty
    }

    private var blockByteCount: Int {
        self.form == Self.bitmapForm ? Self.bitmapByteCount : Int(self.form) * 2
    }

    private mutating func grow(byteCount: inout Int) {
        guard self.count == Self.arrayCountMax else {
            return self.resizeArray(to: max(8, self.form * 2), byteCount: &byteCount)
        }
        let bitmap = allocated(calloc(Self.wordCount, 8)).bindMemory(to: UInt64.self, capacity: Self.wordCount)
        self.unite(into: bitmap)
        byteCount += Self.bitmapByteCount - self.blockByteCount
        free(self.block)
        self.block = UnsafeMutableRawPointer(bitmap)
        self.form = Self.bitmapForm
    }

    private mutating func resizeArray(to capacity: UInt32, byteCount: inout Int) {
        byteCount += (Int(capacity) - Int(self.form)) * 2
        self.block = allocated(realloc(self.block, Int(capacity) * 2))
        self.form = capacity
    }

    private mutating func becomeArray(byteCount: inout Int) {
        let capacity = Self.arrayCountMax
        let array = allocated(malloc(Int(capacity) * 2)).bindMemory(to: UInt16.self, capacity: Int(capacity))
        var index = 0
        self.forEach { low in
            array[index] = low
            index += 1
        }
        byteCount += Int(capacity) * 2 - self.blockByteCount
        free(self.block)
        self.block = UnsafeMutableRawPointer(array)
        self.form = capacity
    }
}

/// The chunks of a ``RowSet`` by the upper bits of their rows.
struct RowChunks: BitwiseCopyable {
    /// The count of chunks, then the chunks.
    private var block: UnsafeMutableRawPointer

    private static var headerByteCount: Int { 16 }

    /// A table without chunks.
    init(byteCount: inout Int) {
        self.block = allocated(malloc(Self.headerByteCount))
        self.block.storeBytes(of: 0, as: Int.self)
        byteCount += Self.headerByteCount
    }

    @inline(__always)
    init(bits: UInt64) {
        self.block = allocated(UnsafeMutableRawPointer(bitPattern: UInt(bits)))
    }

    var bits: UInt64 {
        UInt64(UInt(bitPattern: self.block))
    }

    @inline(__always)
    var count: Int {
        self.block.load(as: Int.self)
    }

    @inline(__always)
    var base: UnsafeMutablePointer<RowChunk> {
        (self.block + Self.headerByteCount).assumingMemoryBound(to: RowChunk.self)
    }

    @inline(__always)
    func contains(_ row: UInt32) -> Bool {
        let chunk = Int(row >> RowChunk.rowBits)
        return chunk < self.count && self.base[chunk].contains(UInt16(truncatingIfNeeded: row))
    }

    mutating func insert(_ row: UInt32, byteCount: inout Int) {
        let chunk = Int(row >> RowChunk.rowBits)
        let count = self.count
        if chunk >= count {
            let size = MemoryLayout<RowChunk>.stride
            self.block = allocated(realloc(self.block, Self.headerByteCount + (chunk + 1) * size))
            self.block.storeBytes(of: chunk + 1, as: Int.self)
            (self.base + count).initialize(repeating: .empty, count: chunk + 1 - count)
            byteCount += (chunk + 1 - count) * size
        }
        self.base[chunk].insert(UInt16(truncatingIfNeeded: row), byteCount: &byteCount)
    }

    func remove(_ row: UInt32, byteCount: inout Int) {
        let chunk = Int(row >> RowChunk.rowBits)
        precondition(chunk < self.count, "the set does not hold this row")
        self.base[chunk].remove(UInt16(truncatingIfNeeded: row), byteCount: &byteCount)
    }

    func destroy(byteCount: inout Int) {
        for index in 0..<self.count {
            self.base[index].destroy(byteCount: &byteCount)
        }
        byteCount -= Self.headerByteCount + self.count * MemoryLayout<RowChunk>.stride
        free(self.block)
    }
}
