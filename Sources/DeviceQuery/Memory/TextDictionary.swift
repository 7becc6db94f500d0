// The values of one field, each stored once, with the devices that have it.

internal import CRollcallShims

/// Texts under small numbers (codes), each with the set of rows whose device has it.
///
/// Codes of removed texts are given again. Releases and cohorts stay until they are removed by name; owners and hardware versions
/// go with the last device that had them.
/// - Complexity: a look-up by text O(its length); moving a row as ``RowSet``; adding and removing a text O(log of their count).
struct TextDictionary: ~Copyable {
    struct Entry: BitwiseCopyable {
        /// The text's ``Swift/UnsafeRawBufferPointer/sortPrefix``.
        var prefix: UInt64
        var rows: RowSet
        /// `none` where the code is free.
        var text: TextRef
        /// While the code is in use, a number that its user keeps here; while free, the next free code.
        var tag: UInt32
    }

    private var entries: Column<Entry>
    private var table: HashSlots
    private var texts: TextPool
    /// The codes in the order of their texts.
    private(set) var byText: RankedTree
    private var firstFree: UInt32 = .max
    private let seed: UInt64
    private let dropsUnused: Bool
    private(set) var rowSetByteCount = 0

    /// - Parameter dropsUnused: whether a text goes with its last row.
    init(seed: UInt64, dropsUnused: Bool) {
        self.entries = Column()
        self.table = HashSlots()
        self.texts = TextPool()
        self.byText = RankedTree()
        self.seed = seed
        self.dropsUnused = dropsUnused
    }

    deinit {
        var byteCount = 0
        for index in 0..<self.entries.count {
            self.entries.base[index].rows.destroy(byteCount: &byteCount)
        }
    }

    /// How many texts there are.
    var count: Int { self.table.count }

    /// One more than the largest code ever given.
    var codeCount: Int { self.entries.count }

    /// What it takes, the sets of rows left out.
    var byteCount: Int {
        self.entries.byteCount + self.table.byteCount + self.texts.byteCount + self.byText.byteCount
    }

    // MARK: Reading

    @inline(__always)
    func code(of text: UnsafeRawBufferPointer) -> UInt32? {
        self.table.find(HashSlots.tag(StableHash.hash(text, seed: self.seed))) { candidate in
            self.texts.text(candidate).holdsSameBytes(as: text)
        }
    }

