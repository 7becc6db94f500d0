// Asking the rows of a chunk: bitmaps first, the rest of the filter row by row.

internal import DeviceModel

/// A whole condition held against one chunk of 65,536 rows after another, in ascending order.
struct MaskScan: ~Copyable {
    private var masks: MaskProgram
    private var batch: RowBatch
    /// Whether the bitmaps leave nothing to ask.
    private let isExact: Bool
    private let fleet: UnsafePointer<Fleet>
    /// The rows of the present chunk that the bitmaps leave, in the first words; the rest is room to work.
    private var words: Column<UInt64>
    private var firstRow = 0
    /// Whether there may be any.
    private var hasRows = false

    static var wordCount: Int { RowChunk.wordCount }

    /// - Parameter rest: what to ask of the rows that the bitmaps of `condition` leave; nil for what the bitmaps do not decide of it.
    init(_ condition: Condition, asking rest: Condition? = nil, in fleet: UnsafePointer<Fleet>) {
        var residual = Condition.always
        self.masks = MaskProgram(condition, residual: &residual, in: fleet)
        let program = RowProgram(rest ?? residual)
        self.isExact = program.isTrivial
        self.batch = RowBatch(program, in: fleet)
        self.fleet = fleet
        self.words = Column(capacity: Self.wordCount * self.masks.maskCount)
        _ = self.words.appendRoom(Self.wordCount * self.masks.maskCount)
    }

    /// Puts the rows of a chunk that the bitmaps leave in the place of those of the chunk before.
    ///
    /// - Parameter hasChanged: whether the fleet may have changed since the last chunk.
    mutating func load(chunk: Int, hasChanged: Bool) {
        let fleet = self.fleet
        if hasChanged { self.masks.refresh(fleet) }
        self.hasRows = self.masks.evaluate(chunk: chunk, into: self.words.base)
        self.firstRow = chunk << RowChunk.rowBits
        self.clip(to: fleet.pointee.rows.count - self.firstRow)
    }

    /// Leaves out a row of the chunk.
    mutating func exclude(_ row: UInt32) {
        let low = Int(row) - self.firstRow
        self.words.base[low >> 6] &= ~(1 << UInt64(low & 63))
    }

    /// Shows the matches among some words of the chunk to `visitor`.
    mutating func visit<Visitor: RowVisitor & ~Copyable>(
        _ range: Range<Int>, _ visitor: inout Visitor, _ tally: inout QueryTally
    ) {
        guard self.hasRows else { return }
        if self.fleet.pointee.firstFreeRow != DeviceRow.noRow { self.excludeFree(range) }
        if self.isExact {
            let words = UnsafeBufferPointer(start: self.words.base + range.lowerBound, count: range.count)
            let first = UInt32(self.firstRow + range.lowerBound << 6)
            if let count = visitor.visit(words: words, first: first) {
                tally.candidateCount += count
                tally.matchCount += count
                return
            }
        }
        var next = range.lowerBound
        while let word = self.words.firstIndex(from: next, to: range.upperBound) {
            next = word + 1
            let first = UInt32(self.firstRow + word << 6)
            var bits = self.words.base[word]
            while bits != 0 {
                self.batch.append(first + UInt32(bits.trailingZeroBitCount), &visitor, &tally)
                bits &= bits - 1
            }
        }
        self.batch.flush(&visitor, &tally)
    }

    /// Leaves out the rows that are not in use, among some words of the chunk.
    private mutating func excludeFree(_ range: Range<Int>) {
        var next = range.lowerBound
        while let word = self.words.firstIndex(from: next, to: range.upperBound) {
            next = word + 1
            let first = self.firstRow + word << 6
            var rest = self.words.base[word]
            while rest != 0 {
                let bit = rest.trailingZeroBitCount
                if self.fleet.pointee.rows.base[first + bit].isFree { self.words.base[word] &= ~(1 << UInt64(bit)) }
                rest &= rest - 1
            }
        }
    }

    /// Clears the bits from `count` on.
    private mutating func clip(to count: Int) {
        guard count < Self.wordCount << 6 else { return }
        let mask = self.words.base
        let word = max(count, 0) >> 6
        mask[word] &= 1 << UInt64(max(count, 0) & 63) - 1
        (mask + word + 1).update(repeating: 0, count: Self.wordCount - word - 1)
    }
}

extension Column<UInt64> {
    /// The next word of some that is not zero. Eight at a time are passed over: most are zero where a filter is selective.
    @inline(__always)
    fileprivate func firstIndex(from start: Int, to end: Int) -> Int? {
        let words = self.base
        var index = start
        while index < end, words[index] == 0 {
            index &+= 1
            while index & 7 == 0, index &+ 8 <= end {
                let first = words[index] | words[index &+ 1] | words[index &+ 2] | words[index &+ 3]
                let second = words[index &+ 4] | words[index &+ 5] | words[index &+ 6] | words[index &+ 7]
                guard first | second == 0 else { break }
                index &+= 8
            }
        }
        return index < end ? index : nil
    }
}
