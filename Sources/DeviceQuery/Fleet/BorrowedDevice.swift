// A device as readers see it, without a copy.

package import DeviceModel

/// A device where it lies in the index; valid only while the index is not changed. Texts are UTF-8 bytes.
///
/// It is two pointers: making one costs nothing, and only the fields that are read are fetched.
///
/// Invariant: `row` points into `fleet`'s rows at a row in use, and the caller holds the index for reading.
package struct BorrowedDevice {
    private let row: UnsafePointer<DeviceRow>
    private let fleet: UnsafePointer<Fleet>

    @inline(__always)
    init(_ row: UInt32, of fleet: UnsafePointer<Fleet>) {
        self.row = UnsafePointer(fleet.pointee.rows.base + Int(row))
        self.fleet = fleet
    }

    package var id: DeviceID { self.row.pointee.deviceID }
    package var project: ProjectID { self.fleet.pointee.record.id }
    package var createdDate: Timestamp { self.row.pointee.createdDate }
    package var updatedDate: Timestamp { self.row.pointee.updatedDate }
    /// The revision that last moved the etag.
    package var etagRevision: Revision { Revision(rawValue: self.row.pointee.etagRevision) }
    /// Nil if it never checked in.
    package var lastSeen: Timestamp? { Timestamp(microseconds: self.row.pointee.lastSeen) }
    package var serial: UnsafeRawBufferPointer { self.fleet.pointee.serials.text(self.row.pointee.serial) }
    package var ownerRef: UnsafeRawBufferPointer { self.fleet.pointee.owners.text(self.row.pointee.owner) }
    package var hardwareVersion: UnsafeRawBufferPointer { self.fleet.pointee.hardware.text(self.row.pointee.hardware) }

    /// What it was last seen with.
    package var release: (id: ReleaseID, version: UnsafeRawBufferPointer, revision: UnsafeRawBufferPointer)? {
        let code = self.row.pointee.release
        guard code != DeviceRow.noRelease else { return nil }
        let releases = self.fleet.pointee.releases.text(code)
        let text = ReleaseText.split(releases, versionByteCount: self.fleet.pointee.releases.tag(code))
        return (self.fleet.pointee.releaseIDs[Int(code)], text.version, text.revision)
    }

    package var cohort: (id: CohortID, name: UnsafeRawBufferPointer, slug: UnsafeRawBufferPointer) {
        let code = self.row.pointee.cohort
        let name = self.fleet.pointee.cohortNameTexts.text(self.fleet.pointee.cohortNames[Int(code)])
        return (self.fleet.pointee.cohortIDs[Int(code)], name, self.fleet.pointee.cohorts.text(code))
    }

    package var attributeCount: Int {
        self.fleet.pointee.attributeLists[self.row.pointee.attributes].count
    }

    /// Calls `body` with each attribute in the order of keys, ASCII letters compared in lower case.
    package func forEachAttribute(_ body: (AttributeKeyRecord, AttributeState) -> Void) {
        let entries = self.fleet.pointee.attributeLists[self.row.pointee.attributes]
        guard !entries.isEmpty else { return }
        let keys = self.fleet.pointee.attributeKeys
        for entry in entries.sorted(by: { keys.ranks[Int($0.key)] < keys.ranks[Int($1.key)] }) {
            body(keys.records[Int(entry.key)], self.fleet.pointee.columns[Int(entry.key)].pointee.state(entry.slot))
        }
    }
}
