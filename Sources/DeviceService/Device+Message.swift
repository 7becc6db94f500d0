// From a device where it lies in the index to a reply.

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceWire
internal import ProtobufC

extension DeviceSource {
    /// A device by the index's own texts: it is packed before the lock is released.
    @inline(__always)
    init(_ device: BorrowedDevice, storeTag: UInt32) {
        let release = device.release
        let cohort = device.cohort
        self.init(
            id: device.id.rawValue,
            createdDate: device.createdDate,
            updatedDate: device.updatedDate,
            serial: device.serial,
            ownerRef: device.ownerRef,
            hardwareVersion: device.hardwareVersion,
            lastSeen: device.lastSeen,
            release: release.map { Release(id: $0.id.rawValue, version: $0.version, revision: $0.revision) },
            cohort: Cohort(id: cohort.id.rawValue, name: cohort.name, slug: cohort.slug),
            etag: Etag(storeTag: storeTag, revision: device.etagRevision)
        )
    }
}

extension Arena {
    /// A device with its attributes as a message.
    func fullMessage(_ device: BorrowedDevice, storeTag: UInt32) -> UnsafeMutablePointer<Rollcall__V1__Device> {
        let message = self.message(DeviceSource(device, storeTag: storeTag))
        self.addAttributes(of: device, to: message)
        return message
    }

    /// A message with nothing but the device's attributes.
    func attributesMessage(of device: BorrowedDevice) -> UnsafeMutablePointer<Rollcall__V1__Device> {
        let message = self.make(Messages.device)
        self.addAttributes(of: device, to: message)
        return message
    }

    private func addAttributes(of device: BorrowedDevice, to message: UnsafeMutablePointer<Rollcall__V1__Device>) {
        let attributes: UnsafeMutablePointer<UnsafeMutablePointer<Rollcall__V1__Attribute>?> =
            self.makePointerArray(count: device.attributeCount)
        var count = 0
        device.forEachAttribute { key, state in
            attributes[count] = self.message(key.metric, state)
            count += 1
        }
        message.pointee.attributes = attributes
        message.pointee.n_attributes = count
    }
}
