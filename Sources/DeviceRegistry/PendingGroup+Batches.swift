// Batches: every item is checked before the first one changes anything.

internal import DeviceModel
internal import DeviceQuery

/// An item that the writer can carry out.
protocol PerformableItem: BatchItem {
    associatedtype Outcome: Sendable

    /// Carries the item out within `group`, or only checks it.
    func perform(
        in group: inout PendingGroup, _ project: ProjectRecord, validateOnly: Bool, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> Outcome
}

extension DeviceCreation: PerformableItem {
    func perform(
        in group: inout PendingGroup, _ project: ProjectRecord, validateOnly: Bool, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> Device {
        try group.create(self, in: project, validateOnly: validateOnly, index).0
    }
}

extension DeviceUpdate: PerformableItem {
    func perform(
        in group: inout PendingGroup, _ project: ProjectRecord, validateOnly: Bool, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> Device {
        try group.update(self, in: project, validateOnly: validateOnly, index).0
    }
}

extension DeviceDeletion: PerformableItem {
    func perform(
        in group: inout PendingGroup, _ project: ProjectRecord, validateOnly: Bool, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> DeviceID {
        try group.delete(self, in: project, validateOnly: validateOnly, index)
    }
}

extension PendingGroup {
    /// Carries out every item, or none where one of them is bad.
    ///
    /// No two items are about one device, and no item changes what another one rests on: what each of them comes to is
    /// the same before and after the others, so that checking them first is checking them.
    ///
    /// - Throws: one refusal that names every bad field of every bad item.
    mutating func carryOut<Item: PerformableItem>(
        _ batch: DeviceBatch<Item>, in project: ProjectRecord, validateOnly: Bool, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> [Item.Outcome] {
        var faults = batch.faults
        var previews: [Item.Outcome] = []
        for entry in batch.entries {
            do throws(RegistryError) {
                previews.append(try entry.item.perform(in: &self, project, validateOnly: true, index))
            } catch {
                faults.refuse(entry.index, Self.violations(of: entry.item, error), error.code, error.reason)
            }
        }
        try faults.finish()
        guard !validateOnly else { return previews }
        var outcomes: [Item.Outcome] = []
        for entry in batch.entries {
            outcomes.append(try entry.item.perform(in: &self, project, validateOnly: false, index))
        }
        return outcomes
    }

    /// The devices of a batch that was carried out before, as they are now.
    ///
    /// - Parameter newest: the newest device of that time: one of the same serial that came after it is another one.
    /// - Throws: NOT_FOUND that names every item whose device is gone.
    mutating func devices<Item: BatchItem>(
        of batch: DeviceBatch<Item>, upTo newest: DeviceID, in slug: String, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> [Device] {
        let project = try self.project(slug, index)
        var faults = batch.faults
        var devices: [Device] = []
        for entry in batch.entries {
            if let device = self.findDevice(entry.item.serial, in: project.id, index), device.id <= newest {
                devices.append(self.snapshot(device, in: project.id, index))
            } else {
                let violation = FieldViolation(
                    field: Item.serialField,
                    description: "is of a device that has been deleted since the request was carried out")
                faults.refuse(entry.index, [violation], .notFound, .deviceNotFound)
            }
        }
        try faults.finish()
        return devices
    }

    /// Which fields of an item a refusal is about.
    private static func violations<Item: BatchItem>(of item: Item, _ error: RegistryError) -> [FieldViolation] {
        guard error.violations.isEmpty else { return error.violations }
        let name = error.resource.map { quoted($0.name) } ?? ""
        switch error.reason {
        case .deviceExists:
            return [.init(field: Item.serialField, description: "must be a new serial; there is a device \(name)")]
        case .deviceNotFound:
            return [.init(field: Item.serialField, description: "must be of a device; there is no \(name)")]
        case .cohortNotFound:
            return [.init(field: "device.cohort.slug", description: "must be of a cohort; there is no \(name)")]
        case .etagStale:
            return [
                .init(field: Item.etagField, description: "is stale; read device \(name) again for its etag of now")
            ]
        default:
            return [.init(field: "", description: "is refused: \(error.message)")]
        }
    }
}
