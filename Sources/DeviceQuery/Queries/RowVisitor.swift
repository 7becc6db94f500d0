// What is done with the rows that match.

internal import CWordKernels

/// Takes matching rows, each once, in any order.
///
/// Rows come some at a time: what is fetched for one of them is then fetched for all, and the waiting overlaps.
protocol RowVisitor: ~Copyable {
    mutating func visit(_ rows: UnsafeBufferPointer<UInt32>)
    /// Takes the rows `first`, `first` + 1, … whose bits are set, and tells how many; nil where rows are wanted one by one instead.
    mutating func visit(words: UnsafeBufferPointer<UInt64>, first: UInt32) -> Int?
}

extension RowVisitor where Self: ~Copyable {
    @inline(__always)
    mutating func visit(words: UnsafeBufferPointer<UInt64>, first: UInt32) -> Int? { nil }
}

extension UnsafeBufferPointer<UInt64> {
    /// How many bits are set.
    var bitCount: Int { rollcall_words_count(self.baseAddress, self.count) }
}

/// Counts rows.
struct RowCount: RowVisitor {
    private(set) var count = 0

    @inline(__always)
    mutating func visit(_ rows: UnsafeBufferPointer<UInt32>) {
        self.count += rows.count
    }

    mutating func visit(words: UnsafeBufferPointer<UInt64>, first: UInt32) -> Int? {
        let count = words.bitCount
        self.count += count
        return count
    }
}

/// Keeps the first rows of an order.
struct PageSelection: ~Copyable, RowVisitor {
    struct Entry: BitwiseCopyable {
        var prefix: UInt64
        var row: UInt32
    }

    private struct Order: EntryOrder {
        let order: SortOrder
        let fleet: UnsafePointer<Fleet>

        @inline(__always)
        func prefix(_ entry: Entry) -> UInt64 { entry.prefix }

        @inline(never)
        func isBefore(_ left: Entry, _ right: Entry) -> Bool {
            self.order.isBefore(left.row, right.row, in: self.fleet)
        }
    }

    private let order: SortOrder
    private let fleet: UnsafePointer<Fleet>
    private let after: ListPlace?
    private let afterPrefix: UInt64
    private var entries: FirstEntries<Order>
    /// Rows after the place that were shown to it.
    private(set) var visitedCount = 0

    /// - Parameters:
    ///   - after: rows up to this place are left out.
    ///   - limit: how many rows to keep, at least 1.
    ///   - expectedCount: how many are expected to be shown to it.
    init(_ order: SortOrder, after: ListPlace?, limit: Int, expectedCount: Int, in fleet: UnsafePointer<Fleet>) {
        self.order = order
        self.fleet = fleet
        self.after = after
        self.afterPrefix = after.map { order.prefix($0) } ?? 0
        self.entries = FirstEntries(Order(order: order, fleet: fleet), limit: limit, expectedCount: expectedCount)
    }

    var isFull: Bool { self.entries.isFull }

    mutating func visit(_ rows: UnsafeBufferPointer<UInt32>) {
        let blockCount = 128
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: blockCount) { buffer in
            guard let prefixes = buffer.baseAddress else { return }
            for start in stride(from: 0, to: rows.count, by: blockCount) {
                let block = UnsafeBufferPointer(rebasing: rows[start..<min(rows.count, start + blockCount)])
                self.order.prefixes(of: block, in: self.fleet, into: prefixes)
                self.visit(block, prefixes)
            }
        }
    }

    private mutating func visit(_ rows: UnsafeBufferPointer<UInt32>, _ prefixes: UnsafePointer<UInt64>) {
        guard let after = self.after else {
            self.visitedCount += rows.count
            return self.entries.insert(rows.count) { Entry(prefix: prefixes[$0], row: rows[$0]) }
        }
        for index in 0..<rows.count where prefixes[index] >= self.afterPrefix {
            let entry = Entry(prefix: prefixes[index], row: rows[index])
            if entry.prefix == self.afterPrefix, !self.order.isAfter(entry.row, after, in: self.fleet) { continue }
            self.visitedCount += 1
            self.entries.insert(entry)
        }
    }

    mutating func visit(_ row: UInt32) {
        withUnsafePointer(to: row) { self.visit(UnsafeBufferPointer(start: $0, count: 1)) }
    }

    /// Takes back a row that was shown to it and that is still as it was then.
    mutating func remove(_ row: UInt32) {
        if let after = self.after, !self.order.isAfter(row, after, in: self.fleet) { return }
        self.visitedCount -= 1
        self.entries.remove(Entry(prefix: self.order.prefix(row, in: self.fleet), row: row)) { $0.row == row }
    }

    /// How many first rows it has for certain.
    var certainCount: Int { self.entries.certainCount }

    /// Appends kept rows to `rows` in order, the first `offset` of them left out, up to `count` of them.
    consuming func finish(skipping offset: Int, count: Int = .max, into rows: inout Column<UInt32>) {
        let sorted = self.entries.sorted()
        let start = min(offset, sorted.count)
        for index in start..<(start + min(count, sorted.count - start)) {
            rows.append(sorted[index].row)
        }
    }
}
