// Indexes that are built when a query would have had a use for them.

package import DeviceModel

/// An index that a query would have had a use for.
package struct WantedIndex: Hashable, Sendable {
    package let project: ProjectID
    /// The sort key that it lies in the order of.
    package let key: SortKey.Field

    package init(_ key: SortKey.Field, in project: ProjectID) {
        self.project = project
        self.key = key
    }
}

extension WantedIndex {
    init?(_ name: OrderName, in project: ProjectID, of fleet: UnsafePointer<Fleet>) {
        switch name {
        case .createdDate: self.init(.createdDate, in: project)
        case .updatedDate: self.init(.updatedDate, in: project)
        case .deviceSerial: self.init(.deviceSerial, in: project)
        case .attribute(let key): self.init(.attribute(fleet.pointee.attributeKeys.foldedTexts[key]), in: project)
        }
    }
}

extension RegistryIndex {
    /// Entries that one step of building adds: some hundred microseconds' worth.
    package static let buildingStepCount = 1_024

    /// Builds an index a step further, and tells whether that was the last one: it is complete, or cannot be built any more.
    ///
    /// With the last step, other indexes of this kind that nobody has read for longest are given up where together they take more
    /// memory than the limit.
    /// - Complexity: O(``buildingStepCount`` × log n).
    package mutating func buildStep(_ wanted: WantedIndex, by count: Int = Self.buildingStepCount) -> Bool {
        guard self.fleet(wanted.project) != nil else { return true }
        let fleet = self.mutableFleet(wanted.project)
        guard let name = OrderName(wanted.key, in: fleet) else { return true }
        let isComplete = fleet.pointee.extend(name, by: count)
        if isComplete {
            fleet.pointee.withOrder(name) { $0.noteUse() }
            self.evict(except: name, in: fleet)
        }
        return isComplete
    }

    /// Gives up the orders that were read least recently until the rest fit the limit.
    private mutating func evict(except name: OrderName, in fleet: UnsafeMutablePointer<Fleet>) {
        while self.lazyOrderByteCount > self.limits.lazyIndexByteCountMax {
            var oldest: (fleet: UnsafeMutablePointer<Fleet>, name: OrderName, lastUse: Int64)?
            for index in 0..<self.projectCount {
                let candidate = self.mutableFleet(at: index)
                for order in candidate.pointee.begunOrders where candidate != fleet || order != name {
                    guard candidate.pointee.tree(order) != nil else { continue }
                    let lastUse = candidate.pointee.withOrder(order) { $0.lastUseNanoseconds }
                    if lastUse < oldest?.lastUse ?? .max { oldest = (candidate, order, lastUse) }
                }
            }
            guard let oldest else { return }
            oldest.fleet.pointee.withMutableOrder(oldest.name) { $0.drop() }
        }
    }

    private var lazyOrderByteCount: Int {
        (0..<self.projectCount).reduce(0) { sum, index in
            let fleet = self.fleet(at: index)
            return fleet.pointee.begunOrders.reduce(sum) { $0 + fleet.pointee.withOrder($1) { $0.byteCount } }
        }
    }
}

extension OrderName {
    /// Nil for a key whose order is always there, and for an attribute that the fleet does not have.
    fileprivate init?(_ key: SortKey.Field, in fleet: UnsafeMutablePointer<Fleet>) {
        switch key {
        case .createdDate: self = .createdDate
        case .updatedDate: self = .updatedDate
        case .deviceSerial: self = .deviceSerial
        case .attribute(let text):
            guard let key = fleet.pointee.attributeKeys.index(text) else { return nil }
            self = .attribute(key)
        case .id, .ownerRef, .hardwareVersion, .lastSeen, .release, .cohort: return nil
        }
    }
}
