// Whether a filter matches a device that need not be in the index any more, or not yet.

package import DeviceModel

/// A filter asked of one device at a time, as it is or as it was.
///
/// It says of a device what a list with the same filter would, had it been made at that moment. What changes without a change
/// of a device is not to be asked: activity, which depends on the present, and the names of cohorts.
package struct DeviceMatcher: Sendable {
    private let releases: Set<ExactText>
    private let ownerRefs: Set<ExactText>
    private let hardwareVersions: Set<ExactText>
    private let cohorts: Set<ExactText>
    private let serials: Set<ExactText>
    private let since: Timestamp?
    private let until: Timestamp?
    private let expression: FilterExpression?

    /// - Throws: every bad field of the filter at once.
    package init(
        _ filter: DeviceFilter, in project: ProjectID, of index: borrowing RegistryIndex
    ) throws(InvalidFields) {
        guard let fleet = index.fleet(project) else {
            preconditionFailure("a filter is made for a project that does not exist")
        }
        var check = FieldCheck()
        check.filter(filter, valueCountMax: index.limits.filterValueCountMax)
        self.expression = check.expression(filter, in: fleet, of: index)
        if filter.activity != nil {
            check.refuse(
                "activity",
                "cannot be watched, for it changes with the time and not with the device; use last_seen_since")
        }
        if self.expression?.asksCohortNames ?? false {
            check.refuse(
                "filter",
                "asks for cohort.name, which changes without the devices in it and cannot be watched; use cohort")
        }
        try check.finish()
        self.releases = Set(filter.releases.map(ExactText.init))
        self.ownerRefs = Set(filter.ownerRefs.map(ExactText.init))
        self.hardwareVersions = Set(filter.hardwareVersions.map(ExactText.init))
        self.cohorts = Set(filter.cohorts.map(ExactText.init))
        self.serials = Set(filter.deviceSerials.map(ExactText.init))
        self.since = filter.lastSeenSince
        self.until = filter.lastSeenUntil
    }

    /// Every bad field of a filter that is to be asked of one device at a time.
    package static func violations(
        of filter: DeviceFilter, in project: ProjectID, of index: borrowing RegistryIndex
    ) -> [FieldViolation] {
        do throws(InvalidFields) {
            _ = try DeviceMatcher(filter, in: project, of: index)
            return []
        } catch {
            return error.violations
        }
    }

    /// Whether it asks for the attributes of devices, which must then be given with them.
    package var asksAttributes: Bool {
        self.expression?.asksAttributes ?? false
    }

    /// Whether there is nothing that a device has to be.
    package var matchesAll: Bool {
        self.releases.isEmpty && self.ownerRefs.isEmpty && self.hardwareVersions.isEmpty && self.cohorts.isEmpty
            && self.serials.isEmpty && self.since == nil && self.until == nil && self.expression == nil
    }

    /// - Complexity: O(terms of the filter), each with the length of the text that it asks for.
    package func matches(_ device: Device) -> Bool {
        Self.allows(self.releases, device.lastSeenRelease?.version) && Self.allows(self.ownerRefs, device.ownerRef)
            && Self.allows(self.hardwareVersions, device.hardwareVersion)
            && Self.allows(self.cohorts, device.cohort.slug) && Self.allows(self.serials, device.deviceSerial)
            && self.isSeenInTime(device) && (self.expression?.holds(for: device) ?? true)
    }

    private static func allows(_ values: Set<ExactText>, _ value: String?) -> Bool {
        values.isEmpty || value.map { values.contains(ExactText(text: $0)) } ?? false
    }

    private func isSeenInTime(_ device: Device) -> Bool {
        guard self.since != nil || self.until != nil else { return true }
        guard let lastSeen = device.lastSeen else { return false }
        return self.since.map { lastSeen > $0 } ?? true && self.until.map { lastSeen < $0 } ?? true
    }
}

/// A text that is told apart by its bytes.
private struct ExactText: Hashable {
    let text: String

    static func == (left: Self, right: Self) -> Bool {
        left.text.hasSameBytes(as: right.text)
    }

    func hash(into hasher: inout Hasher) {
        self.text.hashBytes(into: &hasher)
    }
}

// MARK: - Expressions

