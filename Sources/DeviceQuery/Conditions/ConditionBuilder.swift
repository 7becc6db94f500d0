// From what a caller asks to what the engine tests.

internal import DeviceModel

/// Turns filters into conditions on one fleet.
///
/// - Complexity: O(values named) look-ups, and at most ``codeCountMax`` texts looked at for a comparison of texts.
struct ConditionBuilder {
    let fleet: UnsafePointer<Fleet>
    /// What the store's etags begin with.
    let storeTag: UInt32

    /// A comparison that more texts of a dictionary may pass is asked of each row's text instead.
    let codeCountMax: Int

    /// - Parameter termCount: how many comparisons share the texts that may be looked at.
    init(fleet: UnsafePointer<Fleet>, storeTag: UInt32, termCount: Int) {
        self.fleet = fleet
        self.storeTag = storeTag
        self.codeCountMax = 8_192 / max(termCount, 2)
    }

    /// Everything that `filter` asks, its text given as a tree.
    func condition(
        _ filter: DeviceFilter, _ expression: FilterExpression?, window: Int64, now: Timestamp
    ) -> Condition {
        // Each part but the expression asks about something else: there is nothing to be joined.
        var condition = Condition.always
        let seen = SeenRange(filter, window: window, now: now)
        if seen.isEmpty { return .never }
        if !seen.isEverything { condition.add(.test(.number(.lastSeen, seen.bounds))) }
        if !filter.ownerRefs.isEmpty { condition.add(self.values(.owner, filter.ownerRefs)) }
        if !filter.hardwareVersions.isEmpty { condition.add(self.values(.hardware, filter.hardwareVersions)) }
        if !filter.cohorts.isEmpty { condition.add(self.values(.cohort, filter.cohorts)) }
        if !filter.releases.isEmpty { condition.add(self.values(.release, filter.releases)) }
        if !filter.deviceSerials.isEmpty { condition.add(self.serials(filter.deviceSerials)) }
        guard let expression else { return condition }
        return self.recounted(.every(condition.conjuncts + [self.condition(expression, isNegated: false)]))
    }

    /// Rows that have one of the values.
    private func values(_ field: DictionaryField, _ values: [String]) -> Condition {
        if values.count == 1 {
            return self.codes(field, values[0].withBytes { self.codes(field, $0) })
        }
        var codes: [UInt32] = []
        codes.reserveCapacity(values.count)
        guard field == .release else {
            self.fleet.pointee.appendCodes(of: values, in: field, to: &codes)
            return self.codes(field, consume codes)
        }
        self.fleet.pointee.versions.appendCodes(of: values, to: &codes)
        // A version's first release takes its place, and others, which few versions have, come at the end.
        for place in codes.indices {
            let version = Int(codes[place])
            codes[place] = self.fleet.pointee.releasesOfVersion[version][0]
            let count = self.fleet.pointee.releasesOfVersion[version].count
            for index in 1..<count { codes.append(self.fleet.pointee.releasesOfVersion[version][index]) }
        }
        return self.codes(field, consume codes)
    }

    private func condition(_ expression: FilterExpression, isNegated: Bool) -> Condition {
        switch expression {
        case .all(let parts), .any(let parts):
            let conditions = parts.map { self.condition($0, isNegated: isNegated) }
            if case .all = expression, !isNegated { return .every(conditions) }
            if case .any = expression, isNegated { return .every(conditions) }
            return .some(conditions)
        case .not(let inner):
            return self.condition(inner, isNegated: !isNegated)
        case .presence(let field):
            let condition = self.presence(field)
            return isNegated ? condition.negated : condition
        case .comparison(let field, let comparison, let operand):
            var condition: Condition
            if comparison == .notEqual {
                // A missing value differs from nothing.
                let equal = self.comparison(field, .equal, operand)
                condition = .every([self.existence(field), equal.negated])
            } else {
                condition = self.comparison(field, comparison, operand)
            }
            if isNegated { condition = condition.negated }
            return condition
        }
    }

    // MARK: Presence

    /// What `x:*` asks: an empty text is no value where the field may be empty.
    private func presence(_ field: FilterField) -> Condition {
        switch field {
        case .ownerRef: self.text(.ownerRef, .equal([])).negated
        case .releaseRevision: .every([.test(.released), self.text(.releaseRevision, .equal([])).negated])
        default: self.existence(field)
        }
    }

    /// Whether a comparison has something to compare.
    private func existence(_ field: FilterField) -> Condition {
        switch field {
        case .lastSeen: .test(.number(.lastSeen, (NumberField.missing + 1)...(.max)))
        case .releaseID, .releaseVersion, .releaseRevision: .test(.released)
        case .attribute(let record): self.attribute(record, .present)
        case .id, .createdDate, .updatedDate, .deviceSerial, .ownerRef, .hardwareVersion, .cohortID, .cohortSlug,
            .cohortName, .etag:
            .always
        }
    }

    // MARK: Comparisons

