// Which devices a request is about: every method that chooses devices says it by the same fields.
// Which devices a request is about: ListDevices, CountDevices and PurgeDevices say it by the same fields.

package import CRollcallProto
package import DeviceModel
internal import ProtobufC

// The names and types are those that C has.
// swift-format-ignore: AlwaysUseLowerCamelCase, NeverUseImplicitlyUnwrappedOptionals
/// The fields by which a request chooses devices, in the C struct of any request that has them.
protocol DeviceFilterFields {
    var n_release: Int { get set }
    var release: UnsafeMutablePointer<ProtobufCBinaryData>! { get set }
    var n_owner_ref: Int { get set }
    var owner_ref: UnsafeMutablePointer<ProtobufCBinaryData>! { get set }
    var n_hardware_version: Int { get set }
    var hardware_version: UnsafeMutablePointer<ProtobufCBinaryData>! { get set }
    var n_cohort: Int { get set }
    var cohort: UnsafeMutablePointer<ProtobufCBinaryData>! { get set }
    var n_device_serial: Int { get set }
    var device_serial: UnsafeMutablePointer<ProtobufCBinaryData>! { get set }
    var last_seen_since: UnsafeMutablePointer<Google__Protobuf__Timestamp>! { get set }
    var last_seen_until: UnsafeMutablePointer<Google__Protobuf__Timestamp>! { get set }
    var activity: Rollcall__V1__Activity { get set }
    var activity_window: UnsafeMutablePointer<Google__Protobuf__Duration>! { get set }
    var filter: ProtobufCBinaryData { get set }
}

extension Rollcall__V1__ListDevicesRequest: DeviceFilterFields {}
extension Rollcall__V1__CountDevicesRequest: DeviceFilterFields {}
extension Rollcall__V1__ExportDevicesRequest: DeviceFilterFields {}
extension Rollcall__V1__PurgeDevicesRequest: DeviceFilterFields {}
extension Rollcall__V1__WatchDevicesRequest: DeviceFilterFields {}

extension FieldCheck {
    /// Which devices a request chooses; where a field is bad, another value stands in for it.
    ///
    /// Rules that span fields (dates, the window, the number of values) and the expression are the query engine's to
    /// check.
    mutating func deviceFilter(_ message: some DeviceFilterFields) -> DeviceFilter {
        var filter = DeviceFilter()
        filter.releases = strings(message.release, count: message.n_release)
        filter.ownerRefs = strings(message.owner_ref, count: message.n_owner_ref)
        filter.hardwareVersions = strings(message.hardware_version, count: message.n_hardware_version)
        filter.cohorts = strings(message.cohort, count: message.n_cohort)
        filter.deviceSerials = strings(message.device_serial, count: message.n_device_serial)
        filter.lastSeenSince = self.timestamp(message.last_seen_since, field: "last_seen_since")
        filter.lastSeenUntil = self.timestamp(message.last_seen_until, field: "last_seen_until")
        filter.activity = self.activity(message.activity)
        filter.activityWindowMicroseconds = self.microseconds(message.activity_window, field: "activity_window")
        filter.expression = message.filter.string
        return filter
    }

    private mutating func activity(_ activity: Rollcall__V1__Activity) -> Activity? {
        if activity == ROLLCALL__V1__ACTIVITY__ACTIVITY_UNSPECIFIED { return nil }
        if let activity = Activity(activity) { return activity }
        self.refuse(
            "activity",
            "is \(activity.rawValue), which is not an activity; it takes PENDING (1), ACTIVE (2) or INACTIVE (3)")
        // Some activity stands in for the bad one, or the window beside it would be blamed for having none.
        return .active
    }
}

extension FieldCheck {
    /// Which devices a request chooses to purge.
    package mutating func purgeFilter(_ message: UnsafePointer<Rollcall__V1__PurgeDevicesRequest>) -> DeviceFilter {
        self.deviceFilter(message.pointee)
    }
}

extension Arena {
    /// Writes the fields by which a request chooses devices.
    func set(_ filter: DeviceFilter, in request: UnsafeMutablePointer<some DeviceFilterFields>) {
        (request.pointee.release, request.pointee.n_release) = self.texts(filter.releases)
        (request.pointee.owner_ref, request.pointee.n_owner_ref) = self.texts(filter.ownerRefs)
        (request.pointee.hardware_version, request.pointee.n_hardware_version) = self.texts(filter.hardwareVersions)
        (request.pointee.cohort, request.pointee.n_cohort) = self.texts(filter.cohorts)
        (request.pointee.device_serial, request.pointee.n_device_serial) = self.texts(filter.deviceSerials)
        request.pointee.last_seen_since = filter.lastSeenSince.map { self.message($0) }
        request.pointee.last_seen_until = filter.lastSeenUntil.map { self.message($0) }
        if let activity = filter.activity {
            request.pointee.activity = activity.wire
        }
        request.pointee.activity_window = filter.activityWindowMicroseconds.map { self.message(microseconds: $0) }
        request.pointee.filter = self.text(filter.expression)
    }
}

extension Activity {
    /// Nil where the number means no activity.
    init?(_ activity: Rollcall__V1__Activity) {
        switch activity {
        case ROLLCALL__V1__ACTIVITY__ACTIVITY_PENDING: self = .pending
        case ROLLCALL__V1__ACTIVITY__ACTIVITY_ACTIVE: self = .active
        case ROLLCALL__V1__ACTIVITY__ACTIVITY_INACTIVE: self = .inactive
        default: return nil
        }
    }

    /// The activity as messages name it.
    package var wire: Rollcall__V1__Activity {
        switch self {
        case .pending: ROLLCALL__V1__ACTIVITY__ACTIVITY_PENDING
        case .active: ROLLCALL__V1__ACTIVITY__ACTIVITY_ACTIVE
        case .inactive: ROLLCALL__V1__ACTIVITY__ACTIVITY_INACTIVE
        }
    }
}

/// The values of a repeated text field.
package func strings(_ texts: UnsafeMutablePointer<ProtobufCBinaryData>?, count: Int) -> [String] {
    UnsafeBufferPointer(start: texts, count: count).map(\.string)
}
