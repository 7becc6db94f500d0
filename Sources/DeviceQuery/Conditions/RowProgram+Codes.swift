// Whether a row's code is one of those asked for: by a bit for each code, by comparing, or by a table.

internal import CRollcallShims
internal import DeviceModel

extension RowProgram {
    // MARK: Compiling

    /// The step that asks for one of `codes`, which ascend.
    mutating func step(_ field: DictionaryField, _ codes: [UInt32]) -> Step {
        guard let last = codes.last else { preconditionFailure("a test asks for at least one code") }
        let raw = UInt8(field.rawValue)
        if field != .owner, last < UInt32(CodeColumns.none) {
            let wordCount = Int(last >> 6) + 1
            if wordCount == 1 {
                let word = codes.reduce(0 as UInt64) { $0 | 1 << UInt64($1) }
                return Step(kind: .narrow, field: raw, count: 1, lower: Int64(bitPattern: word))
            }
            return Step(kind: .narrow, field: raw, start: self.appendBits(codes, wordCount), count: Int32(wordCount))
        }
        if codes.count <= Self.comparedCodeCount {
            let start = Int32(self.codes.count)
            for place in 0..<Self.comparedCodeCount { self.codes.append(codes[min(place, codes.count - 1)]) }
            return Step(kind: .code, field: raw, start: start, count: Int32(codes.count))
        }
        var capacity = 16
        while capacity < codes.count * 2 { capacity *= 2 }
        let start = self.appendTable(codes, capacity)
        let sieve = self.appendSieve(codes, capacity)
        return Step(kind: .codeTable, field: raw, start: start, count: Int32(capacity), lower: sieve)
    }

    private mutating func appendBits(_ codes: [UInt32], _ wordCount: Int) -> Int32 {
        let start = self.bits.append(repeating: 0, count: wordCount + 1)
        let words = self.bits.base + start
        for code in codes { words[Int(code >> 6)] |= 1 << UInt64(code & 63) }
        return Int32(start)
    }

    private mutating func appendTable(_ codes: [UInt32], _ capacity: Int) -> Int32 {
        let start = self.codes.append(repeating: .max, count: capacity)
        let table = self.codes.base + start
        for code in codes {
            var place = Self.place(code, capacity)
            while table[place] != .max { place = (place + 1) & (capacity - 1) }
            table[place] = code
        }
        return Int32(start)
    }

    private mutating func appendSieve(_ codes: [UInt32], _ capacity: Int) -> Int64 {
        let wordCount = Self.sieveWordCount(capacity)
        let start = self.bits.append(repeating: 0, count: wordCount)
        let words = self.bits.base + start
        for code in codes {
            let hole = Self.hole(code, wordCount)
            words[hole >> 6] |= 1 << UInt64(hole & 63)
        }
        return Int64(start)
    }

    @inline(__always)
    private static func hash(_ code: UInt32) -> UInt64 { UInt64(code) &* 0x9E37_79B9_7F4A_7C15 }

    @inline(__always)
    private static func place(_ code: UInt32, _ capacity: Int) -> Int {
        Int(truncatingIfNeeded: self.hash(code) >> 32) & (capacity &- 1)
    }

    /// A sieve has eight holes for each place of its table: of sixteen codes that are not in it, it lets one through at most.
    private static func sieveWordCount(_ capacity: Int) -> Int { capacity / 8 }

    @inline(__always)
    private static func hole(_ code: UInt32, _ wordCount: Int) -> Int {
        Int(truncatingIfNeeded: self.hash(code) >> 24) & (wordCount &* 64 &- 1)
    }

    // MARK: Asking one

    @inline(__always)
    func holdsNarrow(_ step: UnsafePointer<Step>, _ code: UInt16) -> Bool {
        guard step.pointee.count > 1 else {
            return code < 64 && UInt64(bitPattern: step.pointee.lower) >> UInt64(code & 63) & 1 != 0
        }
        return Self.bit(code, in: self.bits.base + Int(step.pointee.start), Int(step.pointee.count)) != 0
    }

    /// A code's bit among some words, after which comes an empty one.
    @inline(__always)
    private static func bit(_ code: UInt16, in words: UnsafePointer<UInt64>, _ wordCount: Int) -> UInt64 {
        words[min(Int(code >> 6), wordCount)] >> UInt64(code & 63) & 1
    }

