// Messages of any type between JSON and the wire, by their descriptors.

package import Descriptors

/// Follows the JSON mapping of proto3 (https://protobuf.dev/programming-guides/json/).
///
/// Input takes field names as the proto file has them and in camelCase, numbers as numbers or strings, enumerations by
/// name or number, and `null` for a field that is not set. Output has the names of the proto file, as everything that
/// Rollcall prints; what is at its default is left out. Fields that the type does not have are left out of output, and
/// are an error in input. An Any whose type the pool does not know has its bytes under `value`, in base64, both ways.
package struct MessageCodec: Sendable {
    /// Deepest nesting of messages that is read from the wire, the outermost counted.
    package static let depthMax = 64

    let pool: DescriptorPool

    package init(pool: DescriptorPool = .embedded) {
        self.pool = pool
    }
}

/// The types whose JSON is not that of their fields.
enum WellKnownType: String, CaseIterable {
    case any = "google.protobuf.Any"
    case duration = "google.protobuf.Duration"
    case fieldMask = "google.protobuf.FieldMask"
    case timestamp = "google.protobuf.Timestamp"

    init?(_ type: MessageDescriptor) {
        self.init(rawValue: type.fullName)
    }
}

extension String {
    /// The full name of the type that the URL in an Any names.
    var typeName: String {
        self.lastIndex(of: "/").map { String(self[self.index(after: $0)...]) } ?? self
    }
}
