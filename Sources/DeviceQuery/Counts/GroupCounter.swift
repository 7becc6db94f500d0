// Counting rows by group.

internal import DeviceModel

/// A group with how many rows it has so far.
struct GroupEntry: BitwiseCopyable {
    var first: GroupNumber
    var second: GroupNumber
    var count: Int
}

/// Counts matching rows by one or two group keys.
///
/// One key whose values are codes has its counts side by side; where its codes are few and matches many, a chunk's matches are
/// intersected with the set of each code instead of being asked one by one.
struct GroupCounter: ~Copyable, RowVisitor {
    private let fleet: UnsafePointer<Fleet>
    let sources: GroupSources
    private(set) var texts = GroupTexts()
    /// By the number of the group, where there is one key and it has codes.
    private var counts: Column<Int>
    private var noneCount = 0
    /// Otherwise, every group that was seen.
    private var entries = Column<GroupEntry>()
    private var table = HashSlots()
    private(set) var count = 0
    private let isByCode: Bool
    /// Whether the matches of a whole chunk are intersected with sets.
    private let usesSets: Bool

    init(_ sources: GroupSources, usesSets: Bool, in fleet: UnsafePointer<Fleet>) {
        self.fleet = fleet
        self.sources = sources
        self.counts = Column()
        self.isByCode = sources.only?.field != nil
        self.usesSets = usesSets
        if self.isByCode { self.grow() }
    }

    // MARK: Rows

    mutating func visit(_ rows: UnsafeBufferPointer<UInt32>) {
        for row in rows { self.add(row, 1) }
    }

    mutating func visit(words: UnsafeBufferPointer<UInt64>, first: UInt32) -> Int? {
        guard self.sources.isEmpty || self.usesSets else { return nil }
        let count = words.bitCount
        self.count += count
        if self.usesSets { self.count(words, chunk: Int(first) >> RowChunk.rowBits, matchCount: count) }
        return count
    }

    /// Counts rows, or takes back with a negative `amount` what was counted.
    mutating func add(_ row: UInt32, _ amount: Int) {
        self.count += amount
        guard let source = self.sources.first else { return }
        guard !self.isByCode else {
            let number = self.number(source, row)
            if number.isPresent {
                self.counts.base[Int(number.value)] += amount
            } else {
                self.noneCount += amount
            }
            return
        }
        let first = self.number(source, row)
        var second = GroupNumber.none
        if let other = self.sources.second { second = self.number(other, row) }
        self.add(first, second, amount)
    }

    private mutating func add(_ first: GroupNumber, _ second: GroupNumber, _ amount: Int) {
        var hash = StableHash(seed: first.isPresent ? 1 : 0)
        hash.combine(UInt64(bitPattern: first.value))
        hash.combine(UInt64(bitPattern: second.value) ^ (second.isPresent ? 1 << 63 : 0))
        let tag = HashSlots.tag(hash.value)
        // The place of an entry stands for its text, of which the table knows nothing.
        let known = self.table.find(tag) { reference in
            let entry = self.entries.base + Int(reference.unit)
            return entry.pointee.first == first && entry.pointee.second == second
        }
        if let known {
            self.entries.base[Int(known)].count += amount
        } else {
            let number = UInt32(self.entries.count)
            self.entries.append(GroupEntry(first: first, second: second, count: amount))
            self.table.insert(tag, number, TextRef(unit: number))
        }
    }

    private mutating func number(_ source: GroupSource, _ row: UInt32) -> GroupNumber {
        switch source {
        case .dictionary(let field):
            let code = self.fleet.pointee.code(field, of: row)
            if field == .release, code == DeviceRow.noRelease { return .none }
            return GroupNumber(value: Int64(code), isPresent: true)
        case .version:
            let code = self.fleet.pointee.code(.release, of: row)
            if code == DeviceRow.noRelease { return .none }
            return GroupNumber(value: Int64(self.fleet.pointee.versionOfRelease[Int(code)]), isPresent: true)
        case .activity(let recent):
            let seen = self.fleet.pointee.seen.base[Int(row)]
            let activity: Activity = seen == DeviceRow.neverSeen ? .pending : seen >= recent ? .active : .inactive
            return GroupNumber(value: Int64(activity.rawValue), isPresent: true)
        case .attribute(let key):
            guard let slot = self.fleet.pointee.slot(of: key, row: row) else { return .none }
            return GroupNumber(value: self.fleet.pointee.columns[key].pointee.sortValue(slot), isPresent: true)
        case .attributeText(let key):
            guard let slot = self.fleet.pointee.slot(of: key, row: row) else { return .none }
            let number = self.texts.number(of: self.fleet.pointee.columns[key].pointee.text(slot))
            return GroupNumber(value: Int64(number), isPresent: true)
        }
    }

    /// Makes room for groups that came since it was made.
    mutating func grow() {
        guard self.isByCode, let source = self.sources.first else { return }
        let addedCount = source.numberCount(in: self.fleet) - self.counts.count
        if addedCount > 0 { self.counts.append(repeating: 0, count: addedCount) }
    }

