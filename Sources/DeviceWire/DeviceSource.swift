// A device on its way out, its texts left where they are.

package import CRollcallProto
package import DeviceModel
package import ProtobufC

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

extension Arena {
    /// The device without its attributes, as a message that borrows the source's texts.
    ///
    /// - Complexity: O(1): about 700 bytes of the arena, whatever the texts.
    package func message(_ source: borrowing DeviceSource) -> UnsafeMutablePointer<Rollcall__V1__Device> {
        let message = self.make(Messages.device)
        message.pointee.id = source.id
        message.pointee.created_date = self.message(source.createdDate)
        message.pointee.updated_date = self.message(source.updatedDate)
        message.pointee.device_serial = self.text(source.serial)
        message.pointee.owner_ref = self.text(source.ownerRef)
        message.pointee.hardware_version = self.text(source.hardwareVersion)
        if let lastSeen = source.lastSeen {
            message.pointee.last_seen = self.message(lastSeen)
        }
        if let source = source.release {
            let release = self.make(Messages.release)
            release.pointee.id = source.id
            release.pointee.version = self.text(source.version)
            release.pointee.revision = self.text(source.revision)
            message.pointee.last_seen_release = release
        }
        let cohort = self.make(Messages.cohort)
        cohort.pointee.id = source.cohort.id
        cohort.pointee.name = self.text(source.cohort.name)
        cohort.pointee.slug = self.text(source.cohort.slug)
        message.pointee.cohort = cohort
        message.pointee.etag = self.text(source.etag)
        return message
    }

    /// An etag's text.
    package func text(_ etag: Etag) -> ProtobufCBinaryData {
        self.text(byteCountMax: Etag.textByteCountMax) { etag.write(into: $0) }
    }
}
