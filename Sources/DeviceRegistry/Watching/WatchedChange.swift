// A change with the whole device before and after it, as those who watch need it.

internal import DeviceModel
internal import DeviceQuery

/// A device's whole state at one revision.
struct WatchedDevice: Sendable {
    var device: WorkingDevice
    /// Empty where nobody who watches asks for attributes.
    var attributes: AttributeStates = [:]

    init(_ device: WorkingDevice) {
        self.device = device
    }

    init(_ device: BorrowedDevice, withAttributes: Bool) {
        self.device = WorkingDevice(device)
        if withAttributes {
            device.forEachAttribute { self.attributes[$0.id] = $1 }
        }
    }

    /// The device that a change leaves, of one that was `before` it; nil where it is deleted.
    ///
    /// - Parameter withAttributes: Whether ``attributes`` are wanted, and are those before the change.
    init?(after change: DeviceChange, before: WatchedDevice?, withAttributes: Bool) {
        switch change.kind {
        case .deleted:
            return nil
        case .created:
            guard let fields = change.fields?.after else { return nil }
            self.init(
                WorkingDevice(
                    id: change.device, serial: change.serial, createdDate: change.createdDate, fields: fields,
                    sighting: change.sighting?.after ?? Sighting()))
        case .changed:
            guard let before else { return nil }
            self = before
            self.device.fields = change.fields?.after ?? before.device.fields
            self.device.sighting = change.sighting?.after ?? before.device.sighting
        }
        guard withAttributes else { return }
        for attribute in change.attributes {
            self.attributes[attribute.key] = attribute.state.after
        }
    }

    /// About what it takes in memory.
    var byteCount: Int {
        let texts = self.device.fields.ownerRef.utf8.count + self.device.fields.hardwareVersion.utf8.count
        return self.attributes.values.reduce(256 + texts) { sum, state in
            guard case .string(let text) = state.value else { return sum + 96 }
            return sum + 96 + text.utf8.count
        }
    }
}

/// One step of the revision counter, with the device before it (nil: created) and after it (nil: deleted).
struct WatchedChange: Sendable {
    let revision: Revision
    let project: ProjectID
    let device: DeviceID
    let before: WatchedDevice?
    let after: WatchedDevice?
}

/// What one batch changed.
struct WatchedBatch: Sendable {
    let changes: [WatchedChange]
    /// Between two batches all of what one call changed is there, or nothing of it.
    let through: Revision
    let hasAttributes: Bool
    /// About what it takes in memory.
    let byteCount: Int

    /// Takes down what a batch changes, from the index as it is before that.
    ///
    /// - Complexity: under a microsecond for each change, and as much for each attribute if those are wanted.
    init(_ batch: MutationBatch, withAttributes: Bool, _ index: borrowing RegistryIndex) {
        // Where each device's last change so far is.
        var places: [DeviceID: Int] = [:]
        places.reserveCapacity(batch.changes.count)
        var changes: [WatchedChange] = []
        changes.reserveCapacity(batch.changes.count)
        var byteCount = 0
        for case .device(let change) in batch.changes {
            let former = places.updateValue(changes.count, forKey: change.device)
            let before =
                if let former { changes[former].after } else {
                    index.watchedDevice(change, withAttributes: withAttributes)
                }
            let after = WatchedDevice(after: change, before: before, withAttributes: withAttributes)
            byteCount += (before?.byteCount ?? 0) + (after?.byteCount ?? 0)
            changes.append(
                WatchedChange(
                    revision: change.revision, project: change.project, device: change.device, before: before,
                    after: after))
        }
        self.changes = changes
        self.through = batch.highWaterMarks.revision
        self.hasAttributes = withAttributes
        self.byteCount = byteCount
    }
}

extension RegistryIndex {
    /// The device that a change is about, as it is now; nil where it is not there yet.
    fileprivate func watchedDevice(_ change: DeviceChange, withAttributes: Bool) -> WatchedDevice? {
        guard change.kind != .created else { return nil }
        // By its serial, as the writer has just found it and will again: what that takes is at hand.
        var serial = change.serial
        return serial.withUTF8 { bytes in
            self.device(serial: UnsafeRawBufferPointer(bytes), in: change.project).map {
                WatchedDevice($0, withAttributes: withAttributes)
            }
        }
    }
}