    // MARK: Sets

    /// Counts the matches of a chunk, which are bits of `words`, by intersecting them with the set of each code.
    private mutating func count(_ words: UnsafeBufferPointer<UInt64>, chunk: Int, matchCount: Int) {
        precondition(words.count == RowChunk.wordCount, "sets are intersected with the matches of whole chunks")
        guard matchCount > 0, let mask = words.baseAddress else { return }
        var rest = matchCount
        let counts = self.counts.base
        self.forEachSet { number, rows in
            guard rest > 0 else { return }
            let count = rows.count(chunk: chunk, in: mask)
            counts[Int(number)] += count
            rest -= count
        }
        self.noneCount += rest
    }

    /// Counts every device by the sets alone: those of an only key that has codes.
    mutating func countSets() {
        let counts = self.counts.base
        self.forEachSet { number, rows in counts[Int(number)] += Int(rows.count) }
        self.count = self.fleet.pointee.deviceCount
        self.noneCount = self.sources.first?.field == .release ? Int(self.fleet.pointee.unreleased.count) : 0
    }

    /// Calls `body` with each set of rows that share a code, and with the number of the group that it belongs to.
    private func forEachSet(_ body: (UInt32, RowSet) -> Void) {
        guard let source = self.sources.first, let field = source.field else { return }
        let fleet = self.fleet
        fleet.pointee.forEachRowSet(in: field) { code, rows in body(source.number(of: code, in: fleet), rows) }
    }

    // MARK: Groups

    /// A group among those that are put in order: what is moved about is small.
    private struct RankedGroup: BitwiseCopyable {
        var count: Int
        /// The number of a group by code, or else where it is among the entries; nil for rows without a value.
        var place: UInt32?
    }

    private struct Order: EntryOrder {
        let first: GroupSource
        let second: GroupSource?
        let fleet: UnsafePointer<Fleet>
        let texts: UnsafePointer<GroupTexts>
        /// Nil where groups have numbers.
        let entries: UnsafePointer<GroupEntry>?

        /// The largest groups first.
        @inline(__always)
        func prefix(_ group: RankedGroup) -> UInt64 { ~UInt64(group.count) }

        @inline(never)
        func isBefore(_ left: RankedGroup, _ right: RankedGroup) -> Bool {
            let order = self.order(self.first, self.firstNumber(left), self.firstNumber(right))
            guard order == 0, let second = self.second else { return order < 0 }
            return self.order(second, self.secondNumber(left), self.secondNumber(right)) < 0
        }

        private func order(_ source: GroupSource, _ left: GroupNumber, _ right: GroupNumber) -> Int {
            source.order(left, right, self.texts.pointee, in: self.fleet)
        }

        /// What a group's value under the first key is the number of.
        @inline(__always)
        private func firstNumber(_ group: RankedGroup) -> GroupNumber {
            guard let place = group.place else { return .none }
            return self.entries?[Int(place)].first ?? GroupNumber(value: Int64(place), isPresent: true)
        }

        private func secondNumber(_ group: RankedGroup) -> GroupNumber {
            guard let place = group.place else { return .none }
            return self.entries?[Int(place)].second ?? .none
        }

        @inline(__always)
        func group(_ group: RankedGroup, of totalCount: Int) -> BorrowedGroup {
            let first = self.first.value(self.firstNumber(group), self.texts.pointee, in: self.fleet)
            let second = self.second.map { $0.value(self.secondNumber(group), self.texts.pointee, in: self.fleet) }
            return BorrowedGroup(
                first: first, second: second, count: Int64(group.count), totalCount: Int64(totalCount))
        }
    }

    /// Shows the largest groups to `each`, up to `limit` and until it returns false, and tells how many devices are in others.
    consuming func finish(limit: Int, each: (BorrowedGroup) -> Bool) -> CountSummary {
        var summary = CountSummary(count: Int64(self.count))
        guard let first = self.sources.first, self.count > 0 else { return summary }
        withUnsafePointer(to: self.texts) { texts in
            let entries = self.isByCode ? nil : UnsafePointer(self.entries.base)
            let order = Order(
                first: first, second: self.sources.second, fleet: self.fleet, texts: texts, entries: entries)
            var selection = FirstEntries(
                order, limit: limit, expectedCount: self.counts.count + self.entries.count)
            for number in 0..<self.counts.count where self.counts.base[number] > 0 {
                selection.insert(RankedGroup(count: self.counts.base[number], place: UInt32(number)))
            }
            if self.noneCount > 0 {
                selection.insert(RankedGroup(count: self.noneCount, place: nil))
            }
            for index in 0..<self.entries.count where self.entries.base[index].count > 0 {
                selection.insert(RankedGroup(count: self.entries.base[index].count, place: UInt32(index)))
            }
            let sorted = selection.sorted()
            summary.otherCount = summary.count
            for index in 0..<sorted.count {
                guard each(order.group(sorted[index], of: self.count)) else { return }
                summary.otherCount -= Int64(sorted[index].count)
            }
        }
        return summary
    }
}