    /// Appends the codes of those texts that it holds.
    ///
    /// A look-up waits for a slot of the table and then for a text and an entry: of many look-ups each step is begun before the first
    /// one is waited for.
    func appendCodes(of texts: [String], to codes: inout [UInt32]) {
        guard texts.count > 2 else {
            for index in texts.indices {
                if let code = texts[index].withBytes({ self.code(of: $0) }) { codes.append(code) }
            }
            return
        }
        let blockCount = 32
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: blockCount) { tags in
            for start in stride(from: 0, to: texts.count, by: blockCount) {
                let count = min(texts.count - start, blockCount)
                for place in 0..<count {
                    tags[place] = HashSlots.tag(texts[start + place].withBytes { StableHash.hash($0, seed: self.seed) })
                    self.table.prefetch(tags[place])
                }
                for place in 0..<count {
                    guard let slot = self.table.first(tags[place]) else { continue }
                    self.texts.prefetch(slot.text)
                    rollcall_prefetch(self.entries.base + Int(slot.number))
                }
                for place in 0..<count {
                    let code = texts[start + place].withBytes { bytes in
                        self.table.find(tags[place]) { self.texts.text($0).holdsSameBytes(as: bytes) }
                    }
                    if let code { codes.append(code) }
                }
            }
        }
    }

    @inline(__always)
    func text(_ code: UInt32) -> UnsafeRawBufferPointer {
        self.texts.text(self.entries[Int(code)].text)
    }

    /// Begins to fetch where the text of a code lies.
    @inline(__always)
    func prefetchPlace(_ code: UInt32) {
        rollcall_prefetch(self.entries.base + Int(code))
    }

    /// Begins to fetch a text whose place is there by now.
    @inline(__always)
    func prefetchText(_ code: UInt32) {
        self.texts.prefetch(self.entries.base[Int(code)].text)
    }

    @inline(__always)
    func prefix(_ code: UInt32) -> UInt64 {
        self.entries[Int(code)].prefix
    }

    @inline(__always)
    func rows(_ code: UInt32) -> RowSet {
        self.entries[Int(code)].rows
    }

    /// Calls `body` with each code that rows have, and with those.
    @inline(__always)
    func forEachRowSet(_ body: (UInt32, RowSet) -> Void) {
        for code in 0..<UInt32(self.entries.count) {
            let rows = self.entries.base[Int(code)].rows
            if rows.count > 0 { body(code, rows) }
        }
    }

    @inline(__always)
    func tag(_ code: UInt32) -> UInt32 {
        self.entries[Int(code)].tag
    }

    func isUsed(_ code: UInt32) -> Bool {
        Int(code) < self.entries.count && self.entries[Int(code)].text != .none
    }

    // MARK: The order of texts

    struct Ties: TieBreaker {
        fileprivate let entries: UnsafePointer<Entry>
        fileprivate let texts: TextPool.Reader

        @inline(__always)
        func isBefore(_ left: UInt32, _ right: UInt32) -> Bool {
            let text = self.texts.text(self.entries[Int(left)].text)
            return text.order(against: self.texts.text(self.entries[Int(right)].text)) < 0
        }
    }

    var ties: Ties {
        Ties(entries: UnsafePointer(self.entries.base), texts: self.texts.reader)
    }

    /// How many texts come before `text`, itself counted if `isInclusive`.
    func rank(of text: UnsafeRawBufferPointer, isInclusive: Bool = false) -> Int {
        self.byText.rank(text.sortValue) { code in
            let order = self.text(code).order(against: text)
            return order < 0 || (order == 0 && isInclusive)
        }
    }

    // MARK: Changing

    /// The code of `text`, which is added if it is new.
    mutating func intern(_ text: UnsafeRawBufferPointer) -> UInt32 {
        let tag = HashSlots.tag(StableHash.hash(text, seed: self.seed))
        let known = self.table.find(tag) { self.texts.text($0).holdsSameBytes(as: text) }
        if let known { return known }
        let entry = Entry(prefix: text.sortPrefix, rows: RowSet(), text: self.texts.insert(text), tag: 0)
        let code: UInt32
        if self.firstFree != .max {
            code = self.firstFree
            self.firstFree = self.entries[Int(code)].tag
            self.entries[Int(code)] = entry
        } else {
            code = UInt32(self.entries.count)
            self.entries.append(entry)
        }
        self.table.insert(tag, code, entry.text)
        self.byText.insert(text.sortValue, code, self.ties)
        return code
    }

    mutating func setTag(_ code: UInt32, _ tag: UInt32) {
        self.entries[Int(code)].tag = tag
    }

    /// Removes a text that no row has.
    mutating func remove(_ code: UInt32) {
        precondition(self.entries[Int(code)].rows.count == 0, "a text in use cannot be removed")
        self.byText.remove(self.text(code).sortValue, code, self.ties)
        self.table.remove(HashSlots.tag(StableHash.hash(self.text(code), seed: self.seed)), code)
        self.texts.remove(self.entries[Int(code)].text)
        self.entries[Int(code)] = Entry(prefix: 0, rows: RowSet(), text: .none, tag: self.firstFree)
        self.firstFree = code
    }

    mutating func insert(row: UInt32, under code: UInt32) {
        precondition(self.isUsed(code), "a row needs a code that is in use")
        self.entries.base[Int(code)].rows.insert(row, byteCount: &self.rowSetByteCount)
    }

    mutating func remove(row: UInt32, under code: UInt32) {
        precondition(self.isUsed(code), "a row has a code that is in use")
        self.entries.base[Int(code)].rows.remove(row, byteCount: &self.rowSetByteCount)
        if self.dropsUnused, self.entries.base[Int(code)].rows.count == 0 {
            self.remove(code)
        }
    }
}
