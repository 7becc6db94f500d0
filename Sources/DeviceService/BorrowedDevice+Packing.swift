// From a device where it lies in the index to a reply.

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceWire
internal import NIOCore
internal import ProtobufC

extension BorrowedDevice {
    /// Whether a view has more of it than its record.
    func showsAttributes(in view: DeviceView) -> Bool { view == .full && self.attributeCount > 0 }
}

extension ByteBuffer {
    /// Packs as much of a device as a view has.
    ///
    /// Its attributes are the last field of its message, so that they follow the bytes that every view has.
    mutating func append(_ device: BorrowedDevice, _ view: DeviceView, storeTag: UInt32) {
        self.append(device.record, storeTag: storeTag)
        guard device.showsAttributes(in: view) else { return }
        Arena.current.scope { self.append($0.attributesMessage(of: device)) }
    }

    /// Packs as much of a device as a view has as a value of the repeated field `number`, as a message is.
    mutating func append(
        _ device: BorrowedDevice, _ view: DeviceView, storeTag: UInt32, asElementOf number: UInt32,
        byteCountMax: Int = .max
    ) -> Bool {
        let record = device.record
        guard device.showsAttributes(in: view) else {
            return self.append(record, storeTag: storeTag, asElementOf: number, byteCountMax: byteCountMax)
        }
        return Arena.current.scope { arena in
            self.append(
                record, storeTag: storeTag, followedBy: arena.attributesMessage(of: device), asElementOf: number,
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
