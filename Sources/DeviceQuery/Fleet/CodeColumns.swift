// The codes of rows once more, where a scan finds them close together.

/// Each row's codes, field by field, of owners in four bytes and of the rest in two: what most tests of a row read, in arrays that
/// fit a processor's caches where the rows themselves do not.
struct CodeColumns: ~Copyable {
    private(set) var owner = Column<UInt32>()
    private(set) var hardware = Column<UInt16>()
    private(set) var release = Column<UInt16>()
    private(set) var cohort = Column<UInt16>()

    /// The row has a code that takes more than two bytes; the row itself tells which.
    static var wide: UInt16 { 0xFFFF }
    static var none: UInt16 { 0xFFFE }

    var byteCount: Int { self.owner.byteCount + 3 * self.cohort.byteCount }

    @inline(__always)
    static func narrow(_ code: UInt32) -> UInt16 {
        code == DeviceRow.noRelease ? Self.none : code < UInt32(Self.none) ? UInt16(code) : Self.wide
    }

    /// The codes of a field in two bytes; nil for owners, which are too many.
    @inline(__always)
    func narrow(_ field: DictionaryField) -> UnsafePointer<UInt16>? {
        switch field {
        case .owner: nil
        case .hardware: UnsafePointer(self.hardware.base)
        case .release: UnsafePointer(self.release.base)
        case .cohort: UnsafePointer(self.cohort.base)
        }
    }

    mutating func append() {
        self.owner.append(.max)
        self.hardware.append(Self.none)
        self.release.append(Self.none)
        self.cohort.append(Self.none)
    }

    /// Takes over the codes of a row.
    mutating func update(_ row: UInt32, _ device: DeviceRow) {
        self.owner[Int(row)] = device.owner
        self.hardware[Int(row)] = Self.narrow(device.hardware)
        self.release[Int(row)] = Self.narrow(device.release)
        self.cohort[Int(row)] = Self.narrow(device.cohort)
    }
}
