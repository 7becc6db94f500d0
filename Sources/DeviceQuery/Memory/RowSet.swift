// The devices that share a value: a set of rows that is as small as a list and as fast as a bitmap.

internal import Glibc

/// A set of row numbers in one of three forms, chosen by its size: up to two rows in the value itself, a sorted list, or a table of
/// ``RowChunk``s (the containers of a Roaring bitmap).
///
/// It takes about 4 bytes a row while small and at most 6 where its chunks have many, with nothing kept per row elsewhere.
///
/// This is a handle: a copy reads the same rows. Exactly one owner changes and finally destroys it, and no copy outlives a change.
/// - Complexity: O(1) to count; insert, remove and look up O(log n) with at most 4 KiB moved, or 8 KiB written where a chunk changes its form.
struct RowSet: BitwiseCopyable {
    private(set) var count: UInt32 = 0
    /// The room of the list; 0 where the rows lie in `bits`, `chunkedForm` where that points to chunks.
    private var form: UInt32 = 0
    private var bits: UInt64 = 0

    private static var chunkedForm: UInt32 { .max }
    /// A list that outgrows this becomes chunks, and becomes a list again at half of it.
    static var listCountMax: Int { 1_024 }

    var isChunked: Bool { self.form == Self.chunkedForm }

    // MARK: Reading

    @inline(__always)
    func contains(_ row: UInt32) -> Bool {
        if self.isChunked {
            return self.chunks.contains(row)
        }
        return self.withList { list in
            let index = lowerBound(row, list)
            return index < list.count && list[index] == row
        }
    }

    /// Calls `body` with each row, in ascending order.
    @inline(__always)
    func forEach(_ body: (UInt32) -> Void) {
        if self.isChunked {
            let chunks = self.chunks
            for index in 0..<chunks.count {
                chunks.base[index].forEach { body(UInt32(index << RowChunk.rowBits) | UInt32($0)) }
            }
        } else {
            self.withList { list in
                for row in list { body(row) }
            }
        }
    }

    /// Sets the bits of the rows of one chunk in a mask of ``RowChunk/wordCount`` words.
    ///
    /// - Parameter cursor: kept from one chunk to the next ones by whoever asks for chunks in ascending order; 0 at first.
    @inline(__always)
    func unite(chunk: Int, cursor: inout UInt32, into mask: UnsafeMutablePointer<UInt64>) {
        if self.isChunked {
            guard chunk < self.chunks.count else { return }
            self.chunks.base[chunk].unite(into: mask)
        } else {
            self.withList { list in
                var index = Int(cursor)
                while index < list.count, Int(list[index] >> RowChunk.rowBits) < chunk { index += 1 }
                while index < list.count, Int(list[index] >> RowChunk.rowBits) == chunk {
                    let low = Int(list[index] & RowChunk.rowMask)
                    mask[low >> 6] |= 1 << UInt64(low & 63)
                    index += 1
                }
                cursor = UInt32(index)
            }
        }
    }

    /// A chunk of a set that has chunks; nil after the last one.
    @inline(__always)
    func chunk(_ index: Int) -> RowChunk? {
        index < self.chunks.count ? self.chunks.base[index] : nil
    }

    /// Copies rows of a set that has no chunks, from one place on, up to `count` of them, and tells how many.
    func copy(from start: Int, into rows: UnsafeMutablePointer<UInt32>, count: Int) -> Int {
        self.withList { list in
            let copied = min(count, list.count - start)
            guard copied > 0, let source = list.baseAddress else { return 0 }
            rows.update(from: source + start, count: copied)
            return copied
        }
    }

    /// The bitmap of one chunk, where the set has one.
    @inline(__always)
    func words(chunk: Int) -> UnsafePointer<UInt64>? {
        self.isChunked && chunk < self.chunks.count ? self.chunks.base[chunk].bitmap : nil
    }

    /// How many of the rows of one chunk are in a mask.
    func count(chunk: Int, in mask: UnsafePointer<UInt64>) -> Int {
        if self.isChunked {
            return chunk < self.chunks.count ? self.chunks.base[chunk].count(in: mask) : 0
        }
        return self.withList { list in
            var count = 0
            var index = lowerBound(UInt32(chunk << RowChunk.rowBits), list)
            while index < list.count, Int(list[index] >> RowChunk.rowBits) == chunk {
                let low = Int(list[index] & RowChunk.rowMask)
                count += Int(mask[low >> 6] >> UInt64(low & 63) & 1)
                index += 1
            }
            return count
        }
    }

    // MARK: Changing

    /// Adds a row that is not in the set; `byteCount` follows the memory that the set holds.
    mutating func insert(_ row: UInt32, byteCount: inout Int) {
        if self.isChunked {
            var chunks = self.chunks
            chunks.insert(row, byteCount: &byteCount)
            self.bits = chunks.bits
        } else if self.form == 0, self.count < 2 {
            let first = UInt32(truncatingIfNeeded: self.bits)
            self.bits = self.count == 0 ? UInt64(row) : UInt64(min(first, row)) | UInt64(max(first, row)) << 32
        } else if Int(self.count) == Self.listCountMax {
            self.becomeChunked(byteCount: &byteCount)
            return self.insert(row, byteCount: &byteCount)
        } else {
            if self.form == 0 {
                self.resizeList(to: 4, byteCount: &byteCount)
            } else if self.count == self.form {
                self.resizeList(to: self.form * 2, byteCount: &byteCount)
            }
            let list = self.list
            let index = lowerBound(row, UnsafeBufferPointer(start: list, count: Int(self.count)))
            memmove(list + index + 1, list + index, (Int(self.count) - index) * 4)
            list[index] = row
        }
        self.count += 1
    }

