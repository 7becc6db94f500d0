// From the wire to JSON.

package import Descriptors
package import JSONText
internal import ProtobufC

extension MessageCodec {
    /// A message as JSON, its fields in the proto file's order.
    ///
    /// - Throws: ``MessageError`` where the bytes are no message of the type, or JSON has no form for a value of it.
    package func json(of bytes: ArraySlice<UInt8>, as type: MessageDescriptor) throws(MessageError) -> JSON {
        try self.json(of: bytes, as: type, depth: 1)
    }

    private func json(
        of bytes: ArraySlice<UInt8>, as type: MessageDescriptor, depth: Int
    ) throws(MessageError) -> JSON {
        guard depth <= Self.depthMax else {
            throw MessageError("Messages are nested more than \(Self.depthMax) deep.")
        }
        switch WellKnownType(type) {
        case .any: return try self.anyJSON(of: bytes, depth: depth)
        case .duration: return try Self.durationJSON(of: bytes)
        case .fieldMask: return try Self.fieldMaskJSON(of: bytes)
        case .timestamp: return try Self.timestampJSON(of: bytes)
        case nil: return .object(try self.members(of: bytes, as: type, depth: depth))
        }
    }

    private func members(
        of bytes: ArraySlice<UInt8>, as type: MessageDescriptor, depth: Int
    ) throws(MessageError) -> [(name: String, value: JSON)] {
        let alternatives = type.fields.compactMap { field in field.oneofIndex.map { (field.number, $0) } }
        let fields = try FieldValues(bytes, oneofs: Dictionary(alternatives, uniquingKeysWith: { $1 }))
        var members: [(name: String, value: JSON)] = []
        for field in type.fields {
            let values = fields[field.number]
            guard !values.isEmpty else { continue }
            if let value = try self.json(of: values, in: field, depth: depth) {
                members.append((field.name, value))
            }
        }
        return members
    }

    /// What a field holds; nil where that is its default.
    private func json(
        of values: [WireField.Value], in field: FieldDescriptor, depth: Int
    ) throws(MessageError) -> JSON? {
        if field.isRepeated {
            if field.kind == .message, case let entry = self.pool.message(of: field), entry.isMapEntry {
                return try self.mapJSON(of: values, in: field, entry, depth: depth)
            }
            var elements: [JSON] = []
            for value in try Self.unpacked(values, in: field) {
                elements.append(try self.element(value, in: field, depth: depth))
            }
            return elements.isEmpty ? nil : .array(elements)
        }
        guard field.kind != .message else {
            // Parts of one message, of which a sender may make several, are one after the other the message.
            var whole: ArraySlice<UInt8> = []
            for value in values {
                whole += try Self.bytes(value, in: field)
            }
            return try self.json(of: whole, as: self.pool.message(of: field), depth: depth + 1)
        }
        guard let value = values.last, field.oneofIndex != nil || !value.isDefault else { return nil }
        return try self.element(value, in: field, depth: depth)
    }

    private func mapJSON(
        of values: [WireField.Value], in field: FieldDescriptor, _ entry: MessageDescriptor, depth: Int
    ) throws(MessageError) -> JSON? {
        guard let keyField = entry.field(named: "key"), let valueField = entry.field(named: "value") else {
            preconditionFailure("An entry of a map has a key and a value.")
        }
        var members: [(name: String, value: JSON)] = []
        var indices: [String: Int] = [:]
        for value in values {
            let fields = try FieldValues(try Self.bytes(value, in: field))
            let key = fields[keyField.number].last ?? Self.absent(keyField)
            let name =
                switch try self.element(key, in: keyField, depth: depth) {
                case .string(let text): text
                case .bool(let value): "\(value)"
                case .int(let value): "\(value)"
                case let other: other.text(.line)
                }
            let item = fields[valueField.number].last ?? Self.absent(valueField)
            let json = try self.element(item, in: valueField, depth: depth)
            // A key that comes again replaces the one before.
            if let index = indices.updateValue(members.count, forKey: name) {
                indices[name] = index
                members[index].value = json
            } else {
                members.append((name, json))
            }
        }
        return .object(members)
    }

    /// What a field of an entry holds that does not say.
    private static func absent(_ field: FieldDescriptor) -> WireField.Value {
        switch field.kind {
        case .string, .bytes, .message: .bytes([])
        case .double, .fixed64, .sfixed64: .fixed64(0)
        case .float, .fixed32, .sfixed32: .fixed32(0)
        default: .varint(0)
        }
    }

    /// The values of a repeated field, one by one.
    private static func unpacked(
        _ values: [WireField.Value], in field: FieldDescriptor
    ) throws(MessageError) -> [WireField.Value] {
        var unpacked: [WireField.Value] = []
        do throws(DecodingError) {
            for value in values {
                switch (value, Self.absent(field)) {
                case (.bytes(let list), .varint):
                    unpacked += try WireFields.varints(packed: list).map { .varint($0) }
                case (.bytes(let list), .fixed64):
                    unpacked += try WireFields.fixed(UInt64.self, packed: list).map { .fixed64($0) }
                case (.bytes(let list), .fixed32):
                    unpacked += try WireFields.fixed(UInt32.self, packed: list).map { .fixed32($0) }
                default:
                    unpacked.append(value)
                }
            }
        } catch {
            throw MessageError("\(field.fullName): \(error)")
        }
        return unpacked
    }

