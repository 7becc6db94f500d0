// How one device's change lies in the change log.
//
// A record is a version byte (1), the kind, a byte of flags, project, serial and created_date, then the values that the
// flags announce: fields before and after, sighting before and after, attributes. Revision and device are columns of
// the
// row. A format that changes gets another version byte; the old one stays readable, for a log outlives the program.

internal import DeviceModel

/// Which parts a record has.
private struct Parts: OptionSet {
    var rawValue: UInt8

    static let fields = Parts(rawValue: 1 << 0)
    static let fieldsBefore = Parts(rawValue: 1 << 1)
    static let fieldsAfter = Parts(rawValue: 1 << 2)
    static let sighting = Parts(rawValue: 1 << 3)
    static let sightingBefore = Parts(rawValue: 1 << 4)
    static let sightingAfter = Parts(rawValue: 1 << 5)
    static let attributes = Parts(rawValue: 1 << 6)
    static let all = Parts(rawValue: 0x7F)
}

private let formatVersion: UInt8 = 1

extension RecordWriter {
    /// Appends `change` without its revision and device.
    mutating func change(_ change: borrowing DeviceChange) {
        var parts: Parts = []
        if let fields = change.fields {
            parts.insert(.fields)
            if fields.before != nil { parts.insert(.fieldsBefore) }
            if fields.after != nil { parts.insert(.fieldsAfter) }
        }
        if let sighting = change.sighting {
            parts.insert(.sighting)
            if sighting.before != nil { parts.insert(.sightingBefore) }
            if sighting.after != nil { parts.insert(.sightingAfter) }
        }
        if !change.attributes.isEmpty { parts.insert(.attributes) }

        self.byte(formatVersion)
        self.byte(change.kind.rawValue)
        self.byte(parts.rawValue)
        self.signed(change.project.rawValue)
        self.text(change.serial)
        self.time(change.createdDate)
        if let fields = change.fields?.before { self.fields(fields) }
        if let fields = change.fields?.after { self.fields(fields) }
        if let sighting = change.sighting?.before { self.sighting(sighting) }
        if let sighting = change.sighting?.after { self.sighting(sighting) }
        if parts.contains(.attributes) {
            self.unsigned(UInt64(change.attributes.count))
            for attribute in change.attributes {
                self.attribute(attribute)
            }
        }
    }

    private mutating func fields(_ fields: DeviceFields) {
        self.text(fields.ownerRef)
        self.text(fields.hardwareVersion)
        self.signed(fields.cohort.rawValue)
        self.time(fields.updatedDate)
        self.signed(fields.etagRevision.rawValue)
    }

    private mutating func sighting(_ sighting: Sighting) {
        self.byte((sighting.lastSeen == nil ? 0 : 1) | (sighting.release == nil ? 0 : 2))
        if let lastSeen = sighting.lastSeen { self.time(lastSeen) }
        if let release = sighting.release { self.signed(release.rawValue) }
    }

    private mutating func attribute(_ attribute: AttributeChange) {
        self.signed(attribute.key.rawValue)
        self.byte((attribute.state.before == nil ? 0 : 1) | (attribute.state.after == nil ? 0 : 2))
        if let state = attribute.state.before { self.state(state) }
        if let state = attribute.state.after { self.state(state) }
    }

    private mutating func state(_ state: AttributeState) {
        self.byte(state.value.dataType.rawValue)
        switch state.value {
        case .int(let value): self.signed(value)
        case .float(let value): self.fixed(value.bitPattern)
        case .bool(let value): self.byte(value ? 1 : 0)
        case .string(let value): self.text(value)
        }
        self.time(state.time)
        self.time(state.createdDate)
        self.time(state.updatedDate)
    }
}

extension DeviceChange {
    /// Reads the record of `device` at `revision`.
    ///
    /// - Throws: `MalformedRecord` for anything that ``RecordWriter/change(_:)`` does not write.
    init(record: UnsafeRawBufferPointer, revision: Revision, device: DeviceID) throws(MalformedRecord) {
        var reader = RecordReader(record)
        guard try reader.byte() == formatVersion else { throw reader.malformed("the record's format is unknown") }
        guard let kind = Kind(rawValue: try reader.byte()) else { throw reader.malformed("the kind is unknown") }
        let parts = Parts(rawValue: try reader.byte())
        guard parts.isSubset(of: .all) else { throw reader.malformed("a part is unknown") }
        self.init(
            revision: revision,
            kind: kind,
            project: ProjectID(rawValue: try reader.signed()),
            device: device,
            serial: try reader.text(),
            createdDate: try reader.time()
        )
        if parts.contains(.fields) {
            let before = parts.contains(.fieldsBefore) ? try reader.fields() : nil
            self.fields = Transition(before: before, after: parts.contains(.fieldsAfter) ? try reader.fields() : nil)
        }
        if parts.contains(.sighting) {
            let before = parts.contains(.sightingBefore) ? try reader.sighting() : nil
            self.sighting = Transition(
                before: before, after: parts.contains(.sightingAfter) ? try reader.sighting() : nil)
        }
        if parts.contains(.attributes) {
            // Nothing is reserved by this count: a hostile one runs out of bytes instead of memory.
            for _ in 0..<(try reader.unsigned()) {
                self.attributes.append(try reader.attribute())
            }
        }
        guard reader.isAtEnd else { throw reader.malformed("bytes follow the record") }
    }
}

extension RecordReader {
    fileprivate mutating func fields() throws(MalformedRecord) -> DeviceFields {
        DeviceFields(
            ownerRef: try self.text(),
            hardwareVersion: try self.text(),
            cohort: CohortID(rawValue: try self.signed()),
            updatedDate: try self.time(),
            etagRevision: Revision(rawValue: try self.signed())
        )
    }

    fileprivate mutating func sighting() throws(MalformedRecord) -> Sighting {
        let presence = try self.presence()
        return Sighting(
            lastSeen: presence.first ? try self.time() : nil,
            release: presence.second ? ReleaseID(rawValue: try self.signed()) : nil
        )
    }

    fileprivate mutating func attribute() throws(MalformedRecord) -> AttributeChange {
        let key = AttributeKeyID(rawValue: try self.signed())
        let presence = try self.presence()
        let before = presence.first ? try self.state() : nil
        return AttributeChange(
            key: key, state: Transition(before: before, after: presence.second ? try self.state() : nil))
    }

    private mutating func presence() throws(MalformedRecord) -> (first: Bool, second: Bool) {
        let bits = try self.byte()
        guard bits <= 3 else { throw self.malformed("a part is unknown") }
        return (bits & 1 != 0, bits & 2 != 0)
    }

    private mutating func state() throws(MalformedRecord) -> AttributeState {
        AttributeState(
            value: try self.value(), time: try self.time(), createdDate: try self.time(), updatedDate: try self.time())
    }

    private mutating func value() throws(MalformedRecord) -> AttributeValue {
        switch DataType(rawValue: try self.byte()) {
        case .int: return .int(try self.signed())
        case .float:
            let value = Double(bitPattern: try self.fixed())
            guard value.isFinite else { throw self.malformed("a number is not finite") }
            return .float(value)
        case .bool:
            let value = try self.byte()
            guard value <= 1 else { throw self.malformed("a truth value is neither 0 nor 1") }
            return .bool(value == 1)
        case .string: return .string(try self.text())
        case nil: throw self.malformed("the type of a value is unknown")
        }
    }
}