extension FilterExpression {
    fileprivate var asksAttributes: Bool {
        switch self {
        case .all(let parts), .any(let parts): parts.contains(where: \.asksAttributes)
        case .not(let part): part.asksAttributes
        case .comparison(.attribute, _, _), .presence(.attribute): true
        case .comparison, .presence: false
        }
    }

    fileprivate func holds(for device: Device) -> Bool {
        switch self {
        case .all(let parts): return parts.allSatisfy { $0.holds(for: device) }
        case .any(let parts): return parts.contains { $0.holds(for: device) }
        case .not(let part): return !part.holds(for: device)
        case .presence(let field): return device.value(of: field)?.isPresent(as: field) ?? false
        case .comparison(let field, let comparator, let operand):
            guard let value = device.value(of: field) else { return false }
            if case .text(let text) = value, case .pattern(let pattern) = operand {
                var text = text
                let isMatch = text.withUTF8 { pattern.matches(UnsafeRawBufferPointer($0)) }
                return comparator == .equal ? isMatch : !isMatch
            }
            return comparator.holds(value.order(to: operand))
        }
    }
}

extension FilterOperator {
    /// Whether it holds of a value that stands before (below zero), at or after (above) what it is compared with.
    fileprivate func holds(_ order: Int) -> Bool {
        switch self {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }
}

/// A value of a device as filters compare it.
private enum DeviceValue {
    case integer(Int64)
    case float(Double)
    case bool(Bool)
    case text(String)
    case time(Timestamp)

    /// An empty owner or revision is a value to compare with, and yet none to have.
    func isPresent(as field: FilterField) -> Bool {
        guard field == .ownerRef || field == .releaseRevision, case .text(let text) = self else { return true }
        return !text.isEmpty
    }

    /// Below zero where the value comes before the operand, above where it comes after.
    ///
    /// - Precondition: the operand is one that the value's field takes.
    func order(to operand: FilterOperand) -> Int {
        switch (self, operand) {
        case (.integer(let left), .integer(let right)): order(left, right)
        case (.integer(let left), .float(let right)): order(left, right)
        case (.float(let left), .float(let right)): order(left, right)
        case (.bool(let left), .bool(let right)): left == right ? 0 : 1
        case (.text(let left), .text(let right)): order(left, right)
        case (.time(let left), .time(let right)): order(left, right)
        default: preconditionFailure("a filter compares a field with what it does not take")
        }
    }

    private func order<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
        left == right ? 0 : left < right ? -1 : 1
    }

    private func order(_ left: String, _ right: String) -> Int {
        if left.hasSameBytes(as: right) { return 0 }
        return left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
    }

    /// Exact, though not every integer is a `Double`.
    private func order(_ left: Int64, _ right: Double) -> Int {
        guard let floor = Int64(exactly: right.rounded(.down)) else { return right < 0 ? 1 : -1 }
        guard left == floor else { return left < floor ? -1 : 1 }
        return right > right.rounded(.down) ? -1 : 0
    }
}

extension Device {
    /// The value of a field; nil where the device has none.
    fileprivate func value(of field: FilterField) -> DeviceValue? {
        switch field {
        case .id: .integer(self.id)
        case .createdDate: .time(self.createdDate)
        case .updatedDate: .time(self.updatedDate)
        case .deviceSerial: .text(self.deviceSerial)
        case .ownerRef: .text(self.ownerRef)
        case .hardwareVersion: .text(self.hardwareVersion)
        case .lastSeen: self.lastSeen.map { .time($0) }
        case .releaseID: self.lastSeenRelease.map { .integer($0.id) }
        case .releaseVersion: self.lastSeenRelease.map { .text($0.version) }
        case .releaseRevision: self.lastSeenRelease.map { .text($0.revision) }
        case .cohortID: .integer(self.cohort.id)
        case .cohortSlug: .text(self.cohort.slug)
        case .cohortName: .text(self.cohort.name)
        case .etag: .text(self.etag)
        case .attribute(let key): self.value(of: key.metric)
        }
    }

    private func value(of metric: CustomMetric) -> DeviceValue? {
        switch self.attributes.first(where: { $0.customMetric.id == metric.id })?.state.value {
        case .int(let value): .integer(value)
        case .float(let value): .float(value)
        case .bool(let value): .bool(value)
        case .string(let value): .text(value)
        case nil: nil
        }
    }
}
