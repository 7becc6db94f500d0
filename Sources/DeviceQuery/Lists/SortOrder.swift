// The order of a list, and how rows and places in it compare.

internal import DeviceModel

/// A key's value, as a page token keeps it.
enum SortValue: Hashable {
    /// A time in microseconds or an id.
    case number(Int64)
    /// Empty where there is none: no value counts as smallest, and no text that may be missing is ever empty.
    case text([UInt8])
}

/// A place in a list: the key values of a device and its id, whether or not that device is still there.
struct ListPlace: Hashable {
    /// One for each key of the order.
    var values: [SortValue]
    var id: Int64
}

/// A total order of devices: the keys asked for, then the id in the direction of the last of them.
struct SortOrder {
    /// Without keys that change nothing: those after a unique one, and the id itself, which decides at the end in any case.
    let keys: [SortKey]
    let isIDDescending: Bool
    /// Read for every candidate, where an array would be counted each time.
    private let firstKey: SortKey?

    init(_ keys: [SortKey]) {
        var kept: [SortKey] = []
        var isIDDescending = false
        for key in keys {
            isIDDescending = key.isDescending
            if key.field == .id { break }
            kept.append(key)
            if key.field == .deviceSerial { break }
        }
        self.keys = kept
        self.isIDDescending = isIDDescending
        self.firstKey = kept.first
    }

    /// An index of a fleet that lies in this order, read from its end where `isIDDescending`.
    enum Index {
        case id
        case lastSeen
    }

    var index: Index? {
        switch self.keys.first {
        case nil: .id
        case let key? where key.field == .lastSeen && self.keys.count == 1 && key.isDescending == self.isIDDescending:
            .lastSeen
        default: nil
        }
    }

    // MARK: Comparing

    /// A number such that rows of smaller numbers come first; equal ones are compared by ``isBefore(_:_:in:)``.
    @inline(__always)
    func prefix(_ row: UInt32, in fleet: UnsafePointer<Fleet>) -> UInt64 {
        guard let key = self.firstKey else {
            let prefix = Self.prefix(fleet.pointee.rows.base[Int(row)].id)
            return self.isIDDescending ? ~prefix : prefix
        }
        let device = fleet.pointee.rows.base + Int(row)
        let prefix: UInt64
        switch key.field {
        case .ownerRef: prefix = fleet.pointee.owners.prefix(device.pointee.owner)
        case .hardwareVersion: prefix = fleet.pointee.hardware.prefix(device.pointee.hardware)
        case .cohort: prefix = fleet.pointee.cohorts.prefix(device.pointee.cohort)
        case .release:
            prefix =
                device.pointee.release == DeviceRow.noRelease
                ? 0 : fleet.pointee.releases.prefix(device.pointee.release)
        case .deviceSerial: prefix = fleet.pointee.serials.text(device.pointee.serial).sortPrefix
        case .id, .createdDate, .updatedDate, .lastSeen: prefix = Self.prefix(Self.number(key.field, device))
        }
        return key.isDescending ? ~prefix : prefix
    }

    /// The ``prefix(_:in:)`` of a device at `place`.
    func prefix(_ place: ListPlace) -> UInt64 {
        guard let key = self.keys.first, let value = place.values.first else {
            let prefix = Self.prefix(place.id)
            return self.isIDDescending ? ~prefix : prefix
        }
        let prefix =
            switch value {
            case .number(let number): Self.prefix(number)
            case .text(let bytes): bytes.withUnsafeBytes { $0.sortPrefix }
            }
        return key.isDescending ? ~prefix : prefix
    }

    func isBefore(_ left: UInt32, _ right: UInt32, in fleet: UnsafePointer<Fleet>) -> Bool {
        let first = fleet.pointee.rows.base + Int(left)
        let second = fleet.pointee.rows.base + Int(right)
        for key in self.keys {
            let order: Int
            if key.field.isText {
                if Self.shareText(key.field, first, second) { continue }
                order = Self.text(key.field, first, in: fleet).order(against: Self.text(key.field, second, in: fleet))
            } else {
                order = Self.order(Self.number(key.field, first), Self.number(key.field, second))
            }
            if order != 0 { return (order < 0) != key.isDescending }
        }
        return first.pointee.id != second.pointee.id && (first.pointee.id < second.pointee.id) != self.isIDDescending
    }

