// The orders of a fleet: what breaks their ties, and how the lazy ones come to be.

internal import DeviceModel

/// Equal values are ordered by the device's id.
struct IDTies: TieBreaker {
    let devices: UnsafePointer<DeviceRow>

    @inline(__always)
    func isBefore(_ left: UInt32, _ right: UInt32) -> Bool {
        self.devices[Int(left)].id < self.devices[Int(right)].id
    }
}

/// Serials of equal beginnings are ordered by the rest of their text.
struct SerialTies: TieBreaker {
    let devices: UnsafePointer<DeviceRow>
    let texts: TextPool.Reader

    @inline(__always)
    func isBefore(_ left: UInt32, _ right: UInt32) -> Bool {
        let text = self.texts.text(self.devices[Int(left)].serial)
        return text.order(against: self.texts.text(self.devices[Int(right)].serial)) < 0
    }
}

/// Slots of equal values are ordered by the device's id, texts of equal beginnings by the rest first.
struct SlotTies: TieBreaker {
    let column: UnsafePointer<AttributeColumn>
    let devices: UnsafePointer<DeviceRow>

    @inline(__always)
    func isBefore(_ left: UInt32, _ right: UInt32) -> Bool {
        if self.column.pointee.dataType == .string {
            let order = self.column.pointee.text(left).order(against: self.column.pointee.text(right))
            if order != 0 { return order < 0 }
        }
        let first = self.devices[Int(self.column.pointee.rows[Int(left)])].id
        return first < self.devices[Int(self.column.pointee.rows[Int(right)])].id
    }
}

/// An order that is built when it is first asked for.
enum OrderName: Hashable {
    case createdDate
    case updatedDate
    case deviceSerial
    /// By the key's place in the project's table.
    case attribute(Int)

    static let ofDevices: [OrderName] = [.createdDate, .updatedDate, .deviceSerial]
}

extension Fleet {
    var idTies: IDTies { IDTies(devices: UnsafePointer(self.rows.base)) }

    var serialTies: SerialTies {
        SerialTies(devices: UnsafePointer(self.rows.base), texts: self.serials.reader)
    }

    /// The tree of an order, if it is complete.
    func tree(_ name: OrderName) -> UnsafePointer<RankedTree>? {
        switch name {
        case .createdDate: self.byCreatedDate.tree
        case .updatedDate: self.byUpdatedDate.tree
        case .deviceSerial: self.bySerial.tree
        case .attribute(let key): self.columns[key].pointee.order.tree
        }
    }

    /// Calls `body` with an order.
    func withOrder<Result>(_ name: OrderName, _ body: (borrowing LazyOrder) -> Result) -> Result {
        switch name {
        case .createdDate: body(self.byCreatedDate)
        case .updatedDate: body(self.byUpdatedDate)
        case .deviceSerial: body(self.bySerial)
        case .attribute(let key): body(self.columns[key].pointee.order)
        }
    }

    mutating func withMutableOrder<Result>(_ name: OrderName, _ body: (inout LazyOrder) -> Result) -> Result {
        switch name {
        case .createdDate: body(&self.byCreatedDate)
        case .updatedDate: body(&self.byUpdatedDate)
        case .deviceSerial: body(&self.bySerial)
        case .attribute(let key): body(&self.columns[key].pointee.order)
        }
    }

    /// The orders that are being built or complete.
    var begunOrders: [OrderName] {
        let names = OrderName.ofDevices + (0..<self.columns.count).map(OrderName.attribute)
        return names.filter { self.withOrder($0) { $0.isBegun } }
    }

    // MARK: Building

    /// Adds up to `count` numbers to an order, which is begun if need be, and tells whether it is complete then.
    ///
    /// - Complexity: O(count × log n).
    mutating func extend(_ name: OrderName, by count: Int) -> Bool {
        let total: Int =
            switch name {
            case .createdDate, .updatedDate, .deviceSerial: self.rows.count
            case .attribute(let key): self.columns[key].pointee.slotCount
            }
        let covered: UInt32? = self.withMutableOrder(name) { order in
            if order.isComplete { return nil }
            if !order.isBegun { order.begin() }
            return order.coveredCount
        }
        guard let covered else { return true }
        let end = min(Int(covered) + count, total)
        let tree = self.withOrder(name) { $0.unfinished }
        switch name {
        case .createdDate, .updatedDate, .deviceSerial:
            for row in covered..<UInt32(end) where !self.rows[Int(row)].isFree {
                self.insert(row, into: tree, name)
            }
        case .attribute(let key):
            let ties = self.slotTies(key)
            for slot in covered..<UInt32(end) where ties.column.pointee.rows[Int(slot)] != DeviceRow.noRow {
                tree.pointee.insert(ties.column.pointee.sortValue(slot), slot, ties)
            }
        }
        return self.withMutableOrder(name) { order in
            order.cover(UInt32(end))
            if end == total { order.complete() }
            return end == total
        }
    }

    func slotTies(_ key: Int) -> SlotTies {
        SlotTies(column: UnsafePointer(self.columns[key]), devices: UnsafePointer(self.rows.base))
    }

    // MARK: Keeping up

    private func insert(_ row: UInt32, into tree: UnsafeMutablePointer<RankedTree>, _ name: OrderName) {
        let device = self.rows[Int(row)]
        switch name {
        case .createdDate: tree.pointee.insert(device.createdDate.microseconds, row, self.idTies)
        case .updatedDate: tree.pointee.insert(device.updatedDate.microseconds, row, self.idTies)
        case .deviceSerial: tree.pointee.insert(self.serials.text(device.serial).sortValue, row, self.serialTies)
        case .attribute: preconditionFailure("an order of attributes holds slots")
        }
    }

    /// Enters a row into those lazy orders that have got that far.
    func enterLazyOrders(_ row: UInt32) {
        for name in OrderName.ofDevices {
            guard let tree = self.withOrder(name, { $0.tree(covering: row) }) else { continue }
            self.insert(row, into: tree, name)
        }
    }

    /// Takes a row out of the lazy orders that hold it.
    func leaveLazyOrders(_ row: UInt32) {
        let device = self.rows[Int(row)]
        self.byCreatedDate.tree(covering: row)?.pointee.remove(device.createdDate.microseconds, row, self.idTies)
        self.byUpdatedDate.tree(covering: row)?.pointee.remove(device.updatedDate.microseconds, row, self.idTies)
        if let tree = self.bySerial.tree(covering: row) {
            tree.pointee.remove(self.serials.text(device.serial).sortValue, row, self.serialTies)
        }
    }
}
