// What tells the older of two devices without reading them.

/// Which rows lie in the order of their ids: all but those that were given away anew, and those that were appended for a device with
/// a smaller id than one in order before it.
///
/// Of two rows in order the numbers tell which device is older; of others the devices themselves, which have to be waited for.
struct IDOrder: ~Copyable {
    /// A bit for each row that does not lie in order, up to the last of them.
    private var strays = Column<UInt64>()
    /// The id of the last row that does.
    private var lastID: Int64 = 0

    /// What it holds in memory.
    var byteCount: Int { self.strays.byteCount }

    /// Takes note of a row's device.
    ///
    /// - Parameter isNew: whether the row was appended just now.
    mutating func enter(_ row: UInt32, id: Int64, isNew: Bool) {
        if isNew, id > self.lastID {
            self.lastID = id
            return
        }
        let place = Int(row >> 6)
        if place >= self.strays.count { self.strays.append(repeating: 0, count: place + 1 - self.strays.count) }
        self.strays[place] |= 1 << UInt64(row & 63)
    }

    /// Valid until the next row is entered.
    @inline(__always)
    func ties(_ devices: UnsafePointer<DeviceRow>) -> IDTies {
        IDTies(devices: devices, strays: self.strays.elements)
    }
}

/// Equal values are ordered by the device's id.
struct IDTies: TieBreaker {
    fileprivate let devices: UnsafePointer<DeviceRow>
    /// See ``IDOrder``.
    fileprivate let strays: UnsafeBufferPointer<UInt64>

    @inline(__always)
    func isBefore(_ left: UInt32, _ right: UInt32) -> Bool {
        if self.isInOrder(left), self.isInOrder(right) { return left < right }
        return self.devices[Int(left)].id < self.devices[Int(right)].id
    }

    /// Whether the row's number says which devices it is older than.
    @inline(__always)
    func isInOrder(_ row: UInt32) -> Bool {
        let place = Int(row >> 6)
        return place >= self.strays.count || self.strays[place] >> UInt64(row & 63) & 1 == 0
    }
}
