// An index beside the oracle that judges it.

import DeviceModel
import DeviceQuery
import FoundationEssentials
import RollcallTesting
import Testing

let storeID = UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16))

/// An index, and a generator whose every change it has taken in.
final class IndexFixture {
    var index: RegistryIndex
    var generator: FleetGenerator

    init(seed: UInt64, deviceCount: Int = 0, storeID: UUID = storeID) {
        self.index = RegistryIndex(storeID: storeID, limits: Limits())
        self.generator = FleetGenerator(seed: seed)
        self.apply(self.generator.catalog())
        for _ in 0..<deviceCount {
            self.apply(self.generator.creation())
        }
    }

    func apply(_ changes: [Change]) {
        for change in changes { self.index.apply(change) }
    }

    func mutate(_ count: Int) {
        for _ in 0..<count { self.apply(self.generator.mutation()) }
    }

    /// One page as ids.
    func page(_ query: ListQuery, now: Timestamp? = nil) throws(InvalidFields) -> (ids: [DeviceID], page: ListPage) {
        var ids: [DeviceID] = []
        let page = try self.index.list(query, in: FleetGenerator.project, now: now ?? self.generator.now) { device in
            ids.append(device.id)
            return true
        }
        return (ids, page)
    }

    /// Every page of a walk, as ids.
    func walk(_ query: ListQuery) throws -> [DeviceID] {
        var ids: [DeviceID] = []
        var query = query
        for _ in 0..<100_000 {
            let page = try self.page(query)
            ids += page.ids
            if page.page.nextPageToken.isEmpty { return ids }
            query.position = .token(page.page.nextPageToken)
        }
        Issue.record("the walk does not end")
        return ids
    }

    func expected(_ query: ListQuery) -> [DeviceID] {
        self.generator.oracle.list(query, now: self.generator.now).map(\.id)
    }
}

extension BorrowedDevice {
    /// A copy in the oracle's words.
    var entry: NaiveOracle.Entry {
        var attributes: [AttributeKeyID: AttributeState] = [:]
        self.forEachAttribute { attributes[$0.id] = $1 }
        return NaiveOracle.Entry(
            id: self.id,
            serial: String(decoding: self.serial, as: UTF8.self),
            createdDate: self.createdDate,
            fields: DeviceFields(
                ownerRef: String(decoding: self.ownerRef, as: UTF8.self),
                hardwareVersion: String(decoding: self.hardwareVersion, as: UTF8.self),
                cohort: self.cohort.id, updatedDate: self.updatedDate, etagRevision: self.etagRevision
            ),
            sighting: Sighting(lastSeen: self.lastSeen, release: self.release?.id),
            attributes: attributes
        )
    }
}

extension RegistryIndex {
    func device(_ serial: String, in project: ProjectID = FleetGenerator.project) -> BorrowedDevice? {
        let bytes = Array(serial.utf8)
        return bytes.withUnsafeBytes { self.device(serial: $0, in: project) }
    }
}