    /// Any comparison but `!=`.
    private func comparison(
        _ field: FilterField, _ comparison: FilterOperator, _ operand: FilterOperand
    ) -> Condition {
        switch field {
        case .id: self.number(.id, comparison, operand)
        case .createdDate: self.number(.createdDate, comparison, operand)
        case .updatedDate: self.number(.updatedDate, comparison, operand)
        case .lastSeen: self.number(.lastSeen, comparison, operand)
        case .releaseID: self.number(.releaseID, comparison, operand)
        case .cohortID: self.number(.cohortID, comparison, operand)
        case .deviceSerial: self.text(.deviceSerial, TextMatch(comparison, operand))
        case .ownerRef: self.text(.ownerRef, TextMatch(comparison, operand))
        case .hardwareVersion: self.text(.hardwareVersion, TextMatch(comparison, operand))
        case .releaseVersion: self.text(.releaseVersion, TextMatch(comparison, operand))
        case .releaseRevision: self.text(.releaseRevision, TextMatch(comparison, operand))
        case .cohortSlug: self.text(.cohortSlug, TextMatch(comparison, operand))
        case .cohortName: self.text(.cohortName, TextMatch(comparison, operand))
        case .etag: self.etag(operand)
        case .attribute(let record): self.attribute(record, comparison, operand)
        }
    }

    private func number(
        _ field: NumberField, _ comparison: FilterOperator, _ operand: FilterOperand
    ) -> Condition {
        guard let range = Self.range(comparison, operand) else { return .never }
        let bounds = range.clamped(to: (NumberField.missing + 1)...(.max))
        return range.upperBound == NumberField.missing ? .never : .test(.number(field, bounds))
    }

    private func etag(_ operand: FilterOperand) -> Condition {
        guard case .text(let text) = operand, let revision = Etag.revision(of: text, storeTag: self.storeTag) else {
            return .never
        }
        return .test(.number(.etagRevision, revision.rawValue...revision.rawValue))
    }

    private func attribute(
        _ record: AttributeKeyRecord, _ comparison: FilterOperator, _ operand: FilterOperand
    ) -> Condition {
        switch operand {
        case .text, .pattern: self.attribute(record, .text(TextMatch(comparison, operand)))
        case .integer, .bool, .time: self.attribute(record, Self.range(comparison, operand).map(AttributeTest.range))
        case .float(let value):
            self.attribute(
                record,
                (record.metric.dataType == .float
                    ? Self.range(comparison, value.sortValue) : Self.range(comparison, operand))
                    .map(AttributeTest.range))
        }
    }

    private func attribute(_ record: AttributeKeyRecord, _ test: AttributeTest?) -> Condition {
        guard let test, let key = self.fleet.pointee.attributeKeys.index(id: record.id) else { return .never }
        return .test(.attribute(key: key, test))
    }

    // MARK: Ranges of numbers

    private static func range(_ comparison: FilterOperator, _ operand: FilterOperand) -> ClosedRange<Int64>? {
        switch operand {
        case .integer(let value): return self.range(comparison, value)
        case .time(let time): return self.range(comparison, time.microseconds)
        case .bool(let value): return value ? 1...1 : 0...0
        case .float(let value):
            // An integer is compared with a number between two integers, or beyond all of them.
            let (floor, ceiling) = (value.rounded(.down), value.rounded(.up))
            switch comparison {
            case .equal, .notEqual:
                return floor == value ? Int64(exactly: value).map { $0...$0 } : nil
            case .less: return floor == value ? self.below(value, orEqual: false) : self.below(floor, orEqual: true)
            case .lessOrEqual: return self.below(floor, orEqual: true)
            case .greater:
                return floor == value ? self.above(value, orEqual: false) : self.above(ceiling, orEqual: true)
            case .greaterOrEqual: return self.above(ceiling, orEqual: true)
            }
        case .text, .pattern:
            preconditionFailure("a number is compared with a number")
        }
    }

    /// Integers below a whole number.
    private static func below(_ value: Double, orEqual: Bool) -> ClosedRange<Int64>? {
        guard let bound = Int64(exactly: value) else { return value > 0 ? .min ... .max : nil }
        return self.range(orEqual ? .lessOrEqual : .less, bound)
    }

    private static func above(_ value: Double, orEqual: Bool) -> ClosedRange<Int64>? {
        guard let bound = Int64(exactly: value) else { return value < 0 ? .min ... .max : nil }
        return self.range(orEqual ? .greaterOrEqual : .greater, bound)
    }

    private static func range(_ comparison: FilterOperator, _ value: Int64) -> ClosedRange<Int64>? {
        switch comparison {
        case .equal, .notEqual: value...value
        case .less: value == .min ? nil : .min...(value - 1)
        case .lessOrEqual: .min...value
        case .greater: value == .max ? nil : (value + 1)...(.max)
        case .greaterOrEqual: value...(.max)
        }
    }
}

extension Condition {
    /// The opposite. - Complexity: O(size).
    var negated: Condition {
        switch self {
        case .always: .never
        case .never: .always
        case .test(let test, let isNegated): .test(test, isNegated: !isNegated)
        case .all(let parts): .some(parts.map(\.negated))
        case .any(let parts): .every(parts.map(\.negated))
        }
    }
}

extension TextMatch {
    /// Any comparison but `!=`.
    init(_ comparison: FilterOperator, _ operand: FilterOperand) {
        switch (operand, comparison) {
        case (.pattern(let pattern), _): self = .pattern(pattern)
        case (.text(let text), .less): self = .less(Array(text.utf8), orEqual: false)
        case (.text(let text), .lessOrEqual): self = .less(Array(text.utf8), orEqual: true)
        case (.text(let text), .greater): self = .greater(Array(text.utf8), orEqual: false)
        case (.text(let text), .greaterOrEqual): self = .greater(Array(text.utf8), orEqual: true)
        case (.text(let text), .equal), (.text(let text), .notEqual): self = .equal(Array(text.utf8))
        case (.integer, _), (.float, _), (.bool, _), (.time, _):
            preconditionFailure("a text is compared with a text")
        }
    }
}
