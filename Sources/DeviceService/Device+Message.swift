// From a device where it lies in the index to a reply.

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceWire
internal import NIOCore
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

extension ByteBuffer {
    /// Packs as much of a device as a view has.
    ///
    /// Its attributes are the last field of its message, so that they follow the bytes that every view has.
    mutating func append(_ device: BorrowedDevice, _ view: DeviceView, storeTag: UInt32) {
        self.append(DeviceSource(device, storeTag: storeTag))
        guard view == .full, device.attributeCount > 0 else { return }
        Arena.current.scope { self.append($0.attributesMessage(of: device)) }
    }

    /// Packs as much of a device as a view has as a value of the repeated field `number`, as a message is.
    mutating func append(
        _ device: BorrowedDevice, _ view: DeviceView, storeTag: UInt32, asElementOf number: UInt32,
        byteCountMax: Int = .max
    ) -> Bool {
        let source = DeviceSource(device, storeTag: storeTag)
        guard view == .full, device.attributeCount > 0 else {
            return self.append(source, asElementOf: number, byteCountMax: byteCountMax)
        }
        return Arena.current.scope { arena in
            self.append(
                source, followedBy: arena.attributesMessage(of: device), asElementOf: number,
                byteCountMax: byteCountMax)
        }
    }
}

extension Arena {
    /// A message with nothing but the device's attributes.
    fileprivate func attributesMessage(of device: BorrowedDevice) -> UnsafeMutablePointer<Rollcall__V1__Device> {
        let message = self.make(Messages.device)
        let attributes: UnsafeMutablePointer<UnsafeMutablePointer<Rollcall__V1__Attribute>?> =
            self.makePointerArray(count: device.attributeCount)
        var count = 0
        device.forEachAttribute { key, state in
            attributes[count] = self.message(key.metric, state)
            count += 1
        }
        message.pointee.attributes = attributes
        message.pointee.n_attributes = count
        return message
    }
}
