// The values of one attribute key, over all devices that have one.

internal import DeviceModel

/// The times of an attribute's value.
struct AttributeTimes: BitwiseCopyable {
    var time: Timestamp
    var createdDate: Timestamp
    var updatedDate: Timestamp
}

/// Values in slots, side by side, each with the row of its device: a scan touches no device that lacks the attribute.
///
/// A slot keeps its number as long as the device keeps the attribute. A value takes 36 bytes here, a text its own bytes beside.
struct AttributeColumn: ~Copyable {
    let dataType: DataType
    /// An integer, the bits of a double, 0 or 1, or a ``TextRef``. In a free slot, the next free one.
    private var bits: Column<UInt64>
    private var times: Column<AttributeTimes>
    /// ``DeviceRow/noRow`` where the slot is free.
    private(set) var rows: Column<UInt32>
    private var texts: TextPool
    private var firstFree: UInt32 = .max
    /// The devices that have a value.
    private(set) var presence = RowSet()
    private(set) var presenceByteCount = 0
    /// The slots by value, then by device id.
    var order = LazyOrder()

    init(dataType: DataType) {
        self.dataType = dataType
        self.bits = Column()
        self.times = Column()
        self.rows = Column()
        self.texts = TextPool()
    }

    deinit {
        var presence = self.presence
        var byteCount = 0
        presence.destroy(byteCount: &byteCount)
    }

    /// How many devices have a value.
    var count: Int { Int(self.presence.count) }

    /// One more than the largest slot ever given.
    var slotCount: Int { self.rows.count }

    /// What the values take, the order left out.
    var byteCount: Int {
        self.bits.byteCount + self.times.byteCount + self.rows.byteCount + self.texts.byteCount + self.presenceByteCount
    }

    // MARK: Reading

    func state(_ slot: UInt32) -> AttributeState {
        let times = self.times[Int(slot)]
        return AttributeState(
            value: self.value(slot), time: times.time, createdDate: times.createdDate, updatedDate: times.updatedDate)
    }

    func value(_ slot: UInt32) -> AttributeValue {
        let bits = self.bits[Int(slot)]
        return switch self.dataType {
        case .int: .int(Int64(bitPattern: bits))
        case .float: .float(Double(bitPattern: bits))
        case .bool: .bool(bits != 0)
        case .string: .string(String(decoding: self.text(slot), as: UTF8.self))
        }
    }

    @inline(__always)
    func text(_ slot: UInt32) -> UnsafeRawBufferPointer {
        self.texts.text(TextRef(unit: UInt32(truncatingIfNeeded: self.bits[Int(slot)])))
    }

    /// A number that sorts as the values do; equal ones are the same value unless it is a text.
    @inline(__always)
    func sortValue(_ slot: UInt32) -> Int64 {
        let bits = self.bits[Int(slot)]
        return switch self.dataType {
        case .int, .bool: Int64(bitPattern: bits)
        case .float: Double(bitPattern: bits).sortValue
        case .string: self.text(slot).sortValue
        }
    }

    // MARK: Changing

    /// Adds a value of a device that has none.
    mutating func insert(_ state: AttributeState, row: UInt32) -> UInt32 {
        let slot: UInt32
        if self.firstFree != .max {
            slot = self.firstFree
            self.firstFree = UInt32(truncatingIfNeeded: self.bits[Int(slot)])
        } else {
            slot = UInt32(self.rows.count)
            self.bits.append(0)
            self.times.append(AttributeTimes(state))
            self.rows.append(row)
        }
        self.bits[Int(slot)] = self.bits(of: state.value)
        self.times[Int(slot)] = AttributeTimes(state)
        self.rows[Int(slot)] = row
        self.presence.insert(row, byteCount: &self.presenceByteCount)
        return slot
    }

    mutating func replace(_ slot: UInt32, with state: AttributeState) {
        self.dropText(slot)
        self.bits[Int(slot)] = self.bits(of: state.value)
        self.times[Int(slot)] = AttributeTimes(state)
    }

    mutating func remove(_ slot: UInt32) {
        self.dropText(slot)
        self.presence.remove(self.rows[Int(slot)], byteCount: &self.presenceByteCount)
        self.rows[Int(slot)] = DeviceRow.noRow
        self.bits[Int(slot)] = UInt64(self.firstFree)
        self.firstFree = slot
    }

    private mutating func dropText(_ slot: UInt32) {
        guard self.dataType == .string else { return }
        self.texts.remove(TextRef(unit: UInt32(truncatingIfNeeded: self.bits[Int(slot)])))
    }

    private mutating func bits(of value: AttributeValue) -> UInt64 {
        precondition(value.dataType == self.dataType, "a key has one type")
        return switch value {
        case .int(let value): UInt64(bitPattern: value)
        case .float(let value): value.bitPattern
        case .bool(let value): value ? 1 : 0
        case .string(let text): UInt64(text.withBytes { self.texts.insert($0) }.unit)
        }
    }
}

extension AttributeTimes {
    fileprivate init(_ state: AttributeState) {
        self.init(time: state.time, createdDate: state.createdDate, updatedDate: state.updatedDate)
    }
}

extension Double {
    /// The bits as an integer of the same order; both zeros are one value.
    var sortValue: Int64 {
        let bits = Int64(bitPattern: (self == 0 ? 0 : self).bitPattern)
        return bits ^ (bits >> 63 & .max)
    }

    /// The value of a ``sortValue``.
    init(sortValue: Int64) {
        self.init(bitPattern: UInt64(bitPattern: sortValue ^ (sortValue >> 63 & .max)))
    }
}
