// rollcall.v1.WatchDevicesRequest and the events that answer it.

package import CRollcallProto
package import DeviceModel
internal import FoundationEssentials
package import ProtobufC

// MARK: The server's side

extension FieldCheck {
    /// Which devices a watch is about; where a field is bad, another value stands in for it.
    package mutating func watchFilter(_ message: UnsafePointer<Rollcall__V1__WatchDevicesRequest>) -> DeviceFilter {
        self.deviceFilter(message.pointee)
    }

    /// Where a watch is to go on; nil where it begins with the devices that match.
    package mutating func bookmark(_ message: UnsafePointer<Rollcall__V1__WatchDevicesRequest>) -> Bookmark? {
        let revision = message.pointee.from_revision
        if revision < 0 {
            self.refuse("from_revision", "must not be negative")
        }
        guard !message.pointee.store_id.bytes.isEmpty else {
            if revision > 0 {
                self.refuse("store_id", "must be given with from_revision: both come from one bookmark")
            }
            return nil
        }
        let text = message.pointee.store_id.string
        guard text.utf8.count == 36, let storeID = UUID(uuidString: text) else {
            self.refuse("store_id", "must be the UUID of a bookmark")
            return nil
        }
        return Bookmark(storeID: storeID, revision: revision)
    }
}

extension Arena {
    package func message(_ bookmark: Bookmark) -> UnsafeMutablePointer<Rollcall__V1__Bookmark> {
        let message = self.make(Messages.bookmark)
        message.pointee.store_id = self.text(bookmark.storeID.uuidString.lowercased())
        message.pointee.revision = bookmark.revision
        return message
    }

    /// An event of a watch; a snapshot's devices with it.
    package func message(_ event: DeviceEvent) -> UnsafeMutablePointer<Rollcall__V1__WatchDevicesResponse> {
        let message = self.make(Messages.watchDevicesResponse)
        switch event {
        case .snapshot(let devices, let revision):
            let snapshot = self.make(Messages.watchSnapshot)
            snapshot.pointee.revision = revision
            snapshot.pointee.n_devices = devices.count
            snapshot.pointee.devices = self.pointers(devices) { self.message($0) }
            message.pointee.event_case = ROLLCALL__V1__WATCH_DEVICES_RESPONSE__EVENT_SNAPSHOT
            message.pointee.snapshot = snapshot
        case .entered(let device, let revision):
            message.pointee.event_case = ROLLCALL__V1__WATCH_DEVICES_RESPONSE__EVENT_ENTERED
            message.pointee.entered = self.message(device, revision)
        case .changed(let device, let revision):
            message.pointee.event_case = ROLLCALL__V1__WATCH_DEVICES_RESPONSE__EVENT_CHANGED
            message.pointee.changed = self.message(device, revision)
        case .left(let device, let revision):
            message.pointee.event_case = ROLLCALL__V1__WATCH_DEVICES_RESPONSE__EVENT_LEFT
            message.pointee.left = self.message(device, revision)
        case .bookmark(let bookmark):
            message.pointee.event_case = ROLLCALL__V1__WATCH_DEVICES_RESPONSE__EVENT_BOOKMARK
            message.pointee.bookmark = self.message(bookmark)
        }
        return message
    }

    private func message(_ device: Device, _ revision: Int64) -> UnsafeMutablePointer<Rollcall__V1__WatchedDevice> {
        let message = self.make(Messages.watchedDevice)
        message.pointee.revision = revision
        message.pointee.device = self.message(device)
        return message
    }
}

// MARK: The client's side

extension Arena {
    /// - Parameter bookmark: Where to go on; nil to begin with the devices that match.
    package func watchDevicesRequest(
        project: String, filter: DeviceFilter, view: DeviceView, from bookmark: Bookmark?
    ) -> UnsafeMutablePointer<Rollcall__V1__WatchDevicesRequest> {
        let message = self.make(Messages.watchDevicesRequest)
        message.pointee.project = self.text(project)
        self.set(filter, in: message)
        message.pointee.view = view.wire
        if let bookmark {
            message.pointee.store_id = self.text(bookmark.storeID.uuidString.lowercased())
            message.pointee.from_revision = bookmark.revision
        }
        return message
    }
}

extension Bookmark {
    /// - Throws: ``WireValueError`` where the store's id is no UUID.
    package init(from message: UnsafePointer<Rollcall__V1__Bookmark>) throws(WireValueError) {
        guard let storeID = UUID(uuidString: message.pointee.store_id.string) else {
            throw WireValueError("store_id", "is no UUID")
        }
        self.init(storeID: storeID, revision: message.pointee.revision)
    }
}

extension DeviceEvent {
    /// - Returns: nil for an event of a kind that this version does not know.
    /// - Throws: ``WireValueError`` naming a field that is absent or out of its range.
    package init?(from message: UnsafePointer<Rollcall__V1__WatchDevicesResponse>) throws(WireValueError) {
        switch message.pointee.event_case {
        case ROLLCALL__V1__WATCH_DEVICES_RESPONSE__EVENT_SNAPSHOT:
            let snapshot = try required(message.pointee.snapshot, "snapshot").pointee
            var devices: [Device] = []
            devices.reserveCapacity(snapshot.n_devices)
            for index in 0..<snapshot.n_devices {
                devices.append(try Device(from: try required(snapshot.devices[index], "snapshot.devices")))
            }
            self = .snapshot(devices, revision: snapshot.revision)
        case ROLLCALL__V1__WATCH_DEVICES_RESPONSE__EVENT_ENTERED:
            let (device, revision) = try Self.watched(message.pointee.entered, "entered")
            self = .entered(device, revision: revision)
        case ROLLCALL__V1__WATCH_DEVICES_RESPONSE__EVENT_CHANGED:
            let (device, revision) = try Self.watched(message.pointee.changed, "changed")
            self = .changed(device, revision: revision)
        case ROLLCALL__V1__WATCH_DEVICES_RESPONSE__EVENT_LEFT:
            let (device, revision) = try Self.watched(message.pointee.left, "left")
            self = .left(device, revision: revision)
        case ROLLCALL__V1__WATCH_DEVICES_RESPONSE__EVENT_BOOKMARK:
            self = .bookmark(try Bookmark(from: try required(message.pointee.bookmark, "bookmark")))
        default:
            return nil
        }
    }

    private static func watched(
        _ message: UnsafeMutablePointer<Rollcall__V1__WatchedDevice>?, _ field: String
    ) throws(WireValueError) -> (Device, Int64) {
        let message = try required(message, field).pointee
        return (try Device(from: try required(message.device, "\(field).device")), message.revision)
    }
}
