// The orders of a fleet: what breaks their ties, and how the lazy ones come to be.

internal import DeviceModel

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
    let devices: IDTies

    @inline(__always)
    func isBefore(_ left: UInt32, _ right: UInt32) -> Bool {
        if self.column.pointee.dataType == .string {
            let order = self.column.pointee.text(left).order(against: self.column.pointee.text(right))
            if order != 0 { return order < 0 }
        }
        let rows = self.column.pointee.rows.base
        return self.devices.isBefore(rows[Int(left)], rows[Int(right)])
    }
}

/// An order that is built on demand.
enum OrderName: Hashable {
    case createdDate
    case updatedDate
    case deviceSerial
    /// By the key's place in the project's table.
    case attribute(Int)
    /// Of the devices with one value of a field, given by its code.
    case lastSeen(of: DictionaryField, UInt32)

    static let ofDevices: [OrderName] = [.createdDate, .updatedDate, .deviceSerial]
}

extension Fleet {
    var idTies: IDTies { self.idOrder.ties(UnsafePointer(self.rows.base)) }

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
        case .lastSeen(let field, let code): self.partialOrder(field, code)?.pointee.tree
        }
    }

    /// Calls `body` with an order.
    func withOrder<Result>(_ name: OrderName, _ body: (borrowing LazyOrder) -> Result) -> Result {
        switch name {
        case .createdDate: body(self.byCreatedDate)
        case .updatedDate: body(self.byUpdatedDate)
        case .deviceSerial: body(self.bySerial)
        case .attribute(let key): body(self.columns[key].pointee.order)
        case .lastSeen(let field, let code): body(self.knownPartialOrder(field, code).pointee)
        }
    }

    mutating func withMutableOrder<Result>(_ name: OrderName, _ body: (inout LazyOrder) -> Result) -> Result {
        switch name {
        case .createdDate: body(&self.byCreatedDate)
        case .updatedDate: body(&self.byUpdatedDate)
        case .deviceSerial: body(&self.bySerial)
        case .attribute(let key): body(&self.columns[key].pointee.order)
        case .lastSeen(let field, let code): body(&self.knownPartialOrder(field, code).pointee)
        }
    }

    /// The orders that are built on demand, whether or not they are there.
    var lazyOrderNames: [OrderName] {
        OrderName.ofDevices + (0..<self.columns.count).map(OrderName.attribute) + self.partialOrderNames
    }

    /// The orders that are being built or complete.
    var begunOrders: [OrderName] {
        self.lazyOrderNames.filter { self.withOrder($0) { $0.isBegun } }
    }

    // MARK: Building

    /// Builds an order further, which is begun if need be, by about `count` entries at most, and tells whether it is complete then.
    ///
    /// - Complexity: O(count × log n).
    mutating func extend(_ name: OrderName, by count: Int) -> Bool {
        let covered: BuildingPlace? = self.withMutableOrder(name) { order in
            if order.isComplete { return nil }
            if !order.isBegun { order.begin() }
            return order.covered
        }
        guard let covered else { return true }
        let tree = self.withOrder(name) { $0.unfinished }
        let end =
            switch name {
            case .createdDate, .updatedDate, .deviceSerial: self.addRows(to: tree, name, from: covered, by: count)
            case .attribute(let key): self.addSlots(of: key, to: tree, from: covered, by: count)
            case .lastSeen(let field, let code):
                // Most devices have another value, and are passed in no time.
                self.addDevices(of: field, code, to: tree, from: covered, by: count * 8)
            }
        self.withMutableOrder(name) { $0.cover(end) }
        if case .lastSeen = name, end == .end { self.completePartialOrderCount += 1 }
        return end == .end
    }

    /// Gives up an order that is complete.
    mutating func drop(_ name: OrderName) {
        self.withMutableOrder(name) { $0.drop() }
        if case .lastSeen = name { self.completePartialOrderCount -= 1 }
    }

    /// Whether there is something that an order could be of.
    func isBuildable(_ name: OrderName) -> Bool {
        switch name {
        case .createdDate, .updatedDate, .deviceSerial: true
        case .attribute(let key): key < self.columns.count
        case .lastSeen(let field, let code): self.partialOrder(field, code) != nil
        }
    }

    /// Adds rows by their numbers, and tells how far that came.
    private func addRows(
        to tree: UnsafeMutablePointer<RankedTree>, _ name: OrderName, from start: BuildingPlace, by count: Int
    ) -> BuildingPlace {
        let numbers = start.numbers(count, of: self.rows.count)
        for row in numbers where !self.rows[Int(row)].isFree { self.insert(row, into: tree, name) }
        return BuildingPlace(after: numbers, of: self.rows.count)
    }

    /// Adds slots of an attribute by their numbers, and tells how far that came.
    private func addSlots(
        of key: Int, to tree: UnsafeMutablePointer<RankedTree>, from start: BuildingPlace, by count: Int
    ) -> BuildingPlace {
        let column = self.columns[key]
        let numbers = start.numbers(count, of: column.pointee.slotCount)
        for slot in numbers where column.pointee.rows[Int(slot)] != DeviceRow.noRow {
            tree.pointee.insert(column.pointee.sortValue(slot), slot, self.slotTies(key))
        }
        return BuildingPlace(after: numbers, of: column.pointee.slotCount)
    }

    /// Adds devices that have a value of a field, out of up to `count` that follow one another by `last_seen`, and tells how far
    /// that came: they come in the order of the tree.
    private mutating func addDevices(
        of field: DictionaryField, _ code: UInt32, to tree: UnsafeMutablePointer<RankedTree>,
        from start: BuildingPlace, by count: Int
    ) -> BuildingPlace {
        let program = RowProgram(.test(.codes(field, CodeList(codes: [code], rowCount: 0, largeCount: 0))))
        let first = self.byLastSeen.rank(start.value) { self.rows.base[Int($0)].id < start.id }
        let end = min(first + count, self.byLastSeen.count)
        withUnsafeMutablePointer(to: &self) { fleet in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: TreeLeaf.capacity) { buffer in
                guard let rows = buffer.baseAddress else { return }
                fleet.pointee.byLastSeen.forEachRun(in: first..<end, isDescending: false) { run in
                    guard let source = run.baseAddress else { return true }
                    rows.update(from: source, count: run.count)
                    for place in 0..<program.filter(rows, count: run.count, UnsafePointer(fleet)) {
                        let row = rows[place]
                        tree.pointee.insert(fleet.pointee.seen.base[Int(row)], row, fleet.pointee.idTies)
                    }
                    return true
                }
            }
        }
        guard end < self.byLastSeen.count else { return .end }
        let next = self.byLastSeen.entry(at: end)
        return BuildingPlace(value: next.value, id: self.rows[Int(next.number)].id)
    }

    func slotTies(_ key: Int) -> SlotTies {
        SlotTies(column: UnsafePointer(self.columns[key]), devices: self.idTies)
    }

    // MARK: Keeping up

    private func insert(_ row: UInt32, into tree: UnsafeMutablePointer<RankedTree>, _ name: OrderName) {
        let device = self.rows[Int(row)]
        switch name {
        case .createdDate: tree.pointee.insert(device.createdDate.microseconds, row, self.idTies)
        case .updatedDate: tree.pointee.insert(device.updatedDate.microseconds, row, self.idTies)
        case .deviceSerial: tree.pointee.insert(self.serials.text(device.serial).sortValue, row, self.serialTies)
        case .attribute, .lastSeen: preconditionFailure("an order that is not of all devices has its own way in")
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
