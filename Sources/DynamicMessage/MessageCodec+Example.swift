// A message to start from.

package import Descriptors
package import JSONText

extension MessageCodec {
    /// A message of the type with a value in each field, of the first alternative where there are several, and with the
    /// messages within it down to two levels. Whoever wants to call a method fills it in.
    package func example(of type: MessageDescriptor) -> JSON {
        self.example(of: type, levelCount: 2)
    }

    private func example(of type: MessageDescriptor, levelCount: Int) -> JSON {
        switch WellKnownType(type) {
        case .any: return .object([])
        case .duration: return .string("60s")
        case .fieldMask: return .string("")
        case .timestamp: return .string("2019-01-19T05:01:13Z")
        case nil: break
        }
        guard levelCount > 0 else { return .object([]) }
        var oneofsShown: Set<Int> = []
        var members: [(name: String, value: JSON)] = []
        for field in type.fields {
            if let oneof = field.oneofIndex, !oneofsShown.insert(oneof).inserted { continue }
            members.append((field.name, self.example(of: field, levelCount: levelCount)))
        }
        return .object(members)
    }

    private func example(of field: FieldDescriptor, levelCount: Int) -> JSON {
        let value: JSON
        switch field.kind {
        case .double, .float, .int32, .sint32, .uint32, .fixed32, .sfixed32: value = .int(0)
        case .int64, .uint64, .fixed64, .sfixed64, .sint64: value = .string("0")
        case .bool: value = .bool(false)
        case .string, .bytes: value = .string("")
        case .enumeration: value = .text(self.pool.enumeration(of: field).values.first?.name)
        case .message:
            let type = self.pool.message(of: field)
            // A map is an object, and an empty one is as good as any.
            if type.isMapEntry { return .object([]) }
            value = self.example(of: type, levelCount: levelCount - 1)
        }
        return field.isRepeated ? .array([value]) : value
    }
}
