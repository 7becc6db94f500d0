// A condition compiled for asking one row after another.

internal import DeviceModel

/// Tests with jumps: each says which comes next where it holds and where not, so that a row is asked no more than decides it.
///
/// - Complexity: of ``passes(_:_:)`` at most one step a test; no allocation where only codes and numbers are asked.
struct RowProgram: ~Copyable {
    struct Step: BitwiseCopyable {
        enum Kind: UInt8 {
            case narrow, code, codeTable, released, number, text, rows, present, range, attributeText
        }

        var kind: Kind
        /// The raw value of the field.
        var field: UInt8 = 0
        var whenTrue: Int16 = 0
        var whenFalse: Int16 = 0
        /// Where what the step needs begins in the program's columns, or the key of an attribute.
        var start: Int32 = 0
        var count: Int32 = 0
        /// Of a table, where its sieve begins in ``RowProgram/bits``; of codes below 64, the word of their bits.
        var lower: Int64 = 0
        var upper: Int64 = 0
    }

    static var accept: Int16 { -1 }
    static var reject: Int16 { -2 }
    /// Codes that are compared one by one, made up to a fixed count; more are looked up in a table.
    static var comparedCodeCount: Int { 4 }

    private(set) var steps: Column<Step>
    private(set) var entry: Int16
    /// Codes side by side, and tables of codes with `UInt32.max` in free places.
    var codes: Column<UInt32>
    /// A bit for each code of a narrow field, with an empty word after the last one, where they take more than a word; and the sieves of
    /// tables.
    var bits: Column<UInt64>
    private(set) var matches: [TextMatch] = []
    /// Whether the condition is one test, or tests that must all hold.
    let isConjunction: Bool

    /// Whether every row passes.
    var isTrivial: Bool { self.entry == Self.accept }

    /// - Parameter condition: its parts in the order in which they are best asked.
    init(_ condition: borrowing Condition) {
        self.steps = Column()
        self.codes = Column()
        self.bits = Column()
        self.entry = Self.accept
        self.isConjunction = condition.isConjunction
        self.entry = self.compile(condition, Self.accept, Self.reject)
    }

    // MARK: Compiling

    /// Appends the steps of a condition and tells with which one it begins.
    private mutating func compile(
        _ condition: Condition, _ whenTrue: Int16, _ whenFalse: Int16
    ) -> Int16 {
        switch condition {
        case .always: return whenTrue
        case .never: return whenFalse
        case .all(let parts):
            return parts.reversed().reduce(whenTrue) { self.compile($1, $0, whenFalse) }
        case .any(let parts):
            return parts.reversed().reduce(whenFalse) { self.compile($1, whenTrue, $0) }
        case .test(let test, let isNegated):
            var step = self.step(test)
            step.whenTrue = isNegated ? whenFalse : whenTrue
            step.whenFalse = isNegated ? whenTrue : whenFalse
            self.steps.append(step)
            return Int16(self.steps.count - 1)
        }
    }

    private mutating func step(_ test: RowTest) -> Step {
        switch test {
        case .codes(let field, let list):
            return self.step(field, list.codes)
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
}
