// A condition compiled for asking one row after another.

internal import DeviceModel

/// Tests with jumps: each says which comes next where it holds and where not, so that a row is asked no more than decides it.
///
/// - Complexity: of ``passes(_:_:)`` at most one step a test; no allocation where only codes and numbers are asked.
struct RowProgram: ~Copyable {
    struct Step: BitwiseCopyable {
        enum Kind: UInt8 {
            case narrow, code, codeTable, sets, released, number, text, rows, present, range, attributeText
        }

        var kind: Kind
        /// The raw value of the field.
        var field: UInt8 = 0
        var whenTrue: Int16 = 0
        var whenFalse: Int16 = 0
        /// Where what the step needs begins in the program's columns, or the key of an attribute.
        var start: Int32 = 0
        var count: Int32 = 0
        var lower: Int64 = 0
        var upper: Int64 = 0
    }

    static var accept: Int16 { -1 }
    static var reject: Int16 { -2 }
    /// Codes that are compared one by one; more are looked up in a table.
    private static var scannedCodeCountMax: Int { 8 }
    private static var setCountMax: Int { 4 }
    static var narrowCodeCount: Int { 4 }

    private(set) var steps: Column<Step>
    private(set) var entry: Int16
    /// Codes side by side, and tables of codes with `UInt32.max` in free places.
    private(set) var codes: Column<UInt32>
    /// The rows of codes that are many rows each.
    private(set) var sets: Column<RowSet>
    private(set) var matches: [TextMatch] = []
    private let usesSets: Bool
    /// Whether every test must hold.
    let isConjunction: Bool

    /// Whether every row passes.
    var isTrivial: Bool { self.entry == Self.accept }

    /// - Parameters:
    ///   - condition: its parts in the order in which they are best asked.
    ///   - usesSets: whether large sets are asked for a row, as long as the fleet does not change; else its codes are compared.
    init(_ condition: Condition, usesSets: Bool = true, in fleet: UnsafePointer<Fleet>) {
        self.steps = Column()
        self.codes = Column()
        self.sets = Column()
        self.usesSets = usesSets
        self.entry = Self.accept
        self.isConjunction = condition.conjuncts.allSatisfy { if case .test = $0 { true } else { false } }
        self.entry = self.compile(condition, Self.accept, Self.reject, fleet)
    }

    // MARK: Compiling

    /// Appends the steps of a condition and tells with which one it begins.
    private mutating func compile(
        _ condition: Condition, _ whenTrue: Int16, _ whenFalse: Int16, _ fleet: UnsafePointer<Fleet>
    ) -> Int16 {
        switch condition {
        case .always: return whenTrue
        case .never: return whenFalse
        case .all(let parts):
            return parts.reversed().reduce(whenTrue) { self.compile($1, $0, whenFalse, fleet) }
        case .any(let parts):
            return parts.reversed().reduce(whenFalse) { self.compile($1, whenTrue, $0, fleet) }
        case .test(let test, let isNegated):
            var step = self.step(test, fleet)
            step.whenTrue = isNegated ? whenFalse : whenTrue
            step.whenFalse = isNegated ? whenTrue : whenFalse
            self.steps.append(step)
            return Int16(self.steps.count - 1)
        }
    }

    private mutating func step(_ test: RowTest, _ fleet: UnsafePointer<Fleet>) -> Step {
        switch test {
        case .codes(let field, let list):
            return self.step(field, list.codes, fleet)
        case .released:
            return Step(kind: .released)
        case .number(let field, let range):
            return Step(kind: .number, field: field.rawValue, lower: range.lowerBound, upper: range.upperBound)
        case .text(let field, let match):
            self.matches.append(match)
            return Step(kind: .text, field: field.rawValue, start: Int32(self.matches.count - 1))
        case .rows(let rows):
            let start = self.codes.count
            for row in rows { self.codes.append(row) }
            return Step(kind: .rows, start: Int32(start), count: Int32(rows.count))
        case .attribute(let key, .present):
            return Step(kind: .present, start: Int32(key))
        case .attribute(let key, .range(let range)):
            return Step(kind: .range, start: Int32(key), lower: range.lowerBound, upper: range.upperBound)
        case .attribute(let key, .text(let match)):
            self.matches.append(match)
            return Step(kind: .attributeText, start: Int32(key), count: Int32(self.matches.count - 1))
        }
    }

    private mutating func step(_ field: DictionaryField, _ codes: [UInt32], _ fleet: UnsafePointer<Fleet>) -> Step {
        let raw = UInt8(field.rawValue)
        if field != .owner, codes.count <= Self.narrowCodeCount, codes.allSatisfy({ $0 < UInt32(CodeColumns.none) }) {
            let start = self.codes.count
            // Made up to a fixed count, so that comparing with each of them takes no decision.
            for place in 0..<Self.narrowCodeCount { self.codes.append(codes[min(place, codes.count - 1)]) }
            return Step(kind: .narrow, field: raw, start: Int32(start), count: Int32(codes.count))
        }
        // Few and large sets are asked for a row themselves, which costs less than fetching the device.
        let isLarge = codes.allSatisfy { fleet.pointee.rowSet($0, in: field).isChunked }
        if self.usesSets, isLarge, codes.count <= Self.setCountMax {
            let start = self.sets.count
            for code in codes {
                self.sets.append(fleet.pointee.rowSet(code, in: field))
            }
            return Step(kind: .sets, field: raw, start: Int32(start), count: Int32(codes.count))
        }
        if codes.count <= Self.scannedCodeCountMax {
            let start = self.codes.count
            for code in codes { self.codes.append(code) }
            return Step(kind: .code, field: raw, start: Int32(start), count: Int32(codes.count))
        }
        var capacity = 16
        while capacity < codes.count * 2 { capacity *= 2 }
        let start = self.codes.appendRoom(capacity)
        let table = self.codes.base + start
        table.update(repeating: .max, count: capacity)
        for code in codes {
            var place = Self.place(code, capacity)
            while table[place] != .max { place = (place + 1) & (capacity - 1) }
            table[place] = code
        }
        return Step(kind: .codeTable, field: raw, start: Int32(start), count: Int32(capacity))
    }

    @inline(__always)
    static func place(_ code: UInt32, _ capacity: Int) -> Int {
        Int(truncatingIfNeeded: UInt64(code) &* 0x9E37_79B9_7F4A_7C15 >> 32) & (capacity - 1)
    }
}