    /// Removes a row that is in the set.
    mutating func remove(_ row: UInt32, byteCount: inout Int) {
        precondition(self.count > 0, "the set is empty")
        if self.isChunked {
            let chunks = self.chunks
            chunks.remove(row, byteCount: &byteCount)
            self.count -= 1
            if Int(self.count) == Self.listCountMax / 2 {
                self.becomeList(byteCount: &byteCount)
            }
        } else if self.form == 0 {
            let first = UInt32(truncatingIfNeeded: self.bits)
            precondition(
                first == row || (self.count == 2 && self.bits >> 32 == UInt64(row)), "the set does not hold this row")
            self.bits = first == row ? self.bits >> 32 : UInt64(first)
            self.count -= 1
        } else {
            let list = self.list
            let index = lowerBound(row, UnsafeBufferPointer(start: list, count: Int(self.count)))
            precondition(index < Int(self.count) && list[index] == row, "the set does not hold this row")
            self.count -= 1
            memmove(list + index, list + index + 1, (Int(self.count) - index) * 4)
            if self.count <= 1 {
                self.becomeInline(byteCount: &byteCount)
            } else if self.form > 4, self.count <= self.form / 4 {
                self.resizeList(to: self.form / 2, byteCount: &byteCount)
            }
        }
    }

    /// Gives the memory back; the set is empty afterwards.
    mutating func destroy(byteCount: inout Int) {
        if self.isChunked {
            self.chunks.destroy(byteCount: &byteCount)
        } else if self.form > 0 {
            byteCount -= Int(self.form) * 4
            free(self.list)
        }
        self = RowSet()
    }

    // MARK: Forms

    private var chunks: RowChunks {
        @inline(__always) get { RowChunks(bits: self.bits) }
    }

    private var list: UnsafeMutablePointer<UInt32> {
        guard let list = UnsafeMutablePointer<UInt32>(bitPattern: UInt(self.bits)) else {
            preconditionFailure("a set in the form of a list has lost it")
        }
        return list
    }

    @inline(__always)
    private func withList<Result>(_ body: (UnsafeBufferPointer<UInt32>) -> Result) -> Result {
        if self.form > 0 {
            return body(UnsafeBufferPointer(start: self.list, count: Int(self.count)))
        }
        let rows = (UInt32(truncatingIfNeeded: self.bits), UInt32(truncatingIfNeeded: self.bits >> 32))
        return withUnsafeBytes(of: rows) { bytes in
            body(UnsafeBufferPointer(rebasing: bytes.assumingMemoryBound(to: UInt32.self)[..<Int(self.count)]))
        }
    }

    private mutating func resizeList(to capacity: UInt32, byteCount: inout Int) {
        if self.form == 0 {
            let list = allocated(malloc(Int(capacity) * 4)).bindMemory(to: UInt32.self, capacity: Int(capacity))
            list[0] = UInt32(truncatingIfNeeded: self.bits)
            list[1] = UInt32(truncatingIfNeeded: self.bits >> 32)
            self.bits = UInt64(UInt(bitPattern: list))
        } else {
            self.bits = UInt64(UInt(bitPattern: allocated(realloc(self.list, Int(capacity) * 4))))
        }
        byteCount += (Int(capacity) - Int(self.form)) * 4
        self.form = capacity
    }

    private mutating func becomeInline(byteCount: inout Int) {
        let list = self.list
        self.bits = self.count == 1 ? UInt64(list[0]) : 0
        byteCount -= Int(self.form) * 4
        self.form = 0
        free(list)
    }

    private mutating func becomeChunked(byteCount: inout Int) {
        var chunks = RowChunks(byteCount: &byteCount)
        self.forEach { chunks.insert($0, byteCount: &byteCount) }
        free(self.list)
        byteCount -= Int(self.form) * 4
        self.form = Self.chunkedForm
        self.bits = chunks.bits
    }

    private mutating func becomeList(byteCount: inout Int) {
        let list = allocated(malloc(Self.listCountMax * 4)).bindMemory(to: UInt32.self, capacity: Self.listCountMax)
        var index = 0
        self.forEach { row in
            list[index] = row
            index += 1
        }
        self.chunks.destroy(byteCount: &byteCount)
        byteCount += Self.listCountMax * 4
        self.form = UInt32(Self.listCountMax)
        self.bits = UInt64(UInt(bitPattern: list))
    }
}

/// The index of the first of `values` (ascending) that is not less than `value`.
@inline(__always)
func lowerBound<Value: Comparable>(_ value: Value, _ values: UnsafeBufferPointer<Value>) -> Int {
    var low = 0
    var high = values.count
    while low < high {
        let middle = (low + high) >> 1
        if values[middle] < value {
            low = middle + 1
        } else {
            high = middle
        }
    }
    return low
}
