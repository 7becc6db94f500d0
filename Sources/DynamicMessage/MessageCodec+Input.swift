// From JSON to the wire.

package import Descriptors
package import JSONText
internal import ProtobufC

extension MessageCodec {
    /// Encodes a message, its fields by number.
    ///
    /// - Throws: ``JSONError`` at the first value that does not fit its field, or name that is not there.
    package func encode(_ node: JSONNode, as type: MessageDescriptor) throws(JSONError) -> [UInt8] {
        var writer = WireWriter()
        try self.write(node, as: type, to: &writer)
        return writer.bytes
    }

    private func write(_ node: JSONNode, as type: MessageDescriptor, to writer: inout WireWriter) throws(JSONError) {
        switch WellKnownType(type) {
        case .any: try self.writeAny(node, to: &writer)
        case .duration: try Self.writeDuration(node, to: &writer)
        case .fieldMask: try Self.writeFieldMask(node, to: &writer)
        case .timestamp: try Self.writeTimestamp(node, to: &writer)
        case nil: try self.write(try Self.members(of: node, type.fullName), as: type, to: &writer)
        }
    }

    private static func members(of node: JSONNode, _ name: String) throws(JSONError) -> [JSONNode.Member] {
        guard case .object(let members) = node.value else {
            throw JSONError("\(name) is an object, not \(node.kind).", at: node.position)
        }
        return members
    }

    private func write(
        _ members: [JSONNode.Member], as type: MessageDescriptor, to writer: inout WireWriter
    ) throws(JSONError) {
        var fields: [(field: FieldDescriptor, value: JSONNode)] = []
        var names: [Int: String] = [:]
        var choices: [Int: String] = [:]
        for member in members {
            guard let field = type.field(named: member.name) else {
                let rest = member.name.suggestion(among: type.fields.map(\.name))
                throw JSONError("There is no field '\(member.name)' in \(type.fullName)\(rest)", at: member.position)
            }
            guard names.updateValue(member.name, forKey: field.number) == nil else {
                throw JSONError("The field '\(field.name)' is given twice.", at: member.position)
            }
            // Null is as good as not given, also among alternatives.
            if case .null = member.value.value { continue }
            if let oneof = field.oneofIndex, let other = choices.updateValue(field.name, forKey: oneof) {
                throw JSONError("'\(field.name)' does not go together with '\(other)'.", at: member.position)
            }
            fields.append((field, member.value))
        }
        for (field, value) in fields.sorted(by: { $0.field.number < $1.field.number }) {
            try self.write(value, in: field, to: &writer)
        }
    }

    private func write(_ node: JSONNode, in field: FieldDescriptor, to writer: inout WireWriter) throws(JSONError) {
        guard field.isRepeated else {
            let value = try self.value(node, in: field)
            if field.kind == .message || field.oneofIndex != nil || !value.isDefault {
                writer.append(field.number, value)
            }
            return
        }
        if field.kind == .message, case let entry = self.pool.message(of: field), entry.isMapEntry {
            try self.writeMap(node, in: field, entry, to: &writer)
            return
        }
        guard case .array(let elements) = node.value else {
            throw JSONError("'\(field.name)' is an array, not \(node.kind).", at: node.position)
        }
        var values: [WireField.Value] = []
        for element in elements {
            values.append(try self.value(element, in: field))
        }
        writer.append(field.number, list: values)
    }

    private func writeMap(
        _ node: JSONNode, in field: FieldDescriptor, _ entry: MessageDescriptor, to writer: inout WireWriter
    ) throws(JSONError) {
        guard let keyField = entry.field(named: "key"), let valueField = entry.field(named: "value") else {
            preconditionFailure("An entry of a map has a key and a value.")
        }
        var keys: Set<WireField.Value> = []
        for member in try Self.members(of: node, "'\(field.name)'") {
            let key = try Self.mapKey(member, of: keyField)
            guard keys.insert(key).inserted else {
                throw JSONError("The key '\(member.name)' is given twice.", at: member.position)
            }
            var item = WireWriter()
            item.append(keyField.number, key)
            item.append(valueField.number, try self.value(member.value, in: valueField))
            writer.append(field.number, bytes: item.bytes)
        }
    }

