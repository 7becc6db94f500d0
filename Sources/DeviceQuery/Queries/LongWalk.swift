// One way through a fleet's rows while they change.

internal import DeviceModel
internal import Synchronization

/// What a walk does with matches: keeps the first, counts them, or keeps the ids of all.
struct LongVisitor: ~Copyable, RowVisitor {
    var selection: PageSelection?
    var counter: GroupCounter?
    var collector: DeviceCollector?

    init(selection: consuming PageSelection) {
        self.selection = consume selection
        self.counter = nil
        self.collector = nil
    }

    init(counter: consuming GroupCounter) {
        self.selection = nil
        self.counter = consume counter
        self.collector = nil
    }

    init(collector: DeviceCollector) {
        self.selection = nil
        self.counter = nil
        self.collector = collector
    }

    mutating func visit(_ rows: UnsafeBufferPointer<UInt32>) {
        self.selection?.visit(rows)
        self.counter?.visit(rows)
        self.collector?.visit(rows)
    }

    mutating func visit(words: UnsafeBufferPointer<UInt64>, first: UInt32) -> Int? {
        self.counter?.visit(words: words, first: first)
    }

    /// Takes back a row that was shown to it and that is still as it was then.
    mutating func remove(_ row: UInt32) {
        self.selection?.remove(row)
        self.counter?.add(row, -1)
        self.collector?.remove(row)
    }
}

/// A walk over the rows of one fleet by number, under the concurrency of ``LongQuery``.
final class LongWalk {
    let fleet: UnsafePointer<Fleet>
    let project: ProjectID
    /// Whether the condition rests on names of cohorts, which change without a row.
    private let asksCohortNames: Bool
    private let indexIdentity: UInt64
    private(set) var tally = QueryTally()
    private var visitor: LongVisitor
    private var scan: MaskScan
    /// The whole condition, on rows that have not changed since the walk began.
    private let program: RowProgram
    private var chunk = 0
    private var isLoaded = false
    /// The next word of the chunk.
    private var word = 0
    private var changed: Set<UInt32> = []
    private var isValid = true

    /// How many words of rows are asked between looks at the clock.
    private let stepWordCount: Int
    private static let stepWordCountMax = 16.0
    private static let stepNanoseconds = 100_000.0

    init(
        _ condition: Condition, asksCohortNames: Bool, _ visitor: consuming LongVisitor,
        _ index: borrowing RegistryIndex, _ project: ProjectID, _ fleet: UnsafePointer<Fleet>
    ) {
        self.asksCohortNames = asksCohortNames
        self.fleet = fleet
        self.project = project
        self.indexIdentity = index.identity
        self.visitor = consume visitor
        self.scan = MaskScan(condition, in: fleet)
        self.program = RowProgram(condition)
        let wordCost = 64 * max(1, condition.askingCost(.inOrderOfMemory))
        self.stepWordCount = Int(max(1, min(Self.stepWordCountMax, Self.stepNanoseconds / wordCost)))
    }

    var changedCount: Int { self.changed.count }

    /// Whether the first `count` matches after the place are known for certain, or all where they are fewer.
    func isCertain(ofFirst count: Int) -> Bool {
        let certainCount = self.visitor.selection?.certainCount ?? .max
        return certainCount >= min(count, self.visitor.selection?.visitedCount ?? 0)
    }

    /// Whether the walk is void: what it was told of is not all that has changed.
    func isOutdated(_ index: borrowing RegistryIndex) -> Bool {
        !self.isValid || index.identity != self.indexIdentity
    }

    func cohortWillBeRenamed() {
        if self.asksCohortNames { self.isValid = false }
    }

    /// Goes on for some words of rows, or for a slice's time, and tells whether the walk is through.
    func advance(_ wordCount: Int?) -> Bool {
        let watch = Stopwatch()
        var rest = wordCount ?? .max
        while self.chunk < self.fleet.pointee.chunkCount {
            if !self.isLoaded { self.load() }
            // Rows that came meanwhile have changed, and are not looked at before the end.
            let rowCount = self.fleet.pointee.rows.count - self.chunk << RowChunk.rowBits
            let last = min(MaskScan.wordCount, (rowCount + 63) >> 6)
            let end = min(last, self.word + min(self.stepWordCount, rest))
            self.scan.visit(self.word..<end, &self.visitor, &self.tally)
            rest -= end - self.word
            self.word = end
            if end == last {
                self.chunk += 1
                self.word = 0
                self.isLoaded = false
            }
            guard rest > 0, wordCount != nil || watch.elapsedNanoseconds < LongQuery.sliceNanoseconds else {
                return false
            }
        }
        return true
    }

