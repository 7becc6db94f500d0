// The order of a list, and how rows and places in it compare.

internal import CRollcallShims
internal import DeviceModel

/// A key's value, as a page token keeps it.
enum SortValue: Hashable {
    case none
    /// A time in microseconds, an id, or what stands for an attribute's value.
    case number(Int64)
    case text([UInt8])

    var isNumber: Bool {
        if case .number = self { true } else { false }
    }
}

/// A place in a list: the key values of a device and its id, whether or not that device is still there.
struct ListPlace: Hashable {
    /// Nil where the id alone decides.
    var firstValue: SortValue?
    /// One for each other key of the order.
    var otherValues: [SortValue] = []
    var id: Int64

    /// The place among devices that share the value of the first key.
    var rest: ListPlace {
        ListPlace(firstValue: self.otherValues.first, otherValues: Array(self.otherValues.dropFirst()), id: self.id)
    }
}

/// A total order of devices: the keys asked for, then the id in the direction of the last of them.
struct SortOrder {
    /// Where the values of a key come from.
    enum Source {
        case number(NumberField)
        case serial
        case dictionary(DictionaryField)
        /// By the key's place in the project's table.
        case attribute(Int)
    }

    struct Key {
        var source: Source
        var isDescending: Bool
    }

    /// Nil where the id alone decides.
    let firstKey: Key?
    /// Without keys that change nothing: those after a unique one, and the id itself, which decides at the end in any case.
    let otherKeys: [Key]
    let isIDDescending: Bool

    /// - Parameter keys: attributes among them are ones that the fleet has.
    init(_ keys: borrowing [SortKey], in fleet: UnsafePointer<Fleet>) {
        var first: Key?
        var others: [Key] = []
        var isIDDescending = false
        for place in keys.indices {
            isIDDescending = keys[place].isDescending
            guard let source = Source(keys[place].field, in: fleet) else { break }
            let key = Key(source: source, isDescending: isIDDescending)
            if first == nil { first = key } else { others.append(key) }
            if case .serial = source { break }
        }
        self.firstKey = first
        self.otherKeys = others
        self.isIDDescending = isIDDescending
    }

    private init(_ keys: ArraySlice<Key>, isIDDescending: Bool) {
        self.firstKey = keys.first
        self.otherKeys = Array(keys.dropFirst())
        self.isIDDescending = isIDDescending
    }

    var keys: [Key] { self.firstKey.map { [$0] + self.otherKeys } ?? [] }

    /// The order among devices that have the same value of the first key.
    var rest: SortOrder {
        SortOrder(self.otherKeys[...], isIDDescending: self.isIDDescending)
    }

    /// Whether an index by the first key, its ties by id in the same direction, lies in this order.
    var isSingle: Bool {
        self.otherKeys.isEmpty && self.firstKey?.isDescending ?? self.isIDDescending == self.isIDDescending
    }

    // MARK: Comparing

    /// A number such that rows of smaller numbers come first; equal ones are compared by ``isBefore(_:_:in:)``.
    @inline(__always)
    func prefix(_ row: UInt32, in fleet: UnsafePointer<Fleet>) -> UInt64 {
        let device = fleet.pointee.rows.base + Int(row)
        guard let key = self.firstKey else {
            let prefix = Self.prefix(device.pointee.id)
            return self.isIDDescending ? ~prefix : prefix
        }
        let prefix: UInt64
        switch key.source {
        case .number(.lastSeen): prefix = Self.prefix(fleet.pointee.seen.base[Int(row)])
        case .number(let field): prefix = Self.prefix(fleet.pointee.number(field, of: device))
        case .dictionary(.owner): prefix = fleet.pointee.owners.prefix(device.pointee.owner)
        case .dictionary(.hardware): prefix = fleet.pointee.hardware.prefix(device.pointee.hardware)
        case .dictionary(.cohort): prefix = fleet.pointee.cohorts.prefix(device.pointee.cohort)
        case .dictionary(.release):
            let code = device.pointee.release
            prefix = code == DeviceRow.noRelease ? 0 : fleet.pointee.releases.prefix(code)
        case .serial: prefix = fleet.pointee.serials.text(device.pointee.serial).sortPrefix
        case .attribute(let index): prefix = Self.prefix(index, row, fleet)
        }
        return key.isDescending ? ~prefix : prefix
    }

