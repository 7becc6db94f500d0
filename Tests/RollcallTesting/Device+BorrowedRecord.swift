// A device that an index shows, as a value of its own.

package import DeviceModel
package import DeviceQuery

extension Device {
    /// A copy of a record, without attributes.
    package init(_ record: BorrowedRecord, storeTag: UInt32) {
        func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
        self.init(
            id: record.id.rawValue, createdDate: record.createdDate, updatedDate: record.updatedDate,
            deviceSerial: text(record.serial), ownerRef: text(record.ownerRef),
            hardwareVersion: text(record.hardwareVersion), lastSeen: record.lastSeen,
            lastSeenRelease: record.release.map {
                Release(id: $0.id.rawValue, version: text($0.version), revision: text($0.revision))
            },
            cohort: Cohort(
                id: record.cohort.id.rawValue, name: text(record.cohort.name), slug: text(record.cohort.slug)),
            etag: Etag(storeTag: storeTag, revision: record.etagRevision).description)
    }
}