    @inline(__always)
    func holdsCompared(_ step: UnsafePointer<Step>, _ code: UInt32) -> Bool {
        let codes = self.codes.base + Int(step.pointee.start)
        for index in 0..<Self.comparedCodeCount where codes[index] == code { return true }
        return false
    }

    @inline(__always)
    func holdsTable(_ step: UnsafePointer<Step>, _ code: UInt32) -> Bool {
        let table = self.codes.base + Int(step.pointee.start)
        let capacity = Int(step.pointee.count)
        var place = Self.place(code, capacity)
        while table[place] != .max {
            if table[place] == code { return true }
            place = (place &+ 1) & (capacity &- 1)
        }
        return false
    }

    // MARK: Asking many

    /// Leaves of some rows those whose code is, or is not, one of a narrow step's.
    func keepNarrow(
        _ step: UnsafePointer<Step>, _ wanted: Bool, _ rows: UnsafeMutableBufferPointer<UInt32>,
        _ column: UnsafePointer<UInt16>
    ) -> Int {
        guard step.pointee.count == 1 else {
            let (words, wordCount) = (self.bits.base + Int(step.pointee.start), Int(step.pointee.count))
            let turn: UInt64 = wanted ? 0 : 1
            return rows.keep(column) { Self.bit($0, in: words, wordCount) ^ turn }
        }
        let other: UInt64 = wanted ? 0 : .max
        let word = UInt64(bitPattern: step.pointee.lower) ^ other
        return rows.keep(column) { ($0 < 64 ? word : other) >> UInt64($0 & 63) & 1 }
    }

    func keepCompared(
        _ step: UnsafePointer<Step>, _ wanted: Bool, _ rows: UnsafeMutableBufferPointer<UInt32>,
        _ column: UnsafePointer<UInt32>
    ) -> Int {
        let codes = self.codes.base + Int(step.pointee.start)
        let (first, second, third, fourth) = (codes[0], codes[1], codes[2], codes[3])
        let turn: UInt64 = wanted ? 0 : 1
        return rows.keep(column) { code in
            let isEither = (code == first ? 1 : 0) | (code == second ? 1 : 0) as UInt64
            let isOther = (code == third ? 1 : 0) | (code == fourth ? 1 : 0) as UInt64
            return (isEither | isOther) ^ turn
        }
    }

    /// Most rows that have none of the codes fall through the sieve without a decision; the table decides about the rest.
    func keepInTable(
        _ step: UnsafePointer<Step>, _ rows: UnsafeMutableBufferPointer<UInt32>, _ column: UnsafePointer<UInt32>
    ) -> Int {
        let words = self.bits.base + Int(step.pointee.lower)
        let wordCount = Self.sieveWordCount(Int(step.pointee.count))
        let sieved = rows.keep(column) { code in
            let hole = Self.hole(code, wordCount)
            return words[hole >> 6] >> UInt64(hole & 63) & 1
        }
        var kept = 0
        for index in 0..<sieved {
            let row = rows[index]
            rows[kept] = row
            kept += self.holdsTable(step, column[Int(row)]) ? 1 : 0
        }
        return kept
    }
}

/// How many values ahead of the present one a loop fetches: so many does a processor wait for at once.
let fetchedAheadCount = 32

extension UnsafeMutableBufferPointer<UInt32> {
    /// Leaves those rows whose value in a column `holds` gives 1 for, rather than 0, in their order, and tells how many they are.
    ///
    /// Values are fetched ahead, and passing or not is no branch, which would be guessed wrong too often.
    @inline(__always)
    func keep<Value: BitwiseCopyable>(_ column: UnsafePointer<Value>, where holds: (Value) -> UInt64) -> Int {
        guard let rows = self.baseAddress else { return 0 }
        var kept = 0
        let fetchingEnd = Swift.max(0, self.count - fetchedAheadCount)
        for index in 0..<fetchingEnd {
            let row = rows[index]
            rollcall_prefetch(column + Int(rows[index &+ fetchedAheadCount]))
            rows[kept] = row
            kept &+= Int(truncatingIfNeeded: holds(column[Int(row)]))
        }
        for index in fetchingEnd..<self.count {
            let row = rows[index]
            rows[kept] = row
            kept &+= Int(truncatingIfNeeded: holds(column[Int(row)]))
        }
        return kept
    }
}
