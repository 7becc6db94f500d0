// A device on its way out, its texts left where they are.

package import DeviceModel

/// What a reply says of a device, with texts as borrowed UTF-8: packing it copies each of them once, into the output.
package struct DeviceSource {
    /// A release by borrowed texts.
    package struct Release {
        package var id: Int64
        package var version: UnsafeRawBufferPointer
        package var revision: UnsafeRawBufferPointer

        @inlinable
        package init(id: Int64, version: UnsafeRawBufferPointer, revision: UnsafeRawBufferPointer) {
            self.id = id
            self.version = version
            self.revision = revision
        }
    }

    /// A cohort by borrowed texts.
    package struct Cohort {
        package var id: Int64
        package var name: UnsafeRawBufferPointer
        package var slug: UnsafeRawBufferPointer

        @inlinable
        package init(id: Int64, name: UnsafeRawBufferPointer, slug: UnsafeRawBufferPointer) {
            self.id = id
            self.name = name
            self.slug = slug
        }
    }

    package var id: Int64
    package var createdDate: Timestamp
    package var updatedDate: Timestamp
    package var serial: UnsafeRawBufferPointer
    package var ownerRef: UnsafeRawBufferPointer
    package var hardwareVersion: UnsafeRawBufferPointer
    package var lastSeen: Timestamp?
    package var release: Release?
    package var cohort: Cohort
    package var etag: Etag

    @inlinable
    package init(
        id: Int64,
        createdDate: Timestamp,
        updatedDate: Timestamp,
        serial: UnsafeRawBufferPointer,
        ownerRef: UnsafeRawBufferPointer,
        hardwareVersion: UnsafeRawBufferPointer,
        lastSeen: Timestamp?,
        release: Release?,
        cohort: Cohort,
        etag: Etag
    ) {
        self.id = id
        self.createdDate = createdDate
        self.updatedDate = updatedDate
        self.serial = serial
        self.ownerRef = ownerRef
        self.hardwareVersion = hardwareVersion
        self.lastSeen = lastSeen
        self.release = release
        self.cohort = cohort
        self.etag = etag
    }
}