    private static func bytes(
        _ value: WireField.Value, in field: FieldDescriptor
    ) throws(MessageError) -> ArraySlice<UInt8> {
        guard case .bytes(let bytes) = value else {
            throw MessageError("\(field.fullName): The value is of another wire type than the field.")
        }
        return bytes
    }

    /// One value of a field.
    private func element(_ value: WireField.Value, in field: FieldDescriptor, depth: Int) throws(MessageError) -> JSON {
        switch (field.kind, value) {
        case (.message, .bytes(let bytes)):
            return try self.json(of: bytes, as: self.pool.message(of: field), depth: depth + 1)
        case (.enumeration, .varint(let bits)):
            let number = Int32(truncatingIfNeeded: bits)
            return self.pool.enumeration(of: field).name(of: number).map { .string($0) } ?? .int(Int64(number))
        default:
            guard let json = Self.scalar(value, field.kind) else {
                throw MessageError("\(field.fullName): The value is of another wire type than the field, or no text.")
            }
            return json
        }
    }

    /// Integers of 64 bits are strings, for many readers of JSON would round them.
    private static func scalar(_ value: WireField.Value, _ kind: FieldDescriptor.Kind) -> JSON? {
        switch (kind, value) {
        case (.double, .fixed64(let bits)): .float(Double(bitPattern: bits))
        case (.float, .fixed32(let bits)): .float(Float(bitPattern: bits))
        case (.int64, .varint(let bits)): .string(String(Int64(bitPattern: bits)))
        case (.uint64, .varint(let bits)): .string(String(bits))
        case (.int32, .varint(let bits)): .int(Int64(Int32(truncatingIfNeeded: bits)))
        case (.fixed64, .fixed64(let bits)): .string(String(bits))
        case (.fixed32, .fixed32(let bits)): .int(Int64(bits))
        case (.bool, .varint(let bits)): .bool(bits != 0)
        case (.string, .bytes(let bytes)): String(validating: bytes, as: UTF8.self).map { .string($0) }
        case (.bytes, .bytes(let bytes)): .string(Base64.encode(bytes))
        case (.uint32, .varint(let bits)): .int(Int64(UInt32(truncatingIfNeeded: bits)))
        case (.sfixed32, .fixed32(let bits)): .int(Int64(Int32(bitPattern: bits)))
        case (.sfixed64, .fixed64(let bits)): .string(String(Int64(bitPattern: bits)))
        case (.sint32, .varint(let bits)): .int((bits & 0xFFFF_FFFF).zigZag)
        case (.sint64, .varint(let bits)): .string(String(bits.zigZag))
        default: nil
        }
    }
}

extension JSON {
    /// A number, or the word for what JSON has no number for; a Float with no more digits than it takes.
    fileprivate static func float<Number: BinaryFloatingPoint & LosslessStringConvertible>(_ value: Number) -> JSON {
        if value.isNaN { return .string("NaN") }
        if value.isInfinite { return .string(value < 0 ? "-Infinity" : "Infinity") }
        return .double(Double(value.description) ?? Double(value))
    }
}

// MARK: - Well-known types

extension MessageCodec {
    private func anyJSON(of bytes: ArraySlice<UInt8>, depth: Int) throws(MessageError) -> JSON {
        let fields = try FieldValues(bytes)
        guard let url = String(validating: fields.bytes(1).last ?? [], as: UTF8.self) else {
            throw MessageError("The type of an Any is not valid UTF-8.")
        }
        let value = fields.bytes(2).last ?? []
        guard !url.isEmpty || !value.isEmpty else { return .object([]) }
        let type: (name: String, value: JSON) = ("@type", .string(url))
        guard let message = self.pool.message(named: url.typeName) else {
            return .object([type, ("value", .string(Base64.encode(value)))])
        }
        guard WellKnownType(message) == nil else {
            return .object([type, ("value", try self.json(of: value, as: message, depth: depth + 1))])
        }
        return .object([type] + (try self.members(of: value, as: message, depth: depth + 1)))
    }

    private static func timestampJSON(of bytes: ArraySlice<UInt8>) throws(MessageError) -> JSON {
        let fields = try FieldValues(bytes)
        guard let time = TimestampText(seconds: fields.number(1), nanos: Int32(truncatingIfNeeded: fields.number(2)))
        else { throw MessageError("A Timestamp lies outside of the years 1 to 9999.") }
        return .string(time.text)
    }

    private static func durationJSON(of bytes: ArraySlice<UInt8>) throws(MessageError) -> JSON {
        let fields = try FieldValues(bytes)
        let nanos = Int32(truncatingIfNeeded: fields.number(2))
        guard let duration = DurationText(seconds: fields.number(1), nanos: nanos) else {
            throw MessageError("A Duration is longer than 10,000 years, or its parts differ in sign.")
        }
        return .string(duration.text)
    }

    private static func fieldMaskJSON(of bytes: ArraySlice<UInt8>) throws(MessageError) -> JSON {
        var paths: [String] = []
        for bytes in try FieldValues(bytes).bytes(1) {
            let text = String(decoding: bytes, as: UTF8.self)
            guard let path = FieldMaskPath(text).json else {
                throw MessageError("The path '\(text)' of a FieldMask has no form in JSON.")
            }
            paths.append(path)
        }
        return .string(paths.joined(separator: ","))
    }
}
