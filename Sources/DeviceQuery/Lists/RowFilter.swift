// A filter, its words replaced by codes, ready to be held against rows.

internal import DeviceModel

/// One field's condition: the codes of the values that were named, with the rows of each.
struct FieldTest: BitwiseCopyable {
    var field: DictionaryField
    /// Where the field's codes and row sets begin in the filter's columns.
    var start: Int
    var count: Int
    /// How many devices have one of the values: exact, for a device has one value of a field.
    var rowCount: Int
    /// Few and large sets are asked for a row themselves, which costs less than fetching the device.
    var asksSets: Bool
}

/// Which rows match. A row is asked against codes that were looked up once, whatever the count of rows.
struct RowFilter: ~Copyable {
    /// In ascending order of `rowCount`.
    private(set) var fields: Column<FieldTest>
    /// Ascending within each field.
    private var codes: Column<UInt32>
    private var sets: Column<RowSet>
    let seen: SeenRange
    /// The rows of the serials that were named and exist, where serials were named.
    private(set) var serialRows: [UInt32]?
    /// Whether it is plain that nothing matches.
    private(set) var isImpossible: Bool

    /// - Complexity: O(values named), plus the releases of the versions named.
    init(_ filter: DeviceFilter, window: Int64, now: Timestamp, in fleet: UnsafePointer<Fleet>) {
        self.fields = Column()
        self.codes = Column()
        self.sets = Column()
        self.seen = SeenRange(filter, window: window, now: now)
        self.isImpossible = self.seen.isEmpty
        self.add(.owner, filter.ownerRefs, fleet)
        self.add(.hardware, filter.hardwareVersions, fleet)
        self.add(.cohort, filter.cohorts, fleet)
        self.add(.release, filter.releases, fleet)
        if !filter.deviceSerials.isEmpty {
            var rows = filter.deviceSerials.compactMap { serial in serial.withBytes { fleet.pointee.row(serial: $0) } }
            rows.sortAndDeduplicate()
            self.isImpossible = self.isImpossible || rows.isEmpty
            self.serialRows = rows
        }
    }

    private mutating func add(_ field: DictionaryField, _ values: [String], _ fleet: UnsafePointer<Fleet>) {
        guard !values.isEmpty else { return }
        var found: [UInt32] = []
        for value in values {
            if field == .release {
                guard let version = value.withBytes({ fleet.pointee.versions.code(of: $0) }) else { continue }
                found.append(contentsOf: fleet.pointee.releasesOfVersion[Int(version)])
            } else if let code = value.withBytes({ fleet.pointee.code($0, in: field) }) {
                found.append(code)
            }
        }
        found.sortAndDeduplicate()
        var test = FieldTest(
            field: field, start: self.codes.count, count: found.count, rowCount: 0, asksSets: found.count <= 4)
        for code in found {
            let set = fleet.pointee.rowSet(code, in: field)
            self.codes.append(code)
            self.sets.append(set)
            test.rowCount += Int(set.count)
            test.asksSets = test.asksSets && set.isChunked
        }
        self.isImpossible = self.isImpossible || test.rowCount == 0
        var place = 0
        while place < self.fields.count, self.fields[place].rowCount <= test.rowCount { place += 1 }
        self.fields.insert(test, at: place)
    }

    /// The row sets of one field's values.
    @inline(__always)
    func sets(_ field: FieldTest) -> UnsafeBufferPointer<RowSet> {
        UnsafeBufferPointer(start: self.sets.base + field.start, count: field.count)
    }

    /// Whether a row passes every test on a field, the one at `skipped` left out.
    @inline(__always)
    func passesFields(_ row: UInt32, _ devices: UnsafePointer<DeviceRow>, skipping skipped: Int = -1) -> Bool {
        for index in 0..<self.fields.count where index != skipped {
            guard self.passes(self.fields.base[index], row, devices) else { return false }
        }
        return true
    }

    @inline(__always)
    func passesSeen(_ row: UInt32, _ devices: UnsafePointer<DeviceRow>) -> Bool {
        self.seen.isEverything || self.seen.contains(devices[Int(row)].lastSeen)
    }

    @inline(__always)
    private func passes(_ test: FieldTest, _ row: UInt32, _ devices: UnsafePointer<DeviceRow>) -> Bool {
        if test.asksSets {
            for set in self.sets(test) where set.contains(row) { return true }
            return false
        }
        let code = devices[Int(row)].code(test.field)
        let codes = UnsafeBufferPointer(start: self.codes.base + test.start, count: test.count)
        if codes.count <= 8 {
            for candidate in codes where candidate == code { return true }
            return false
        }
        let index = lowerBound(code, codes)
        return index < codes.count && codes[index] == code
    }
}

extension [UInt32] {
    fileprivate mutating func sortAndDeduplicate() {
        guard self.count > 1 else { return }
        self.sort()
        var kept = 1
        for index in 1..<self.count where self[index] != self[kept - 1] {
            self[kept] = self[index]
            kept += 1
        }
        self.removeLast(self.count - kept)
    }
}
