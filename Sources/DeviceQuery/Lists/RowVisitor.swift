// What is done with the rows that match.

/// Takes matching rows, each once, in any order.
protocol RowVisitor: ~Copyable {
    mutating func visit(_ row: UInt32)
    /// Takes the rows `first`, `first` + 1, … whose bits are set.
    mutating func visit(bits: UInt64, first: UInt32)
}

/// Counts rows.
struct RowCount: RowVisitor {
    private(set) var count = 0

    @inline(__always)
    mutating func visit(_ row: UInt32) {
        self.count += 1
    }

    @inline(__always)
    mutating func visit(bits: UInt64, first: UInt32) {
        self.count += bits.nonzeroBitCount
    }
}

/// Keeps the first rows of an order.
///
/// - Complexity: O(1) for a row that is not among the first seen so far, O(log limit) for one that is.
struct PageSelection: ~Copyable, RowVisitor {
    private struct Entry: BitwiseCopyable {
        var prefix: UInt64
        var row: UInt32
    }

    private let order: SortOrder
    private let fleet: UnsafePointer<Fleet>
    private let after: ListPlace?
    private let afterPrefix: UInt64
    private let limit: Int
    /// A heap with the last of the order on top, once it holds `limit` entries.
    private var entries: Column<Entry>

    /// - Parameters:
    ///   - after: rows up to this place are left out.
    ///   - limit: how many rows to keep, at least 1.
    init(_ order: SortOrder, after: ListPlace?, limit: Int, in fleet: UnsafePointer<Fleet>) {
        precondition(limit > 0, "a selection keeps at least one row")
        self.order = order
        self.fleet = fleet
        self.after = after
        self.afterPrefix = after.map { order.prefix($0) } ?? 0
        self.limit = limit
        self.entries = Column(capacity: min(limit, 1_024))
    }

    @inline(__always)
    mutating func visit(_ row: UInt32) {
        let entry = Entry(prefix: self.order.prefix(row, in: self.fleet), row: row)
        if let after = self.after {
            if entry.prefix < self.afterPrefix { return }
            if entry.prefix == self.afterPrefix, !self.order.isAfter(row, after, in: self.fleet) { return }
        }
        if self.entries.count < self.limit {
            self.entries.append(entry)
            if self.entries.count == self.limit { self.heapify() }
        } else if self.isBefore(entry, self.entries.base[0]) {
            self.sink(entry, from: 0, count: self.limit)
        }
    }

    @inline(__always)
    mutating func visit(bits: UInt64, first: UInt32) {
        var bits = bits
        while bits != 0 {
            self.visit(first + UInt32(bits.trailingZeroBitCount))
            bits &= bits - 1
        }
    }

    /// Appends the kept rows to `rows` in order, the first `offset` of them left out.
    consuming func finish(skipping offset: Int, into rows: inout Column<UInt32>) {
        if self.entries.count < self.limit { self.heapify() }
        var count = self.entries.count
        while count > 1 {
            count -= 1
            let last = self.entries[count]
            self.entries[count] = self.entries[0]
            self.sink(last, from: 0, count: count)
        }
        for index in min(offset, self.entries.count)..<self.entries.count {
            rows.append(self.entries[index].row)
        }
    }

    private mutating func heapify() {
        for index in stride(from: self.entries.count / 2 - 1, through: 0, by: -1) {
            self.sink(self.entries[index], from: index, count: self.entries.count)
        }
    }

    /// Puts `entry` where it belongs below `start`, in place of what was there.
    private mutating func sink(_ entry: Entry, from start: Int, count: Int) {
        var hole = start
        while true {
            var child = hole * 2 + 1
            if child >= count { break }
            if child + 1 < count, self.isBefore(self.entries.base[child], self.entries.base[child + 1]) { child += 1 }
            guard self.isBefore(entry, self.entries.base[child]) else { break }
            self.entries.base[hole] = self.entries.base[child]
            hole = child
        }
        self.entries.base[hole] = entry
    }

    @inline(__always)
    private func isBefore(_ left: Entry, _ right: Entry) -> Bool {
        left.prefix != right.prefix
            ? left.prefix < right.prefix : self.order.isBefore(left.row, right.row, in: self.fleet)
    }
}
