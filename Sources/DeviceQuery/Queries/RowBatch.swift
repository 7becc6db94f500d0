// Candidates on their way from a source to a visitor, some at a time.

/// Rows that wait to be asked what is left of the filter, and to be shown to a visitor if they pass.
struct RowBatch: ~Copyable {
    private let program: RowProgram
    private let fleet: UnsafePointer<Fleet>
    private var rows: Column<UInt32>

    /// So many that few of them pass the first test alone, and their waiting overlaps at the next one.
    private static var capacity: Int { 1_000 }

    /// - Parameter program: what is left to ask.
    init(_ program: consuming RowProgram, in fleet: UnsafePointer<Fleet>) {
        self.program = program
        self.fleet = fleet
        self.rows = Column(capacity: Self.capacity)
    }

    @inline(__always)
    mutating func append<Visitor: RowVisitor & ~Copyable>(
        _ row: UInt32, _ visitor: inout Visitor, _ tally: inout QueryTally
    ) {
        self.rows.append(row)
        if self.rows.count == Self.capacity { self.flush(&visitor, &tally) }
    }

    /// Appends rows that lie side by side.
    mutating func append<Visitor: RowVisitor & ~Copyable>(
        _ rows: UnsafeBufferPointer<UInt32>, _ visitor: inout Visitor, _ tally: inout QueryTally
    ) {
        guard var source = rows.baseAddress else { return }
        var rest = rows.count
        while rest > 0 {
            let count = min(rest, Self.capacity - self.rows.count)
            let start = self.rows.appendRoom(count)
            (self.rows.base + start).update(from: source, count: count)
            source += count
            rest -= count
            if self.rows.count == Self.capacity { self.flush(&visitor, &tally) }
        }
    }

    /// Appends the rows of a set.
    mutating func append<Visitor: RowVisitor & ~Copyable>(
        _ set: RowSet, _ visitor: inout Visitor, _ tally: inout QueryTally
    ) {
        var reader = RowSetReader(set)
        while true {
            let start = self.rows.count
            let count = reader.read(into: self.rows.base + start, count: Self.capacity - start)
            guard count > 0 else { return }
            _ = self.rows.appendRoom(count)
            if self.rows.count == Self.capacity { self.flush(&visitor, &tally) }
        }
    }

    /// Asks the rows that wait. To be called after the last one.
    mutating func flush<Visitor: RowVisitor & ~Copyable>(_ visitor: inout Visitor, _ tally: inout QueryTally) {
        let count = self.program.filter(self.rows.base, count: self.rows.count, self.fleet)
        tally.candidateCount += self.rows.count
        tally.matchCount += count
        if count > 0 { visitor.visit(UnsafeBufferPointer(start: self.rows.base, count: count)) }
        self.rows.removeAll()
    }
}
