// rollcall.v1.Device, Release, and what holds devices.

package import CRollcallProto
package import DeviceModel
package import ProtobufC

extension Arena {
    /// `device` as a message, with the attributes that it has.
    package func message(_ device: Device) -> UnsafeMutablePointer<Rollcall__V1__Device> {
        let message = self.make(Messages.device)
        message.pointee.id = device.id
        message.pointee.created_date = self.message(device.createdDate)
        message.pointee.updated_date = self.message(device.updatedDate)
        message.pointee.device_serial = self.text(device.deviceSerial)
        message.pointee.owner_ref = self.text(device.ownerRef)
        message.pointee.hardware_version = self.text(device.hardwareVersion)
        if let lastSeen = device.lastSeen {
            message.pointee.last_seen = self.message(lastSeen)
        }
        if let release = device.lastSeenRelease {
            message.pointee.last_seen_release = self.message(release)
        }
        message.pointee.cohort = self.message(device.cohort)
        message.pointee.etag = self.text(device.etag)
        message.pointee.n_attributes = device.attributes.count
        message.pointee.attributes = self.messages(device.attributes)
        return message
    }

    /// An etag's text.
    package func text(_ etag: Etag) -> ProtobufCBinaryData {
        self.text(byteCountMax: Etag.textByteCountMax) { etag.write(into: $0) }
    }

    /// `release` as a message; 0 devices where it has no count.
    package func message(_ release: Release) -> UnsafeMutablePointer<Rollcall__V1__Release> {
        let message = self.make(Messages.release)
        message.pointee.id = release.id
        message.pointee.version = self.text(release.version)
        message.pointee.revision = self.text(release.revision)
        message.pointee.count_devices = release.deviceCount ?? 0
        return message
    }
}

extension Device {
    /// - Throws: ``WireValueError`` naming a field that is absent or out of its range.
    package init(from message: UnsafePointer<Rollcall__V1__Device>) throws(WireValueError) {
        let message = message.pointee
        self.init(
            id: message.id,
            createdDate: try Timestamp(from: required(message.created_date, "created_date"), field: "created_date"),
            updatedDate: try Timestamp(from: required(message.updated_date, "updated_date"), field: "updated_date"),
            deviceSerial: message.device_serial.string,
            ownerRef: message.owner_ref.string,
            hardwareVersion: message.hardware_version.string,
            lastSeen: nil,
            lastSeenRelease: nil,
            cohort: Cohort(from: try required(message.cohort, "cohort"), isCounted: false),
            etag: message.etag.string,
            attributes: try [Attribute](message.attributes, count: message.n_attributes)
        )
        if let lastSeen = message.last_seen {
            self.lastSeen = try Timestamp(from: lastSeen, field: "last_seen")
        }
        if let release = message.last_seen_release {
            self.lastSeenRelease = Release(from: release, isCounted: false)
        }
    }
}

extension Release {
    /// - Parameter isCounted: Whether the message's count means something: not where a device refers to its release.
    package init(from message: UnsafePointer<Rollcall__V1__Release>, isCounted: Bool = true) {
        self.init(
            id: message.pointee.id,
            version: message.pointee.version.string,
            revision: message.pointee.revision.string,
            deviceCount: isCounted ? message.pointee.count_devices : nil
        )
    }
}

extension Page<Device> {
    /// - Throws: ``WireValueError`` naming a field of a device or the explanation that is absent or out of its range.
    package init(from message: UnsafePointer<Rollcall__V1__ListDevicesResponse>) throws(WireValueError) {
        let message = message.pointee
        self.init([], endingAs: message)
        self.items.reserveCapacity(message.n_devices)
        for device in elements(message.devices, count: message.n_devices) {
            self.items.append(try Device(from: device))
        }
        if let explanation = message.explanation {
            self.explanation = try QueryExplanation(from: explanation)
        }
    }
}

extension DeviceView {
    /// Nil where the number means no view; 0 is ``basic``.
    package init?(_ view: Rollcall__V1__DeviceView) {
        // By number: the generic == that an imported enum has is too slow for the call that is made most.
        switch view.rawValue {
        case ROLLCALL__V1__DEVICE_VIEW__DEVICE_VIEW_UNSPECIFIED.rawValue,
            ROLLCALL__V1__DEVICE_VIEW__DEVICE_VIEW_BASIC.rawValue:
            self = .basic
        case ROLLCALL__V1__DEVICE_VIEW__DEVICE_VIEW_FULL.rawValue:
            self = .full
        default:
            return nil
        }
    }

    /// The view as requests name it.
    package var wire: Rollcall__V1__DeviceView {
        switch self {
        case .basic: ROLLCALL__V1__DEVICE_VIEW__DEVICE_VIEW_BASIC
        case .full: ROLLCALL__V1__DEVICE_VIEW__DEVICE_VIEW_FULL
        }
    }
}

extension FieldCheck {
    /// The view that a request asks for; ``DeviceView/basic`` where it names none.
    package mutating func view(_ view: Rollcall__V1__DeviceView) -> DeviceView {
        if let view = DeviceView(view) { return view }
        self.refuse("view", "is \(view.rawValue), which is not a view; it takes BASIC (1) or FULL (2)")
        return .basic
    }
}
