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
    /// Telling which of two indexes has the next entry: it cannot be foreseen.
    static let mergedRow = 15.0
    /// Finding both ends of a span in an index.
    static let soughtRange = 500.0
    /// Looking at a device while a partial index is built, and adding one that belongs there.
    static let passedEntry = 3.0
    static let addedEntry = 40.0
}

extension Condition {
    /// What it costs to ask a row, which is fetched from no order of memory if `isFetching`.
    func askingCost(isFetching: Bool) -> Double {
        switch self {
        case .always, .never: 0
        case .all(let parts):
            // Most rows are decided by the first part or the second.
            parts.prefix(2).reduce(0) { $0 + $1.askingCost(isFetching: isFetching) }
        case .any(let parts):
            // A row that does not match is asked every part.
            parts.reduce(0) { $0 + $1.askingCost(isFetching: isFetching) }
        case .test(let test, _):
            switch test {
            case .codes(.owner, let list):
                (isFetching ? 4 : 2) + (list.codes.count <= RowProgram.comparedCodeCount ? 0 : 2)
            case .codes, .released: isFetching ? 3 : 2
            case .number(.lastSeen, _): isFetching ? 5 : 2
            case .number: isFetching ? StepCost.candidate : 3
            case .rows: 10
            case .text: 60
            case .attribute: 60
            }
        }
    }
}
