// From a JSON value to the wire value of a field that holds no message.

internal import Descriptors
internal import JSONText
internal import ProtobufC

/// One JSON value and the field that it is for.
struct ScalarInput {
    let node: JSONNode
    let field: FieldDescriptor

    /// The value on the wire, of any kind but messages and enumerations.
    var value: WireField.Value {
        get throws(JSONError) {
            switch self.field.kind {
            case .double: .fixed64(try self.float(Double.self).bitPattern)
            case .float: .fixed32(try self.float(Float.self).bitPattern)
            case .int64: .varint(UInt64(bitPattern: try self.integer(Int64.self)))
            case .uint64: .varint(try self.integer(UInt64.self))
            case .int32: .varint(UInt64(bitPattern: Int64(try self.integer(Int32.self))))
            case .fixed64: .fixed64(try self.integer(UInt64.self))
            case .fixed32: .fixed32(try self.integer(UInt32.self))
            case .bool: .varint(try self.bool ? 1 : 0)
            case .string: .bytes(Array(try self.string.utf8)[...])
            case .bytes: .bytes(try Self.bytes(self.node, self.field.name)[...])
            case .uint32: .varint(UInt64(try self.integer(UInt32.self)))
            case .sfixed32: .fixed32(UInt32(bitPattern: try self.integer(Int32.self)))
            case .sfixed64: .fixed64(UInt64(bitPattern: try self.integer(Int64.self)))
            case .sint32: .varint(UInt64(zigZag: Int64(try self.integer(Int32.self))))
            case .sint64: .varint(UInt64(zigZag: try self.integer(Int64.self)))
            case .message, .enumeration:
                preconditionFailure("\(self.field.fullName) is no scalar.")
            }
        }
    }

    /// An enumeration by name or by number; numbers without a name are as good as others.
    func enumValue(of enumeration: EnumDescriptor) throws(JSONError) -> WireField.Value {
        if case .string(let name) = self.node.value, JSONNumber(name) == nil {
            guard let number = enumeration.number(of: name) else {
                let rest = name.suggestion(among: enumeration.values.map(\.name))
                throw self.error("'\(self.field.name)' is of \(enumeration.fullName), which has no '\(name)'\(rest)")
            }
            return .varint(UInt64(bitPattern: Int64(number)))
        }
        return .varint(UInt64(bitPattern: Int64(try self.integer(Int32.self))))
    }

    /// Base64, of either alphabet, padded or not.
    static func bytes(_ node: JSONNode, _ name: String) throws(JSONError) -> [UInt8] {
        guard case .string(let text) = node.value, let bytes = Base64.decode(text) else {
            throw JSONError("'\(name)' is bytes: a string in base64.", at: node.position)
        }
        return bytes
    }

    private func error(_ sentence: String) -> JSONError {
        JSONError(sentence, at: self.node.position)
    }

    private var bool: Bool {
        get throws(JSONError) {
            guard case .bool(let value) = self.node.value else {
                throw self.error("'\(self.field.name)' is true or false, not \(self.node.kind).")
            }
            return value
        }
    }

    private var string: String {
        get throws(JSONError) {
            guard case .string(let value) = self.node.value else {
                throw self.error("'\(self.field.name)' is a string, not \(self.node.kind).")
            }
            return value
        }
    }

    /// The text of a number, which may stand in quotes.
    private var numberText: String? {
        switch self.node.value {
        case .number(let text), .string(let text): text
        case .null, .bool, .array, .object: nil
        }
    }

    private func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws(JSONError) -> Integer {
        guard let value = self.numberText.flatMap({ JSONNumber($0) })?.integer(Integer.self) else {
            throw self.error("'\(self.field.name)' is an integer from \(Integer.min) to \(Integer.max).")
        }
        return value
    }

    private func float<Number: BinaryFloatingPoint & LosslessStringConvertible>(
        _ type: Number.Type
    ) throws(JSONError) -> Number {
        if case .string(let word) = self.node.value {
            switch word {
            case "NaN": return .nan
            case "Infinity": return .infinity
            case "-Infinity": return -.infinity
            default: break
            }
        }
        guard let text = self.numberText, JSONNumber(text) != nil, let value = Number(text), value.isFinite else {
            let numberMax = Number.greatestFiniteMagnitude
            throw self.error("'\(self.field.name)' is a number of up to \(numberMax), NaN, Infinity or -Infinity.")
        }
        return value
    }
}