    private func load() {
        self.scan.load(chunk: self.chunk, hasChanged: true)
        for row in self.changed where Int(row >> RowChunk.rowBits) == self.chunk {
            self.scan.exclude(row)
        }
        self.isLoaded = true
    }

    /// Called before a row changes, while it is as it was.
    func rowWillChange(_ row: UInt32) {
        // A walk that is void is not asked for anything any more, and what it keeps may be gone.
        guard self.isValid else { return }
        guard self.changed.insert(row).inserted, Int(row) < self.fleet.pointee.rows.count else { return }
        let chunk = Int(row >> RowChunk.rowBits)
        let isVisited = chunk < self.chunk || (chunk == self.chunk && Int(row & RowChunk.rowMask) >> 6 < self.word)
        if isVisited {
            guard !self.fleet.pointee.rows.base[Int(row)].isFree, self.program.passes(row, self.fleet) else { return }
            self.visitor.remove(row)
            self.tally.matchCount -= 1
        } else if chunk == self.chunk, self.isLoaded {
            self.scan.exclude(row)
        }
    }

    /// Looks at the rows that changed, as they are now.
    func visitChanged(_ condition: Condition) {
        self.visitor.counter?.grow()
        var batch = RowBatch(RowProgram(condition), in: self.fleet)
        for row in self.changed where Int(row) < self.fleet.pointee.rows.count {
            guard !self.fleet.pointee.rows.base[Int(row)].isFree else { continue }
            batch.append(row, &self.visitor, &self.tally)
        }
        batch.flush(&self.visitor, &self.tally)
    }

    /// Gives up what was kept. Called once.
    func takeSelection() -> PageSelection {
        guard let selection = self.visitor.selection.take() else {
            preconditionFailure("the walk of a list keeps rows")
        }
        return selection
    }

    /// Gives up the ids of the matches. Called once.
    func takeCollector() -> DeviceCollector {
        guard let collector = self.visitor.collector.take() else {
            preconditionFailure("the walk of a selection collects")
        }
        return collector
    }

    /// Gives up what was counted. Called once.
    func takeCounter() -> GroupCounter {
        guard let counter = self.visitor.counter.take() else {
            preconditionFailure("the walk of a count counts")
        }
        return counter
    }
}

/// The walks that are under way, so that the writer can tell them of changes.
///
/// ## Concurrency
/// Walks come and go while the index is held for reading, by any number of threads: hence the lock. Changes are told of while it is
/// held for writing.
final class LongWalks: Sendable {
    private struct State: @unchecked Sendable {
        // The walks are touched only by who holds the index, as LongQuery has it.
        var walks: [LongWalk] = []
    }

    private let state = Mutex(State())
    private let count = Atomic<Int>(0)

    func insert(_ walk: LongWalk) {
        let state = State(walks: [walk])
        self.state.withLock { $0.walks += state.walks }
        self.count.add(1, ordering: .relaxed)
    }

    func remove(_ walk: LongWalk) {
        let identity = ObjectIdentifier(walk)
        let isRemoved = self.state.withLock { state in
            let before = state.walks.count
            state.walks.removeAll { ObjectIdentifier($0) == identity }
            return state.walks.count < before
        }
        if isRemoved { self.count.subtract(1, ordering: .relaxed) }
    }

    var isEmpty: Bool {
        @inline(__always) get { self.count.load(ordering: .relaxed) == 0 }
    }

    /// Tells the walks of a project that a row is about to change.
    func rowWillChange(_ row: UInt32, in project: ProjectID) {
        self.state.withLock { state in
            for walk in state.walks where walk.project == project { walk.rowWillChange(row) }
        }
    }

    /// Makes the walks of a project begin anew that rest on the names of cohorts.
    func cohortWillBeRenamed(in project: ProjectID) {
        self.state.withLock { state in
            for walk in state.walks where walk.project == project { walk.cohortWillBeRenamed() }
        }
    }
}
