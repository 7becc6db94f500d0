// Setting and unsetting attributes: planned whole, then installed, so that all of them change or none.

internal import DeviceModel
internal import DeviceQuery
internal import FoundationEssentials

/// What a set of updates comes to for one device.
struct AttributePlan {
    /// A key by its record, or one that is to be created.
    enum Key {
        case known(AttributeKeyRecord)
        case new(text: String, dataType: DataType)
    }

    struct Step {
        let key: Key
        let state: Transition<AttributeState>
    }

    var steps: [Step] = []
    /// What the device has before.
    var states: AttributeStates = [:]
}

extension PendingGroup {
    mutating func updateAttributes(
        _ update: AttributesUpdate, in project: ProjectRecord, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> (MutationOutcome, DeviceID) {
        guard let device = self.findDevice(update.serial, in: project.id, index) else {
            throw .deviceNotFound(update.serial, project: project.slug)
        }
        try self.check(update.etag, of: device)
        var check = FieldCheck()
        let plan = try self.plan(
            update.updates, mode: update.mode, of: device, defaultTime: nil, in: project.id, &check, index)
        guard !plan.steps.isEmpty else {
            return (self.attributesOutcome(of: device, in: project.id, index), device.id)
        }
        let moved = self.moved(device, to: device.fields)
        let (changes, states) = self.realise(plan, in: project.id)
        let change = DeviceChange(
            revision: self.nextRevision, kind: .changed, project: project.id, device: device.id,
            serial: device.serial, createdDate: device.createdDate,
            fields: Transition(before: device.fields, after: moved.fields),
            attributes: changes)
        self.install(change, after: moved, attributes: states)
        return (self.attributesOutcome(of: moved, in: project.id, index), device.id)
    }

    /// Every attribute of the device in the order of keys, with its etag.
    mutating func attributesOutcome(
        of device: WorkingDevice, in project: ProjectID, _ index: borrowing RegistryIndex
    ) -> MutationOutcome {
        var attributes: [Attribute] = []
        for (id, state) in self.attributeStates(of: device.id, in: project, index) {
            guard let key = self.attributeKey(id: id, in: project, index) else {
                preconditionFailure("Every attribute has a key of its project.")
            }
            attributes.append(Attribute(customMetric: key.metric, state: state))
        }
        attributes.sort {
            CustomMetric.folded($0.customMetric.stringKey) < CustomMetric.folded($1.customMetric.stringKey)
        }
        return .attributes(attributes, etag: self.etag(of: device))
    }

    /// Checks every update against the project's keys and the device's values.
    ///
    /// - Parameters:
    ///   - device: nil for one that is about to be created.
    ///   - check: the bad fields found before, which are refused with those found here.
    ///   - defaultTime: the time of a value that brings none; nil means now, or the stored value's time if that is later.
    /// - Throws: INVALID_ARGUMENT with every bad field, or RESOURCE_EXHAUSTED.
    mutating func plan(
        _ updates: [AttributeUpdate],
        mode: AttributesUpdate.Mode,
        of device: WorkingDevice?,
        defaultTime: Timestamp?,
        in project: ProjectID,
        _ check: inout FieldCheck,
        _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> AttributePlan {
        var plan = AttributePlan()
        if let device, !updates.isEmpty || mode == .replace {
            plan.states = self.attributeStates(of: device.id, in: project, index)
        }
        let date = device.map { max(self.now, $0.fields.updatedDate) } ?? self.now
        var mismatchCount = 0
        var kept: Set<AttributeKeyID> = []
        for (position, update) in updates.enumerated() {
            let field = "attributes[\(position)]"
            if let time = update.time {
                self.checkTime(time, field: "\(field).time", &check)
            }
            let known = self.findAttributeKey(update.key, in: project, index)
            let stored = known.flatMap { plan.states[$0.id] }
            guard var value = update.value else {
                if let known, let stored, update.time.map({ $0 >= stored.time }) ?? true {
                    plan.steps.append(.init(key: .known(known), state: Transition(before: stored, after: nil)))
                }
                continue
            }
            if let known {
                kept.insert(known.id)
                if known.metric.dataType == .float, case .int(let number) = value {
                    value = .float(Double(number))
                }
                guard known.metric.dataType == value.dataType else {
                    mismatchCount += 1
                    check.refuse(
                        "\(field).value",
                        "must be \(known.metric.dataType), the type of key \(quoted(known.metric.stringKey)), not \(value.dataType)"
                    )
                    continue
                }
            }
            guard let state = self.state(value, update.time ?? defaultTime, date: date, over: stored) else { continue }
            let key = known.map(AttributePlan.Key.known) ?? .new(text: update.key, dataType: value.dataType)
            plan.steps.append(.init(key: key, state: Transition(before: stored, after: state)))
        }
        guard check.violations.isEmpty else {
            let isMismatch = mismatchCount == check.violations.count
            throw RegistryError(
                InvalidFields(check.violations), reason: isMismatch ? .attributeTypeMismatch : .fieldInvalid)
        }
        if mode == .replace {
            try self.unsetOthers(than: kept, in: project, &plan, index)
        }
        try self.checkCounts(plan, in: project, index)
        return plan
    }

    /// Creates the keys that are new and gives the plan's changes with the states after them.
    mutating func realise(
        _ plan: AttributePlan, in project: ProjectID
    ) -> (changes: [AttributeChange], states: AttributeStates) {
        var states = plan.states
        let changes = plan.steps.map { step in
            let id: AttributeKeyID
            switch step.key {
            case .known(let record):
                id = record.id
            case .new(let text, let dataType):
                let metric = CustomMetric(id: UUID(), stringKey: text, dataType: dataType)
                id = self.createAttributeKey(metric, in: project).id
            }
            states[id] = step.state.after
            return AttributeChange(key: id, state: step.state)
        }
        return (changes, states)
    }

    /// Refuses a time before 1970, or further ahead of the server's clock than the limit.
    func checkTime(_ time: Timestamp, field: String, _ check: inout FieldCheck) {
        if time < .epoch {
            check.refuse(field, "must not be before 1970, but is \(time)")
        } else if time > self.now.advanced(byMicroseconds: self.limits.clockSkewMicrosecondsMax) {
            let seconds = self.limits.clockSkewMicrosecondsMax / 1_000_000
            check.refuse(
                field, "must be at most \(seconds) seconds ahead of the server's clock (\(self.now)), but is \(time)")
        }
    }

    /// The state that a value makes, or nil where it is older than what is stored or changes nothing.
    ///
    /// - Parameter date: the device's own present, before which none of its attributes comes to be.
    private func state(
        _ value: AttributeValue, _ time: Timestamp?, date: Timestamp, over stored: AttributeState?
    ) -> AttributeState? {
        guard let stored else {
            return AttributeState(value: value, time: time ?? self.now, createdDate: date, updatedDate: date)
        }
        let time = time ?? max(self.now, stored.time)
        guard time > stored.time || time == stored.time && value != stored.value else { return nil }
        return AttributeState(
            value: value, time: time, createdDate: stored.createdDate, updatedDate: max(date, stored.updatedDate))
    }

    private func unsetOthers(
        than kept: Set<AttributeKeyID>, in project: ProjectID, _ plan: inout AttributePlan,
        _ index: borrowing RegistryIndex
    ) throws(RegistryError) {
        let unset = Set(
            plan.steps.compactMap { step -> AttributeKeyID? in
                guard case .known(let record) = step.key, step.state.after == nil else { return nil }
                return record.id
            })
        for (id, state) in plan.states.sorted(by: { $0.key < $1.key }) where !kept.contains(id) && !unset.contains(id) {
            guard let record = self.attributeKey(id: id, in: project, index) else {
                preconditionFailure("Every attribute has a key of its project.")
            }
            plan.steps.append(.init(key: .known(record), state: Transition(before: state, after: nil)))
        }
    }

    private mutating func checkCounts(
        _ plan: AttributePlan, in project: ProjectID, _ index: borrowing RegistryIndex
    ) throws(RegistryError) {
        var count = plan.states.count
        var newKeyCount = 0
        for step in plan.steps {
            count += (step.state.after == nil ? 0 : 1) - (step.state.before == nil ? 0 : 1)
            if case .new = step.key { newKeyCount += 1 }
        }
        if count > plan.states.count, count > self.limits.attributeKeyCountMaxPerDevice {
            throw RegistryError(
                .resourceExhausted, .limitExceeded,
                """
                A device holds at most \(self.limits.attributeKeyCountMaxPerDevice) attributes; this would make \(count) \
                (attribute_keys_per_device).
                """
            )
        }
        let keyCount = self.attributeKeyCount(in: project, index) + newKeyCount
        if newKeyCount > 0, keyCount > self.limits.attributeKeyCountMaxPerProject {
            throw RegistryError(
                .resourceExhausted, .limitExceeded,
                """
                A project has at most \(self.limits.attributeKeyCountMaxPerProject) attribute keys; this would make \(keyCount) \
                (attribute_keys_per_project).
                """
            )
        }
    }
}
