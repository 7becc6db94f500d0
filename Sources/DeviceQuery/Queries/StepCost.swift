// What the steps of a query cost, for the choice between plans.

/// Nanoseconds on a fleet that does not fit a processor's caches: ratios matter, absolutes drift.
enum StepCost {
    /// Taking a row in no order of memory and fetching the device.
    static let candidate = 20
    /// Taking a row in the order of memory.
    static let scannedRow = 4
    /// Taking a row that an index has in order.
    static let walkedRow = 3
    /// Reading and clearing a chunk's mask, beside what each of its sets costs.
    static let chunk = 300
    static let chunkOfLargeSet = 250
    static let chunkOfList = 10
    /// A row that a mask has.
    static let maskedRow = 3
    /// A value of a column, read in the order of memory.
    static let columnValue = 3
    /// Finding a group of devices and asking for its set.
    static let group = 60
    /// Counting a value's devices and weighing the group against the others.
    static let countedCode = 30
    static let plan = 1_000
}

extension Condition {
    /// What it costs to ask a row, which is fetched from no order of memory if `isFetching`.
    func askingCost(isFetching: Bool) -> Int {
        switch self {
        case .always, .never: 0
        case .all(let parts):
            // Most rows are decided by the first part or the second: the most selective are asked first.
            parts.prefix(2).reduce(0) { $0 + $1.askingCost(isFetching: isFetching) }
        case .any(let parts):
            // A row that does not match is asked every part.
            parts.reduce(0) { $0 + $1.askingCost(isFetching: isFetching) }
        case .test(let test, _):
            switch test {
            case .codes(let field, let list): field != .owner && list.codes.count <= 4 ? 2 : 6
            case .released, .number(.lastSeen, _): 3
            case .number: isFetching ? StepCost.candidate : 3
            case .rows: 10
            case .text: 60
            case .attribute: 60
            }
        }
    }
}