    /// The ``prefix(_:in:)`` of each row.
    func prefixes(
        of rows: UnsafeBufferPointer<UInt32>, in fleet: UnsafePointer<Fleet>,
        into prefixes: UnsafeMutablePointer<UInt64>
    ) {
        guard case .number(.lastSeen)? = self.firstKey?.source else {
            for index in 0..<rows.count { prefixes[index] = self.prefix(rows[index], in: fleet) }
            return
        }
        // The most frequent one by far, and then nothing but the fetching takes time.
        let seen = fleet.pointee.seen.base
        let turn: UInt64 = self.isWalkDescending ? .max : 0
        for index in 0..<rows.count {
            rollcall_prefetch(seen + Int(rows[min(index &+ fetchedAheadCount, rows.count &- 1)]))
            prefixes[index] = Self.prefix(seen[Int(rows[index])]) ^ turn
        }
    }

    private static func prefix(_ key: Int, _ row: UInt32, _ fleet: UnsafePointer<Fleet>) -> UInt64 {
        guard let slot = fleet.pointee.slot(of: key, row: row) else { return 0 }
        return Self.prefix(fleet.pointee.columns[key].pointee.sortValue(slot))
    }

    @inline(__always)
    private static func prefix(_ number: Int64) -> UInt64 {
        UInt64(bitPattern: number) ^ (1 << 63)
    }

    /// The ``prefix(_:in:)`` of a device at `place`.
    func prefix(_ place: ListPlace) -> UInt64 {
        guard let key = self.firstKey, let value = place.firstValue else {
            let prefix = Self.prefix(place.id)
            return self.isIDDescending ? ~prefix : prefix
        }
        let prefix =
            switch value {
            case .none: 0 as UInt64
            case .number(let number): Self.prefix(number)
            case .text(let bytes): bytes.withUnsafeBytes { $0.sortPrefix }
            }
        return key.isDescending ? ~prefix : prefix
    }

    func isBefore(_ left: UInt32, _ right: UInt32, in fleet: UnsafePointer<Fleet>) -> Bool {
        if let key = self.firstKey {
            let order = key.source.order(left, right, in: fleet)
            if order != 0 { return (order < 0) != key.isDescending }
        }
        for key in self.otherKeys {
            let order = key.source.order(left, right, in: fleet)
            if order != 0 { return (order < 0) != key.isDescending }
        }
        let (first, second) = (fleet.pointee.rows.base[Int(left)].id, fleet.pointee.rows.base[Int(right)].id)
        return first != second && (first < second) != self.isIDDescending
    }

    func isAfter(_ row: UInt32, _ place: ListPlace, in fleet: UnsafePointer<Fleet>) -> Bool {
        if let key = self.firstKey, let value = place.firstValue {
            let order = key.source.order(row, value, in: fleet)
            if order != 0 { return (order > 0) != key.isDescending }
        }
        for (key, value) in zip(self.otherKeys, place.otherValues) {
            let order = key.source.order(row, value, in: fleet)
            if order != 0 { return (order > 0) != key.isDescending }
        }
        let id = fleet.pointee.rows.base[Int(row)].id
        return id != place.id && (id > place.id) != self.isIDDescending
    }

    /// Where a device stands.
    func place(_ row: UInt32, in fleet: UnsafePointer<Fleet>) -> ListPlace {
        ListPlace(
            firstValue: self.firstKey?.source.value(row, in: fleet),
            otherValues: self.otherKeys.map { $0.source.value(row, in: fleet) },
            id: fleet.pointee.rows.base[Int(row)].id)
    }
}

// MARK: - Sources

extension SortOrder.Source {
    /// Nil for the id, which is no key of its own, and for an attribute that the fleet does not have.
    fileprivate init?(_ field: SortKey.Field, in fleet: UnsafePointer<Fleet>) {
        switch field {
        case .id: return nil
        case .createdDate: self = .number(.createdDate)
        case .updatedDate: self = .number(.updatedDate)
        case .lastSeen: self = .number(.lastSeen)
        case .deviceSerial: self = .serial
        case .ownerRef: self = .dictionary(.owner)
        case .hardwareVersion: self = .dictionary(.hardware)
        case .release: self = .dictionary(.release)
        case .cohort: self = .dictionary(.cohort)
        case .attribute(let text):
            guard let key = fleet.pointee.attributeKeys.index(text) else { return nil }
            self = .attribute(key)
        }
    }

