// From the records of the log to whole devices before and after each change.

internal import DeviceModel
internal import DeviceQuery
internal import DeviceStore

/// Replays a stretch of the log of one project.
///
/// A record holds what its change touched, old and new. The rest of a device is what it is now, as far as no later change touched
/// that, and what the first of those says that it was before, where one did. So the devices of the stretch are looked up as they
/// are, and the log is read to where they were looked up.
struct LogReplay {
    let registry: Registry
    let project: ProjectID
    let withAttributes: Bool

    /// How many devices are looked up under one hold of the index.
    private static let lookupCountMax = 256
    /// How many records are read at a time where only some devices' matter.
    private static let scanCountMax: Int64 = 65_536

    /// What is known of a device before the first change of the stretch.
    private struct Past {
        /// As it was looked up; nil where it was gone.
        var present: WatchedDevice?
        /// The revision of the lookup.
        var lookedUpAt = Revision.zero
        var serial: String
        var createdDate: Timestamp
        var fields: DeviceFields?
        var sighting: Sighting?
        var attributes: [AttributeKeyID: AttributeState?] = [:]

        init(_ change: DeviceChange) {
            self.serial = change.serial
            self.createdDate = change.createdDate
        }

        /// Goes on to a later change: what was not touched before was until now what this one says.
        mutating func pass(_ change: DeviceChange, withAttributes: Bool) {
            guard change.revision <= self.lookedUpAt else { return }
            self.fields = self.fields ?? change.fields?.before
            self.sighting = self.sighting ?? change.sighting?.before
            guard withAttributes else { return }
            for attribute in change.attributes where self.attributes[attribute.key] == nil {
                self.attributes[attribute.key] = .some(attribute.state.before)
            }
        }

        /// Whether no change after the stretch can tell more: every change of fields leaves its revision in them.
        func isKnown(through last: Revision, _ withAttributes: Bool) -> Bool {
            let hasFields = self.fields != nil || self.present.map { $0.device.fields.etagRevision <= last } ?? false
            return hasFields && self.sighting != nil && !withAttributes
        }

        /// The device before the stretch; nil where the log contradicts itself.
        func device(_ id: DeviceID) -> WatchedDevice? {
            guard let fields = self.fields ?? self.present?.device.fields,
                let sighting = self.sighting ?? self.present?.device.sighting
            else { return nil }
            var device = WatchedDevice(
                WorkingDevice(
                    id: id, serial: self.serial, createdDate: self.createdDate, fields: fields, sighting: sighting))
            device.attributes = self.present?.attributes ?? [:]
            for (key, state) in self.attributes {
                device.attributes[key] = state
            }
            return device
        }
    }

    /// The project's changes among those after `first` through `last`, which readers see already. Blocks.
    ///
    /// - Throws: OUT_OF_RANGE where the feed does not reach back to `first`; UNAVAILABLE where it cannot be read.
    func changes(after first: Revision, through last: Revision) throws(RegistryError) -> [WatchedChange] {
        let records = try self.registry.storedChanges(after: first, through: last, of: nil)
        guard Int64(records.count) == last.rawValue - first.rawValue else {
            throw .revisionCompacted(Bookmark(storeID: self.registry.storeID, revision: first.rawValue))
        }
        let own = records.filter { $0.project == self.project }
        var states = try self.statesBefore(own, through: last)
        return own.map { change in
            let before = states[change.device]
            let after = WatchedDevice(after: change, before: before, withAttributes: self.withAttributes)
            states[change.device] = after
            return WatchedChange(
                revision: change.revision, project: change.project, device: change.device, before: before, after: after)
        }
    }

    private func statesBefore(
        _ changes: [DeviceChange], through last: Revision
    ) throws(RegistryError) -> [DeviceID: WatchedDevice] {
        var pasts: [DeviceID: Past] = [:]
        var created: Set<DeviceID> = []
        for change in changes where !created.contains(change.device) && pasts[change.device] == nil {
            if change.kind == .created { created.insert(change.device) } else { pasts[change.device] = Past(change) }
        }
        let lookedUpAt = self.lookUp(&pasts)
        for change in changes {
            pasts[change.device]?.pass(change, withAttributes: self.withAttributes)
        }
        let devices = Set(pasts.filter { !$0.value.isKnown(through: last, self.withAttributes) }.keys)
        var reached = last
        while reached < lookedUpAt, !devices.isEmpty {
            let next = Revision(rawValue: min(lookedUpAt.rawValue, reached.rawValue + Self.scanCountMax))
            for change in try self.registry.storedChanges(after: reached, through: next, of: devices) {
                pasts[change.device]?.pass(change, withAttributes: self.withAttributes)
            }
            reached = next
        }
        // What was forgotten under the scan could have been what it was looking for.
        guard try self.registry.feedStart() <= last else {
            throw .revisionCompacted(Bookmark(storeID: self.registry.storeID, revision: last.rawValue))
        }
        return Dictionary(uniqueKeysWithValues: pasts.compactMap { id, past in past.device(id).map { (id, $0) } })
    }

    /// Looks the devices up as they are now, and returns the last revision at which one was.
    private func lookUp(_ pasts: inout [DeviceID: Past]) -> Revision {
        var rest = Array(pasts.keys)[...]
        var lookedUpAt = Revision.zero
        while !rest.isEmpty {
            let some = rest.prefix(Self.lookupCountMax)
            rest = rest.dropFirst(some.count)
            self.registry.read { index in
                lookedUpAt = self.registry.revision
                for id in some {
                    pasts[id]?.present = index.device(id: id, in: self.project).map {
                        WatchedDevice($0, withAttributes: self.withAttributes)
                    }
                    pasts[id]?.lookedUpAt = lookedUpAt
                }
            }
        }
        return lookedUpAt
    }
}
