// What CountDevices asks for and answers.

package import CRollcallProto
package import DeviceModel
internal import ProtobufC

extension FieldCheck {
    /// The query of a request; where a field is bad, another value stands in for it.
    package mutating func countQuery(
        _ message: UnsafePointer<Rollcall__V1__CountDevicesRequest>, limits: Limits
    ) -> CountQuery {
        let message = message.pointee
        var query = CountQuery()
        query.filter = self.deviceFilter(message)
        query.groupBy = self.groupKeys(strings(message.group_by, count: message.n_group_by), field: "group_by")
        if message.group_limit < 0 {
            self.refuse("group_limit", "must not be negative; 0 means \(limits.groupCountDefault)")
        }
        query.groupLimit =
            message.group_limit <= 0
            ? limits.groupCountDefault : min(Int(message.group_limit), limits.groupCountMax)
        query.explains = message.explain != 0
        return query
    }
}

extension DeviceCount {
    /// - Parameter keyCount: How many values each group must have.
    /// - Throws: ``WireValueError`` naming a field that is out of its range.
    package init(
        from message: UnsafePointer<Rollcall__V1__CountDevicesResponse>, keyCount: Int
    ) throws(WireValueError) {
        let message = message.pointee
        self.init(count: message.count, groups: [], otherCount: message.other_count)
        self.groups.reserveCapacity(message.n_groups)
        for group in elements(message.groups, count: message.n_groups) {
            guard group.pointee.n_values == keyCount else {
                throw WireValueError("groups.values", "has \(group.pointee.n_values) values for \(keyCount) keys")
            }
            guard keyCount <= Limits.groupKeyCountMax else {
                throw WireValueError("groups.values", "has more values than the \(Limits.groupKeyCountMax) of a group")
            }
            var values = GroupValues()
            for value in elements(group.pointee.values, count: group.pointee.n_values) {
                values.append(try GroupValue(from: value))
            }
            self.groups.append(DeviceGroup(values: values, count: group.pointee.count))
        }
        if let explanation = message.explanation {
            self.explanation = try QueryExplanation(from: explanation)
        }
    }
}

extension GroupValue {
    /// - Throws: ``WireValueError`` where it is an unknown activity.
    fileprivate init(from message: UnsafePointer<Rollcall__V1__GroupValue>) throws(WireValueError) {
        switch message.pointee.kind_case {
        case ROLLCALL__V1__GROUP_VALUE__KIND_STRING_VALUE: self = .text(message.pointee.string_value.string)
        case ROLLCALL__V1__GROUP_VALUE__KIND_INT_VALUE: self = .int(message.pointee.int_value)
        case ROLLCALL__V1__GROUP_VALUE__KIND_FLOAT_VALUE: self = .float(message.pointee.float_value)
        case ROLLCALL__V1__GROUP_VALUE__KIND_BOOL_VALUE: self = .bool(message.pointee.bool_value != 0)
        case ROLLCALL__V1__GROUP_VALUE__KIND_ACTIVITY_VALUE:
            guard let activity = Activity(message.pointee.activity_value) else {
                throw WireValueError(
                    "groups.values.activity_value",
                    "is \(message.pointee.activity_value.rawValue), which is not an activity")
            }
            self = .activity(activity)
        default: self = .none
        }
    }
}