    /// Whether a value is one that this source may have had.
    func admits(_ value: SortValue, in fleet: UnsafePointer<Fleet>) -> Bool {
        switch (self, value) {
        case (.number, .number), (.serial, .text), (.dictionary, .text), (.attribute, .none): true
        case (.attribute(let key), .text): fleet.pointee.columns[key].pointee.dataType == .string
        case (.attribute(let key), .number): fleet.pointee.columns[key].pointee.dataType != .string
        case (.number, _), (.serial, _), (.dictionary, _): false
        }
    }

    /// Below zero where the first comes first, zero where both have the same value.
    func order(_ left: UInt32, _ right: UInt32, in fleet: UnsafePointer<Fleet>) -> Int {
        let (first, second) = (fleet.pointee.rows.base + Int(left), fleet.pointee.rows.base + Int(right))
        switch self {
        case .number(let field):
            return fleet.pointee.number(field, of: first).order(against: fleet.pointee.number(field, of: second))
        case .serial:
            return fleet.pointee.serials.text(first.pointee.serial).order(
                against: fleet.pointee.serials.text(second.pointee.serial))
        case .dictionary(let field):
            guard first.pointee.code(field) != second.pointee.code(field) else { return 0 }
            return Self.text(field, first, fleet).order(against: Self.text(field, second, fleet))
        case .attribute(let key):
            guard let slot = fleet.pointee.slot(of: key, row: left) else {
                return fleet.pointee.slot(of: key, row: right) == nil ? 0 : -1
            }
            guard let other = fleet.pointee.slot(of: key, row: right) else { return 1 }
            let column = fleet.pointee.columns[key]
            return column.pointee.dataType == .string
                ? column.pointee.text(slot).order(against: column.pointee.text(other))
                : column.pointee.sortValue(slot).order(against: column.pointee.sortValue(other))
        }
    }

    func order(_ row: UInt32, _ value: SortValue, in fleet: UnsafePointer<Fleet>) -> Int {
        let device = fleet.pointee.rows.base + Int(row)
        switch (self, value) {
        case (.number(let field), .number(let number)):
            return fleet.pointee.number(field, of: device).order(against: number)
        case (.serial, .text(let bytes)):
            return bytes.withUnsafeBytes { fleet.pointee.serials.text(device.pointee.serial).order(against: $0) }
        case (.dictionary(let field), .text(let bytes)):
            return bytes.withUnsafeBytes { Self.text(field, device, fleet).order(against: $0) }
        case (.attribute(let key), _):
            guard let slot = fleet.pointee.slot(of: key, row: row) else { return value == .none ? 0 : -1 }
            let column = fleet.pointee.columns[key]
            switch value {
            case .none: return 1
            case .number(let number): return column.pointee.sortValue(slot).order(against: number)
            case .text(let bytes): return bytes.withUnsafeBytes { column.pointee.text(slot).order(against: $0) }
            }
        case (.number, _), (.serial, _), (.dictionary, _):
            preconditionFailure("a place holds values of its order's keys")
        }
    }

    fileprivate func value(_ row: UInt32, in fleet: UnsafePointer<Fleet>) -> SortValue {
        let device = fleet.pointee.rows.base + Int(row)
        switch self {
        case .number(let field): return .number(fleet.pointee.number(field, of: device))
        case .serial: return .text(Array(fleet.pointee.serials.text(device.pointee.serial)))
        case .dictionary(let field): return .text(Array(Self.text(field, device, fleet)))
        case .attribute(let key):
            guard let slot = fleet.pointee.slot(of: key, row: row) else { return .none }
            let column = fleet.pointee.columns[key]
            return column.pointee.dataType == .string
                ? .text(Array(column.pointee.text(slot))) : .number(column.pointee.sortValue(slot))
        }
    }

    /// Empty where there is no release: that comes before every release, whose version is never empty.
    private static func text(
        _ field: DictionaryField, _ device: UnsafePointer<DeviceRow>, _ fleet: UnsafePointer<Fleet>
    ) -> UnsafeRawBufferPointer {
        let code = device.pointee.code(field)
        guard field != .release || code != DeviceRow.noRelease else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return fleet.pointee.text(code, in: field)
    }
}

extension Int64 {
    /// Below zero where this one is smaller.
    @inline(__always)
    fileprivate func order(against other: Int64) -> Int {
        self < other ? -1 : self == other ? 0 : 1
    }
}
