// What ListDevices asks for.

package import CRollcallProto
package import DeviceModel
internal import ProtobufC

extension FieldCheck {
    /// The query of a request; where a field is bad, another value stands in for it.
    ///
    /// Rules that span fields (dates, the window, the number of values) and the token itself are the query engine's to check.
    package mutating func listQuery(
        _ message: UnsafePointer<Rollcall__V1__ListDevicesRequest>, limits: Limits
    ) -> ListQuery {
        let message = message.pointee
        var query = ListQuery()
        query.filter.releases = strings(message.release, count: message.n_release)
        query.filter.ownerRefs = strings(message.owner_ref, count: message.n_owner_ref)
        query.filter.hardwareVersions = strings(message.hardware_version, count: message.n_hardware_version)
        query.filter.cohorts = strings(message.cohort, count: message.n_cohort)
        query.filter.deviceSerials = strings(message.device_serial, count: message.n_device_serial)
        query.filter.lastSeenSince = self.timestamp(message.last_seen_since, field: "last_seen_since")
        query.filter.lastSeenUntil = self.timestamp(message.last_seen_until, field: "last_seen_until")
        query.filter.activity = self.activity(message.activity)
        query.filter.activityWindowMicroseconds = self.microseconds(message.activity_window, field: "activity_window")
        do throws(InvalidFields) {
            query.sort = try SortKey.parse(message.sort.string, field: "sort")
        } catch {
            for violation in error.violations {
                self.refuse(violation.field, violation.description)
            }
        }
        let page = self.page(
            size: message.page_size, token: message.page_token, number: message.page, limits: limits)
        query.pageSize = page.size
        query.position = page.position
        query.includesTotal = message.include_total != 0
        return query
    }

    /// Which page of any list a request asks for.
    package mutating func page(
        size: Int32, token: ProtobufCBinaryData, number: Int32, limits: Limits
    ) -> (size: Int, position: PagePosition) {
        if size < 0 {
            self.refuse("page_size", "must not be negative; 0 means \(limits.pageSizeDefault)")
        }
        if number < 0 {
            self.refuse("page", "must not be negative; pages count from 1")
        }
        if number != 0, !token.bytes.isEmpty {
            self.refuse("page", "must not be given together with page_token")
        }
        return (
            size: size <= 0 ? limits.pageSizeDefault : min(Int(size), limits.pageSizeMax),
            position: number > 0 ? .number(Int64(number)) : .token(token.string)
        )
    }

    private mutating func activity(_ activity: Rollcall__V1__Activity) -> Activity? {
        switch activity {
        case ROLLCALL__V1__ACTIVITY__ACTIVITY_UNSPECIFIED: return nil
        case ROLLCALL__V1__ACTIVITY__ACTIVITY_PENDING: return .pending
        case ROLLCALL__V1__ACTIVITY__ACTIVITY_ACTIVE: return .active
        case ROLLCALL__V1__ACTIVITY__ACTIVITY_INACTIVE: return .inactive
        default:
            self.refuse(
                "activity",
                "is \(activity.rawValue), which is not an activity; it takes PENDING (1), ACTIVE (2) or INACTIVE (3)")
            // Some activity stands in for the bad one, or the window beside it would be blamed for having none.
            return .active
        }
    }
}

extension Activity {
    /// The activity as requests name it.
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
