// A device in the writer's hands: taken from the index, or from what its group has pending.

internal import DeviceModel
internal import DeviceQuery

/// A device's whole state but its attributes, as values of its own.
struct WorkingDevice: Hashable, Sendable {
    var id: DeviceID
    var serial: String
    var createdDate: Timestamp
    var fields: DeviceFields
    var sighting: Sighting

    init(id: DeviceID, serial: String, createdDate: Timestamp, fields: DeviceFields, sighting: Sighting) {
        self.id = id
        self.serial = serial
        self.createdDate = createdDate
        self.fields = fields
        self.sighting = sighting
    }

    init(_ device: BorrowedDevice) {
        let record = device.record
        self.id = record.id
        self.serial = String(decoding: record.serial, as: UTF8.self)
        self.createdDate = record.createdDate
        self.fields = DeviceFields(
            ownerRef: String(decoding: record.ownerRef, as: UTF8.self),
            hardwareVersion: String(decoding: record.hardwareVersion, as: UTF8.self),
            cohort: record.cohort.id,
            updatedDate: record.updatedDate,
            etagRevision: record.etagRevision)
        self.sighting = Sighting(lastSeen: record.lastSeen, release: record.release?.id)
    }
}

extension Device {
    /// The device as callers see it, with what it refers to; without attributes.
    init(_ device: WorkingDevice, cohort: CohortRecord, release: ReleaseRecord?, storeTag: UInt32) {
        self.init(
            id: device.id.rawValue,
            createdDate: device.createdDate,
            updatedDate: device.fields.updatedDate,
            deviceSerial: device.serial,
            ownerRef: device.fields.ownerRef,
            hardwareVersion: device.fields.hardwareVersion,
            lastSeen: device.sighting.lastSeen,
            lastSeenRelease: release.map {
                Release(id: $0.id.rawValue, version: $0.version, revision: $0.revision)
            },
            cohort: Cohort(id: cohort.id.rawValue, name: cohort.name, slug: cohort.slug),
            etag: Etag(storeTag: storeTag, revision: device.fields.etagRevision).description)
    }
}

/// The values of a device's attributes by key.
typealias AttributeStates = [AttributeKeyID: AttributeState]
