// A device as readers see it, without a copy.

package import DeviceModel

/// A device where it lies in the index; valid only while the index is not changed. Texts are UTF-8 bytes.
///
/// It is two pointers and the id: who asks for no more than which devices they are makes no call for each of them. Nothing else
/// is fetched until it is asked for.
///
/// Invariant: `row` points into `fleet`'s rows at a row in use, and the caller holds the index for reading.
package struct BorrowedDevice {
    private let row: UnsafePointer<DeviceRow>
    private let fleet: UnsafePointer<Fleet>
    package let id: DeviceID

    @inline(__always)
    init(_ row: UInt32, of fleet: UnsafePointer<Fleet>) {
        self.row = UnsafePointer(fleet.pointee.rows.base + Int(row))
        self.fleet = fleet
        self.id = self.row.pointee.deviceID
    }

    package var project: ProjectID { self.fleet.pointee.record.id }

    /// The revision that last moved the etag.
    package var etagRevision: Revision { Revision(rawValue: self.row.pointee.etagRevision) }

    /// All of it but its attributes.
    package var record: BorrowedRecord {
        let (row, fleet) = (self.row, self.fleet)
        return BorrowedRecord(
            id: self.id,
            createdDate: row.pointee.createdDate,
            updatedDate: row.pointee.updatedDate,
            serial: fleet.pointee.serials.text(row.pointee.serial),
            ownerRef: fleet.pointee.owners.text(row.pointee.owner),
            hardwareVersion: fleet.pointee.hardware.text(row.pointee.hardware),
            lastSeen: Timestamp(microseconds: row.pointee.lastSeen),
            release: fleet.pointee.borrowedRelease(row.pointee.release),
            cohort: fleet.pointee.borrowedCohort(row.pointee.cohort),
            etagRevision: self.etagRevision)
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

/// What the index keeps of a device beside its attributes, as long as the device that it was read from is valid.
///
/// It is read in one go: another module would make a call for each field.
package struct BorrowedRecord {
    /// A release by its texts where they lie.
    package struct Release {
        package let id: ReleaseID
        package let version: UnsafeRawBufferPointer
        package let revision: UnsafeRawBufferPointer
    }

    /// A cohort by its texts where they lie.
    package struct Cohort {
        package let id: CohortID
        package let name: UnsafeRawBufferPointer
        package let slug: UnsafeRawBufferPointer
    }

    package let id: DeviceID
    package let createdDate: Timestamp
    package let updatedDate: Timestamp
    package let serial: UnsafeRawBufferPointer
    package let ownerRef: UnsafeRawBufferPointer
    package let hardwareVersion: UnsafeRawBufferPointer
    /// Nil if it never checked in.
    package let lastSeen: Timestamp?
    /// What it was last seen with.
    package let release: Release?
    package let cohort: Cohort
    /// The revision that last moved the etag.
    package let etagRevision: Revision
}

extension Fleet {
    @inline(__always)
    fileprivate func borrowedRelease(_ code: UInt32) -> BorrowedRecord.Release? {
        guard code != DeviceRow.noRelease else { return nil }
        let text = ReleaseText.split(self.releases.text(code), versionByteCount: self.releases.tag(code))
        return BorrowedRecord.Release(id: self.releaseIDs[Int(code)], version: text.version, revision: text.revision)
    }

    @inline(__always)
    fileprivate func borrowedCohort(_ code: UInt32) -> BorrowedRecord.Cohort {
        BorrowedRecord.Cohort(
            id: self.cohortIDs[Int(code)], name: self.cohortNameTexts.text(self.cohortNames[Int(code)]),
            slug: self.cohorts.text(code))
    }
}
