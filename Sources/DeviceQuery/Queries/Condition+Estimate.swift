// How many rows a condition is expected to match, from the counts that the indexes keep.

internal import DeviceModel

/// Where an ordered index is, and so which numbers its entries are.
enum TreeName: Equatable {
    case id
    case lastSeen
    case lazy(OrderName)
}

extension Fleet {
    /// The index, if it is there.
    @inline(__always)
    func withTree<Result>(_ name: TreeName, _ body: (borrowing RankedTree) -> Result) -> Result? {
        switch name {
        case .id: body(self.byID)
        case .lastSeen: body(self.byLastSeen)
        case .lazy(let order): self.tree(order).map { body($0.pointee) }
        }
    }
}

extension TreeName {
    /// Takes note that the index is read.
    func noteUse(in fleet: UnsafePointer<Fleet>) {
        if case .lazy(let order) = self { fleet.pointee.withOrder(order) { $0.noteUse() } }
    }
}

/// Rows that lie together in an index.
struct RowRange {
    var tree: TreeName
    var ranks: Range<Int>
    /// Whether just these rows pass the test, rather than all that do being among them.
    var isExact: Bool
}

extension RowTest {
    /// The index that has what passes in one piece, whether or not it is built.
    var tree: TreeName? {
        switch self {
        case .number(.id, _): .id
        case .number(.lastSeen, _): .lastSeen
        case .number(.createdDate, _): .lazy(.createdDate)
        case .number(.updatedDate, _): .lazy(.updatedDate)
        case .text(.deviceSerial, _): .lazy(.deviceSerial)
        case .attribute(let key, .range), .attribute(let key, .text): .lazy(.attribute(key))
        case .codes, .released, .number, .text, .rows, .attribute: nil
        }
    }

    /// The rows that pass, where an index has them in one piece. - Complexity: O(log n).
    func range(in fleet: UnsafePointer<Fleet>) -> RowRange? {
        guard let name = self.tree else { return nil }
        return fleet.pointee.withTree(name) { tree in
            switch self {
            case .number(_, let bounds), .attribute(_, .range(let bounds)):
                return RowRange(tree: name, ranks: tree.ranks(bounds), isExact: true)
            case .text(_, let match):
                let texts = fleet.pointee.serials.reader
                let rows = UnsafePointer(fleet.pointee.rows.base)
                return match.range(name, in: tree) { texts.text(rows[Int($0)].serial) }
            case .attribute(let key, .text(let match)):
                let column = fleet.pointee.columns[key]
                return match.range(name, in: tree) { column.pointee.text($0) }
            case .codes, .released, .rows, .attribute: return nil
            }
        } ?? nil
    }

    /// How many rows pass; exact where `isExact` comes out true, a guess otherwise.
    func rowCount(in fleet: UnsafePointer<Fleet>, isExact: inout Bool) -> Int {
        let total = fleet.pointee.deviceCount
        switch self {
        case .codes(_, let list): return list.rowCount
        case .released: return total - Int(fleet.pointee.unreleased.count)
        case .rows(let rows): return rows.count
        case .attribute(let key, .present): return fleet.pointee.columns[key].pointee.count
        case .number, .text, .attribute: break
        }
        if let range = self.range(in: fleet) {
            isExact = isExact && range.isExact
            return range.ranks.count
        }
        isExact = false
        if case .attribute(let key, _) = self { return fleet.pointee.columns[key].pointee.count / 3 }
        if case .number(_, let range) = self, range.count == 1 { return min(1, total) }
        return total / 3
    }
}

extension TextMatch {
    /// Where in an order of texts those that pass are.
    fileprivate func range(
        _ name: TreeName, in tree: borrowing RankedTree, _ text: (UInt32) -> UnsafeRawBufferPointer
    ) -> RowRange {
        func rank(_ bytes: [UInt8], isInclusive: Bool) -> Int {
            bytes.withUnsafeBytes { bytes in
                tree.rank(bytes.sortValue) { number in
                    let order = text(number).order(against: bytes)
                    return order < 0 || (order == 0 && isInclusive)
                }
            }
        }
        let ranks: Range<Int>
        var isExact = true
        switch self {
        case .equal(let bytes): ranks = rank(bytes, isInclusive: false)..<rank(bytes, isInclusive: true)
        case .less(let bytes, let orEqual): ranks = 0..<rank(bytes, isInclusive: orEqual)
        case .greater(let bytes, let orEqual): ranks = rank(bytes, isInclusive: !orEqual)..<tree.count
        case .pattern(let pattern):
            let start = rank(pattern.prefix, isInclusive: false)
            ranks = start..<max(start, pattern.prefix.successor.map { rank($0, isInclusive: false) } ?? tree.count)
            isExact = pattern.isPrefix
        }
        return RowRange(tree: name, ranks: ranks, isExact: isExact)
    }
}

extension ClosedRange<Int64> {
    /// How many numbers there are in it, up to the largest number.
    fileprivate var count: Int {
        let (difference, overflow) = self.upperBound.subtractingReportingOverflow(self.lowerBound)
        return overflow || difference == .max ? .max : Int(difference) + 1
    }
}

extension Condition {
    /// The share of all rows that are expected to match, taking tests to have nothing to do with each other.
    func share(in fleet: UnsafePointer<Fleet>) -> Double {
        let total = Double(max(fleet.pointee.deviceCount, 1))
        switch self {
        case .always: return 1
        case .never: return 0
        case .test(let test, let isNegated):
            var isExact = true
            let share = min(1, Double(test.rowCount(in: fleet, isExact: &isExact)) / total)
            return isNegated ? 1 - share : share
        case .all(let parts): return parts.reduce(1) { $0 * $1.share(in: fleet) }
        case .any(let parts): return 1 - parts.reduce(1) { $0 * (1 - $1.share(in: fleet)) }
        }
    }

    /// How many rows match, where indexes know it without looking at them. - Complexity: O(values named × log n).
    func exactCount(in fleet: UnsafePointer<Fleet>) -> Int? {
        switch self {
        case .always: return fleet.pointee.deviceCount
        case .never: return 0
        case .test(let test, let isNegated):
            var isExact = true
            let count = test.rowCount(in: fleet, isExact: &isExact)
            guard isExact else { return nil }
            return isNegated ? fleet.pointee.deviceCount - count : count
        case .all: return self.partialCount(in: fleet)
        case .any: return nil
        }
    }
}
