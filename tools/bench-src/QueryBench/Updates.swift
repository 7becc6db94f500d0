// What keeping the index up to date takes.

internal import DeviceModel
internal import DeviceQuery

/// Draws numbers from a seed, the same everywhere.
private struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Changes of devices drawn at random, and the time that the index takes to apply each.
struct Updates {
    private enum Kind: String, CaseIterable {
        case lastSeen = "last_seen"
        case create
        case update
        case delete
    }

    private static let changeCountMax = 50_000
    private static let roundCount = 3

    private var random = SeededNumbers(state: 20_190_119)
    private var revision = Revision.zero
    /// Moves on with every change, from after the newest check-in of the fleet.
    private var now: Timestamp

    init(_ index: borrowing RegistryIndex) throws {
        var query = ListQuery()
        query.sort = [SortKey(.lastSeen, isDescending: true)]
        query.pageSize = 1
        var newest = Timestamp.epoch
        _ = try index.list(query, in: DeviceFile.project, now: DeviceFile.createdDate) { device in
            newest = device.record.lastSeen ?? newest
            return true
        }
        self.now = newest.advanced(byMicroseconds: 1_000_000)
    }

    /// The changes of a round are all made before the first is applied, so that making them warms no cache for it. Of the rounds
    /// of a kind the one with the least median counts, as of the runs of a query.
    mutating func times(_ index: inout RegistryIndex) throws -> String {
        let deviceCount = index.deviceCount(in: DeviceFile.project)
        let count = min(Self.changeCountMax, deviceCount / (2 * Self.roundCount))
        let drawn = self.devices(count * Self.roundCount, of: deviceCount)
        let parts = try Kind.allCases.map { kind in
            var best: (median: UInt64, late: UInt64) = (.max, .max)
            for round in 0..<Self.roundCount {
                var changes: [Change] = []
                for place in (round * count)..<((round + 1) * count) {
                    let id = kind == .create ? DeviceID(rawValue: Int64(deviceCount + place) + 1) : drawn[place]
                    changes.append(try self.change(kind, id, index))
                }
                let times = Self.times(changes, &index)
                if times.median < best.median { best = times }
            }
            return "\"\(kind.rawValue)\": {\"median\": \(best.median), \"p99\": \(best.late)}"
        }
        return "{" + parts.joined(separator: ", ") + "}"
    }

    private static func times(_ changes: [Change], _ index: inout RegistryIndex) -> (median: UInt64, late: UInt64) {
        let reading = Clock.readingNanoseconds
        var times: [UInt64] = []
        times.reserveCapacity(changes.count)
        for change in changes {
            let began = Clock.now
            index.apply(change)
            let took = Clock.now - began
            times.append(took > reading ? took - reading : 0)
        }
        times.sort()
        return (times[times.count / 2], times[times.count * 99 / 100])
    }

    /// Different devices in no order.
    private mutating func devices(_ count: Int, of deviceCount: Int) -> [DeviceID] {
        var drawn: Set<DeviceID> = []
        var ids: [DeviceID] = []
        while ids.count < count {
            let id = DeviceID(rawValue: Int64.random(in: 1...Int64(deviceCount), using: &self.random))
            if drawn.insert(id).inserted { ids.append(id) }
        }
        return ids
    }

    private mutating func change(_ kind: Kind, _ id: DeviceID, _ index: borrowing RegistryIndex) throws -> Change {
        self.revision = self.revision.next
        self.now = self.now.advanced(byMicroseconds: 1_000)
        let example = kind == .create ? DeviceID(rawValue: 1) : id
        guard let device = index.device(id: example, in: DeviceFile.project)?.record else {
            throw BenchError("the fleet has no device \(example.rawValue)")
        }
        let fields = DeviceFields(
            ownerRef: String(decoding: device.ownerRef, as: UTF8.self),
            hardwareVersion: String(decoding: device.hardwareVersion, as: UTF8.self), cohort: device.cohort.id,
            updatedDate: device.updatedDate, etagRevision: device.etagRevision
        )
        let sighting = Sighting(lastSeen: device.lastSeen, release: device.release?.id)
        var change = DeviceChange(
            revision: self.revision, kind: .changed, project: DeviceFile.project, device: id,
            serial: String(decoding: device.serial, as: UTF8.self), createdDate: device.createdDate
        )
        switch kind {
        case .lastSeen:
            // The same release, as most check-ins report; one that never reported any begins with the first.
            let release = sighting.release ?? ReleaseID(rawValue: 1)
            change.sighting = Transition(before: sighting, after: Sighting(lastSeen: self.now, release: release))
        case .create:
            change.kind = .created
            change.serial = "new-\(id.rawValue)"
            change.createdDate = self.now
            change.fields = Transition(before: nil, after: self.moved(fields))
        case .update:
            change.fields = Transition(before: fields, after: self.moved(fields))
        case .delete:
            change.kind = .deleted
            change.fields = Transition(before: fields, after: nil)
            change.sighting = Transition(before: sighting, after: nil)
        }
        return .device(change)
    }

    /// With another owner, one of those that the fleet has.
    private mutating func moved(_ fields: DeviceFields) -> DeviceFields {
        var fields = fields
        let rank = String(Int.random(in: 0..<200_000, using: &self.random))
        fields.ownerRef = "owner-" + String(repeating: "0", count: 6 - rank.count) + rank
        fields.updatedDate = self.now
        fields.etagRevision = self.revision
        return fields
    }
}
