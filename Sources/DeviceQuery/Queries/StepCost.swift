// What the steps of a query cost, for the choice between plans.

/// Nanoseconds on a fleet that does not fit a processor's caches: ratios matter, absolutes drift.
enum StepCost {
    /// Taking a row in no order of memory and fetching the device.
    static let candidate = 20.0
    /// Taking a row in the order of memory.
    static let scannedRow = 4.0
    /// Taking a row that an index has in order.
    static let walkedRow = 1.0
    /// Reading and clearing a chunk's mask, beside what each of its sets costs.
    static let chunk = 300.0
    static let chunkOfLargeSet = 250.0
    static let chunkOfList = 10.0
    /// A row that a mask has.
    static let maskedRow = 3.0
    /// A match that is weighed against those that are kept.
    static let keptRow = 4.0
    /// A value of a column, read in the order of memory.
    static let columnValue = 3.0
    /// Finding a group of devices and asking for its set.
    static let group = 60.0
    /// Counting a value's devices and weighing the group against the others.
    static let countedCode = 30.0
    static let plan = 1_000.0
    /// Telling which of two indexes has the next entry: once for each level of a tournament.
    static let mergedRow = 4.0
    /// Finding both ends of a span in an index.
    static let soughtRange = 500.0
    /// Looking at a device while a partial index is built, and adding one that belongs there.
    static let passedEntry = 3.0
    static let addedEntry = 40.0
}

/// How a plan comes to the rows that it asks.
enum RowAccess {
    case inOrderOfMemory
    /// In no order or far apart, out of so many.
    case scattered(Int)

    /// What reading a value out of a column costs beside asking about it, in nanoseconds: 1 more with each doubling above 1 MiB, for
    /// ever less of the column lies in a processor's caches.
    func readingCost(_ valueByteCount: Int) -> Double {
        switch self {
        case .inOrderOfMemory: 0
        case .scattered(let rowCount): Self.doublings(Double(rowCount * valueByteCount) / Double(1 << 20))
        }
    }

    /// The binary logarithm of what is above 1, between powers of two along straight lines.
    private static func doublings(_ number: Double) -> Double {
        number > 1 ? Double(number.exponent) + number.significand - 1 : 0
    }
}

extension Condition {
    /// What it costs to ask a row.
    func askingCost(_ access: RowAccess) -> Double {
        switch self {
        case .always, .never: return 0
        case .all(let parts):
            // Most rows are decided by the first part or the second.
            return parts.prefix(2).reduce(0) { $0 + $1.askingCost(access) }
        case .any(let parts):
            // A row that does not match is asked every part.
            return parts.reduce(0) { $0 + $1.askingCost(access) }
        case .test(let test, _):
            switch test {
            case .codes(.owner, let list):
                let isCompared = list.codes.count <= RowProgram.comparedCodeCount
                return 2 + access.readingCost(4) + (isCompared ? 0 : 2)
            case .codes, .released: return 2 + access.readingCost(2)
            case .number(.lastSeen, _): return 2 + access.readingCost(8)
            case .number:
                if case .scattered = access { return StepCost.candidate }
                return 3
            case .rows: return 10
            case .text, .attribute: return 60
            }
        }
    }
}
