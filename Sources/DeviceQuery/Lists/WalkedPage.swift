// A page on its way out of a walk.

extension PlannedWalk {
    /// Entries, of `count` in all, that a budget in nanoseconds suffices for.
    func entryCount(_ budget: Double, _ window: PageWindow, of count: Int) -> Int {
        Int(min(budget / self.entryCost + Double(window.count), Double(count)))
    }
}

/// A page in the making: entries of a walk in their order, asked some at a time.
struct WalkedPage: ~Copyable {
    private let program: RowProgram
    private let fleet: UnsafePointer<Fleet>
    private let window: PageWindow
    /// Of the rows that are being filled, the count with the page in full.
    private let end: Int
    /// Entries in all, and as many as the budget suffices for.
    private let totalCount: Int
    private let entryCount: Int
    /// After so many, it is known about how rare matches are.
    private let trialCount: Int
    private var isHopeless = false
    private var walked = 0
    /// Matches passed over.
    private(set) var skipped = 0
    /// How many entries to take at a time.
    let stepCount: Int

    /// Matches expected in the part of a walk after which it is given up if more entries seem to be needed than it may ask.
    private static var trialMatchCount: Double { 16 }

    init(
        _ walk: PlannedWalk, _ window: PageWindow, _ budget: Double, of totalCount: Int, rowCount: Int,
        in fleet: UnsafePointer<Fleet>
    ) {
        self.program = RowProgram(walk.residual)
        self.fleet = fleet
        self.window = window
        self.end = rowCount + window.count
        self.totalCount = totalCount
        self.entryCount = walk.entryCount(budget, window, of: totalCount)
        // Where matches are so rare that the budget will not suffice, that is better known soon.
        self.trialCount = self.entryCount < totalCount ? Int(Self.trialMatchCount / walk.share) : .max
        self.stepCount = Int(min(max(Double(window.reach) / walk.share, 8), Double(TreeLeaf.capacity)))
    }

    /// What entries are asked first, if that is a column.
    var firstColumn: ColumnPrefetch? { self.program.firstColumn(self.fleet) }

    @inline(__always)
    func isUnfinished(_ rows: borrowing Column<UInt32>) -> Bool {
        self.walked < self.entryCount && rows.count < self.end && !self.isHopeless
    }

    /// Whether it is full, or all of the walk was asked.
    func isThrough(_ rows: borrowing Column<UInt32>) -> Bool {
        rows.count == self.end || self.walked == self.totalCount
    }

    /// Asks the next entries, whose numbers are overwritten.
    @inline(__always)
    mutating func ask(_ taken: UnsafeMutablePointer<UInt32>, _ count: Int, _ rows: inout Column<UInt32>) {
        self.walked += count
        let passing = self.program.filter(taken, count: count, self.fleet)
        let passed = min(self.window.offset - self.skipped, passing)
        self.skipped += passed
        let added = max(0, min(passing - passed, self.end - rows.count))
        let target = rows.appendRoom(added)
        (rows.base + target).update(from: taken + passed, count: added)
        if self.walked >= self.trialCount {
            let share = (Double(self.matchCount(rows)) + 0.5) / Double(self.walked)
            self.isHopeless = Double(self.window.reach) / share > Double(self.entryCount)
        }
    }

    private func matchCount(_ rows: borrowing Column<UInt32>) -> Int {
        self.skipped + rows.count + self.window.count - self.end
    }

    func add(to tally: inout QueryTally, _ rows: borrowing Column<UInt32>) {
        tally.candidateCount += self.walked
        tally.matchCount += self.matchCount(rows)
    }
}
