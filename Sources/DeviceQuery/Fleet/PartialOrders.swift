// Partial indexes: the devices of one value by when they were last seen.

internal import DeviceModel

/// For each value of a field, an order by `last_seen` of the devices that have it, built when queries have missed it for long enough.
///
/// Who asks for the devices of some values within a span of time, or for the first of them, then meets no others.
struct PartialOrders: ~Copyable {
    /// By the value's code. An order lies at an address of its own, so that readers can take note of it.
    private var orders: Column<UnsafeMutablePointer<LazyOrder>>

    /// Codes from this one on have no order: as a rule so many values divide the devices into sets that are quick to look through.
    private static var codeCountMax: Int { 4_096 }

    init() {
        self.orders = Column()
    }

    deinit {
        for code in 0..<self.orders.count {
            self.orders.base[code].deinitialize(count: 1)
            self.orders.base[code].deallocate()
        }
    }

    /// How many codes may have an order.
    var codeCount: Int { self.orders.count }

    /// The order of a value, if it may have one.
    @inline(__always)
    func order(_ code: UInt32) -> UnsafeMutablePointer<LazyOrder>? {
        Int(code) < self.orders.count ? self.orders.base[Int(code)] : nil
    }

    /// Makes room for the orders of codes up to `code`, none of them begun.
    mutating func reserve(_ code: UInt32) {
        while self.orders.count <= min(Int(code), Self.codeCountMax - 1) {
            let order = UnsafeMutablePointer<LazyOrder>.allocate(capacity: 1)
            order.initialize(to: LazyOrder())
            self.orders.append(order)
        }
    }
}

extension Fleet {
    /// The partial order of one of a field's values; nil for owners, each of which has few devices, and beyond the codes that have any.
    @inline(__always)
    func partialOrder(_ field: DictionaryField, _ code: UInt32) -> UnsafeMutablePointer<LazyOrder>? {
        switch field {
        case .owner: nil
        case .hardware: self.hardwareOrders.order(code)
        case .release: self.releaseOrders.order(code)
        case .cohort: self.cohortOrders.order(code)
        }
    }

    /// The partial order of a value that may have one.
    @inline(__always)
    func knownPartialOrder(_ field: DictionaryField, _ code: UInt32) -> UnsafeMutablePointer<LazyOrder> {
        guard let order = self.partialOrder(field, code) else {
            preconditionFailure("an order is named that cannot be built")
        }
        return order
    }

    var hasPartialOrders: Bool { self.completePartialOrderCount > 0 }

    /// The partial orders that may be built, by name.
    var partialOrderNames: [OrderName] {
        [
            (DictionaryField.hardware, self.hardwareOrders.codeCount), (.release, self.releaseOrders.codeCount),
            (.cohort, self.cohortOrders.codeCount),
        ].flatMap { field, count in (0..<UInt32(count)).map { OrderName.lastSeen(of: field, $0) } }
    }

    // MARK: Keeping up

    /// The order of a device's value of a field, if it has come as far as the device.
    @inline(__always)
    private func partialTree(_ field: DictionaryField, _ device: DeviceRow) -> UnsafeMutablePointer<RankedTree>? {
        let place = BuildingPlace(value: device.lastSeen, id: device.id)
        return self.partialOrder(field, device.code(field))?.pointee.tree(covering: place)
    }

    /// Calls `body` with the orders of a device's values that have come as far as the device: one for each field at most.
    @inline(__always)
    private func forEachPartialTree(_ device: DeviceRow, _ body: (UnsafeMutablePointer<RankedTree>) -> Void) {
        if let tree = self.partialTree(.hardware, device) { body(tree) }
        if let tree = self.partialTree(.release, device) { body(tree) }
        if let tree = self.partialTree(.cohort, device) { body(tree) }
    }

    /// Makes room for the orders of a device's values.
    private mutating func reservePartialOrders(_ device: DeviceRow) {
        self.hardwareOrders.reserve(device.hardware)
        self.cohortOrders.reserve(device.cohort)
        if device.release != DeviceRow.noRelease { self.releaseOrders.reserve(device.release) }
    }

    /// Enters a row into those of its values' orders that have got that far.
    mutating func enterPartialOrders(_ row: UInt32, _ device: DeviceRow) {
        self.reservePartialOrders(device)
        let ties = self.idTies
        self.forEachPartialTree(device) { $0.pointee.insert(device.lastSeen, row, ties) }
    }

    /// Moves a row that has another value of a field than before, and was last seen when it was, from order to order.
    mutating func movePartialOrder(
        _ field: DictionaryField, _ row: UInt32, from old: DeviceRow, to new: DeviceRow
    ) {
        self.reservePartialOrders(new)
        self.partialTree(field, old)?.pointee.remove(old.lastSeen, row, self.idTies)
        self.partialTree(field, new)?.pointee.insert(new.lastSeen, row, self.idTies)
    }

    /// Takes a row out of the order by `last_seen` of all devices, and out of the orders of its values that hold it.
    ///
    /// The ways to where it is are gone side by side: most of what this takes is waiting for nodes.
    mutating func leaveSeenOrders(_ row: UInt32, _ device: DeviceRow) {
        let entry = RankedEntry(value: device.lastSeen, number: row)
        let ties = self.idTies
        withUnsafeTemporaryAllocation(of: RankedPath.self, capacity: 4) { buffer in
            guard let paths = buffer.baseAddress else { return }
            var count = 0
            self.forEachPartialTree(device) { tree in
                (paths + count).initialize(to: RankedPath(tree))
                count += 1
            }
            withUnsafeMutablePointer(to: &self.byLastSeen) { tree in
                (paths + count).initialize(to: RankedPath(tree))
                var isUnfinished = true
                while isUnfinished {
                    isUnfinished = false
                    for place in 0...count where paths[place].isUnfinished {
                        paths[place].descend(to: entry, ties)
                        isUnfinished = true
                    }
                }
                for place in 0...count { paths[place].remove(entry) }
            }
        }
    }
}