    func isAfter(_ row: UInt32, _ place: ListPlace, in fleet: UnsafePointer<Fleet>) -> Bool {
        let device = fleet.pointee.rows.base + Int(row)
        for (key, value) in zip(self.keys, place.values) {
            let order =
                switch value {
                case .number(let number): Self.order(Self.number(key.field, device), number)
                case .text(let bytes):
                    bytes.withUnsafeBytes { Self.text(key.field, device, in: fleet).order(against: $0) }
                }
            if order != 0 { return (order > 0) != key.isDescending }
        }
        return device.pointee.id != place.id && (device.pointee.id > place.id) != self.isIDDescending
    }

    /// Where a device stands.
    func place(_ row: UInt32, in fleet: UnsafePointer<Fleet>) -> ListPlace {
        let device = fleet.pointee.rows.base + Int(row)
        var values: [SortValue] = []
        for key in self.keys {
            if key.field.isText {
                values.append(.text(Array(Self.text(key.field, device, in: fleet))))
            } else {
                values.append(.number(Self.number(key.field, device)))
            }
        }
        return ListPlace(values: values, id: device.pointee.id)
    }

    // MARK: Values

    @inline(__always)
    private static func prefix(_ number: Int64) -> UInt64 {
        UInt64(bitPattern: number) ^ (1 << 63)
    }

    @inline(__always)
    private static func order(_ left: Int64, _ right: Int64) -> Int {
        left < right ? -1 : left == right ? 0 : 1
    }

    @inline(__always)
    private static func number(_ field: SortKey.Field, _ device: UnsafePointer<DeviceRow>) -> Int64 {
        switch field {
        case .createdDate: device.pointee.createdDate.microseconds
        case .updatedDate: device.pointee.updatedDate.microseconds
        case .lastSeen: device.pointee.lastSeen
        case .id, .deviceSerial, .ownerRef, .hardwareVersion, .release, .cohort: device.pointee.id
        }
    }

    private static func text(
        _ field: SortKey.Field, _ device: UnsafePointer<DeviceRow>, in fleet: UnsafePointer<Fleet>
    ) -> UnsafeRawBufferPointer {
        switch field {
        case .deviceSerial: return fleet.pointee.serials.text(device.pointee.serial)
        case .ownerRef: return fleet.pointee.owners.text(device.pointee.owner)
        case .hardwareVersion: return fleet.pointee.hardware.text(device.pointee.hardware)
        case .cohort: return fleet.pointee.cohorts.text(device.pointee.cohort)
        case .release where device.pointee.release != DeviceRow.noRelease:
            return fleet.pointee.releases.text(device.pointee.release)
        case .release, .id, .createdDate, .updatedDate, .lastSeen: return UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }

    /// Whether two devices have the same text, as far as their codes can tell.
    private static func shareText(
        _ field: SortKey.Field, _ left: UnsafePointer<DeviceRow>, _ right: UnsafePointer<DeviceRow>
    ) -> Bool {
        switch field {
        case .ownerRef: left.pointee.owner == right.pointee.owner
        case .hardwareVersion: left.pointee.hardware == right.pointee.hardware
        case .release: left.pointee.release == right.pointee.release
        case .cohort: left.pointee.cohort == right.pointee.cohort
        case .deviceSerial, .id, .createdDate, .updatedDate, .lastSeen: false
        }
    }
}

extension SortKey.Field {
    var isText: Bool {
        switch self {
        case .deviceSerial, .ownerRef, .hardwareVersion, .release, .cohort: true
        case .id, .createdDate, .updatedDate, .lastSeen: false
        }
    }
}