    private static func mapKey(
        _ member: JSONNode.Member, of field: FieldDescriptor
    ) throws(JSONError) -> WireField.Value {
        let word: JSONNode.Value
        switch (field.kind, member.name) {
        case (.bool, "true"): word = .bool(true)
        case (.bool, "false"): word = .bool(false)
        default: word = .string(member.name)
        }
        return try ScalarInput(node: JSONNode(word, at: member.position), field: field).value
    }

    /// One value of a field.
    private func value(_ node: JSONNode, in field: FieldDescriptor) throws(JSONError) -> WireField.Value {
        switch field.kind {
        case .message:
            if case .null = node.value {
                throw JSONError("'\(field.name)' holds null where a message is due.", at: node.position)
            }
            return .bytes(try self.encode(node, as: self.pool.message(of: field))[...])
        case .enumeration:
            return try ScalarInput(node: node, field: field).enumValue(of: self.pool.enumeration(of: field))
        default:
            return try ScalarInput(node: node, field: field).value
        }
    }
}

// MARK: - Well-known types

extension MessageCodec {
    private func writeAny(_ node: JSONNode, to writer: inout WireWriter) throws(JSONError) {
        let members = try Self.members(of: node, WellKnownType.any.rawValue)
        let types = members.filter { $0.name == "@type" }
        guard let typeMember = types.first, types.count == 1 else {
            if members.isEmpty { return }
            throw JSONError("An Any says with one \"@type\" what it holds.", at: node.position)
        }
        guard case .string(let url) = typeMember.value.value else {
            throw JSONError("\"@type\" is a string.", at: typeMember.value.position)
        }
        let rest = members.filter { $0.name != "@type" }
        writer.appendUnlessDefault(1, .bytes(Array(url.utf8)[...]))
        writer.appendUnlessDefault(2, .bytes(try self.anyValue(rest, url.typeName)[...]))
    }

    /// What an Any holds, from its members other than the type.
    private func anyValue(_ members: [JSONNode.Member], _ name: String) throws(JSONError) -> [UInt8] {
        let type = self.pool.message(named: name)
        if let type, WellKnownType(type) == nil {
            var writer = WireWriter()
            try self.write(members, as: type, to: &writer)
            return writer.bytes
        }
        // A type with a JSON of its own has it under "value", and one that is not known its bytes.
        if let other = members.first(where: { $0.name != "value" }) {
            let what = type == nil ? ", which is not known here," : ""
            throw JSONError("An Any of \(name)\(what) has no '\(other.name)' but a 'value'.", at: other.position)
        }
        guard members.count <= 1 else {
            throw JSONError("The field 'value' is given twice.", at: members[1].position)
        }
        guard let value = members.first?.value else { return [] }
        guard let type else { return try ScalarInput.bytes(value, "value") }
        return try self.encode(value, as: type)
    }

    private static func text(_ node: JSONNode, _ expected: String) throws(JSONError) -> String {
        guard case .string(let text) = node.value else {
            throw JSONError("\(expected), not \(node.kind).", at: node.position)
        }
        return text
    }

    private static func writeDuration(_ node: JSONNode, to writer: inout WireWriter) throws(JSONError) {
        let expected = "A Duration is a string of seconds, such as \"1.5s\""
        guard let duration = DurationText(try Self.text(node, expected)) else {
            throw JSONError("\(expected), of at most 10,000 years and 9 digits of fraction.", at: node.position)
        }
        writer.append(seconds: duration.seconds, nanos: duration.nanos)
    }

    private static func writeTimestamp(_ node: JSONNode, to writer: inout WireWriter) throws(JSONError) {
        let expected = "A Timestamp is a string by RFC 3339, such as \"2019-01-19T05:01:13Z\""
        guard let time = TimestampText(try Self.text(node, expected)) else {
            throw JSONError("\(expected), from year 1 to 9999, of at most 9 digits of fraction.", at: node.position)
        }
        writer.append(seconds: time.seconds, nanos: time.nanos)
    }

    private static func writeFieldMask(_ node: JSONNode, to writer: inout WireWriter) throws(JSONError) {
        let text = try Self.text(node, "A FieldMask is a string of paths, such as \"owner_ref,hardware_version\"")
        guard !text.isEmpty else { return }
        for path in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard !path.isEmpty else {
                throw JSONError("A path of a FieldMask is empty.", at: node.position)
            }
            writer.append(1, bytes: FieldMaskPath(json: path).text.utf8)
        }
    }
}
