// Indexes that are built when a query would have had a use for them.

package import DeviceModel

/// An index that is built where queries have a use for it.
package struct WantedIndex: Hashable, Sendable {
    package let project: ProjectID
    let order: OrderName
}

extension RegistryIndex {
    /// Entries that one step of building adds: some hundred microseconds' worth.
    package static let buildingStepCount = 1_024

    /// What queries of a project have missed, and what nobody has taken to build it yet. - Complexity: O(1) but for the project.
    @inline(__always)
    package func takeWanted(in project: ProjectID) -> WantedIndex? {
        self.fleet(project)?.pointee.wish.take().map { WantedIndex(project: project, order: $0) }
    }

    /// Every index of a project that is built on demand, in no order.
    package func buildableIndexes(in project: ProjectID) -> [WantedIndex] {
        self.fleet(project)?.pointee.lazyOrderNames.map { WantedIndex(project: project, order: $0) } ?? []
    }

    /// The index by a sort key, if it is one that is built on demand.
    package func index(by key: SortKey.Field, in project: ProjectID) -> WantedIndex? {
        guard let fleet = self.fleet(project), let name = OrderName(key, in: fleet) else { return nil }
        return WantedIndex(project: project, order: name)
    }

    /// Builds an index a step further, and tells whether that was the last one: it is complete, or cannot be built any more.
    ///
    /// With the last step, other indexes of this kind that nobody has read for longest are given up where together they take more
    /// memory than the limit.
    /// - Complexity: O(``buildingStepCount`` × log n).
    package mutating func buildStep(_ wanted: WantedIndex, by count: Int = Self.buildingStepCount) -> Bool {
        guard self.fleet(wanted.project) != nil else { return true }
        let fleet = self.mutableFleet(wanted.project)
        let name = wanted.order
        guard fleet.pointee.isBuildable(name) else { return true }
        let isComplete = fleet.pointee.extend(name, by: count)
        if isComplete {
            fleet.pointee.withOrder(name) { $0.noteUse() }
            self.evict(except: name, in: fleet)
        }
        return isComplete
    }

    /// Gives up the orders that were read least recently until the rest fit the limit.
    private mutating func evict(except name: OrderName, in fleet: UnsafeMutablePointer<Fleet>) {
        var orders: [(fleet: UnsafeMutablePointer<Fleet>, name: OrderName, lastUse: Int64, byteCount: Int)] = []
        for index in 0..<self.projectCount {
            let candidate = self.mutableFleet(at: index)
            for order in candidate.pointee.begunOrders {
                let (lastUse, byteCount) = candidate.pointee.withOrder(order) { ($0.lastUseNanoseconds, $0.byteCount) }
                orders.append((candidate, order, lastUse, byteCount))
            }
        }
        var byteCount = orders.reduce(0) { $0 + $1.byteCount }
        guard byteCount > self.limits.lazyIndexByteCountMax else { return }
        for order in orders.sorted(by: { $0.lastUse < $1.lastUse }) {
            let isKept = order.fleet == fleet && order.name == name
            guard !isKept, order.fleet.pointee.tree(order.name) != nil else { continue }
            order.fleet.pointee.drop(order.name)
            byteCount -= order.byteCount
            if byteCount <= self.limits.lazyIndexByteCountMax { return }
        }
    }
}

extension OrderName {
    /// Nil for a key whose order is always there, and for an attribute that the fleet does not have.
    fileprivate init?(_ key: SortKey.Field, in fleet: UnsafePointer<Fleet>) {
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
