// Proto files that no one publishes, for what the published ones do not use.

package import Descriptors
internal import ProtobufC

/// A message with a field of every kind, in every arrangement that proto3 knows.
package enum DescriptorSample {
    /// Name of the message that has it all.
    package static let everything = "sample.Everything"

    /// The published files and the sample.
    package static let pool: DescriptorPool = {
        do {
            return try DescriptorPool(encoded: Self.encodedSet[...])
        } catch {
            preconditionFailure("The sample is well-formed: \(error)")
        }
    }()

    /// An encoded FileDescriptorSet of the published files and the sample.
    package static var encodedSet: [UInt8] {
        Self.encodedSet(of: DescriptorPool.embedded.files.map(\.bytes) + [Self.file])
    }

    /// An encoded FileDescriptorSet.
    package static func encodedSet(of files: [[UInt8]]) -> [UInt8] {
        var set = WireWriter()
        for file in files {
            set.append(1, bytes: file)
        }
        return set.bytes
    }

    /// Number of the singular field of a kind; that of the repeated one is 100 more.
    package static func number(of kind: FieldDescriptor.Kind) -> Int {
        Int(kind.rawValue)
    }

    private static let wellKnown = ["Any", "Duration", "FieldMask", "Timestamp"]

    /// The encoded FileDescriptorProto of `sample.proto`.
    private static var file: [UInt8] {
        var file = WireWriter()
        file.append(1, bytes: "sample.proto".utf8)
        file.append(2, bytes: "sample".utf8)
        for name in ["any", "duration", "field_mask", "timestamp"] {
            file.append(3, bytes: "google/protobuf/\(name).proto".utf8)
        }
        file.append(4, bytes: Self.message)
        file.append(5, bytes: Self.enumeration)
        file.append(12, bytes: "proto3".utf8)
        return file.bytes
    }

    private static var message: [UInt8] {
        var message = WireWriter()
        message.append(1, bytes: "Everything".utf8)
        for kind in FieldDescriptor.Kind.allCases {
            let type = kind == .message ? "sample.Everything" : kind == .enumeration ? "sample.Colour" : ""
            let number = Self.number(of: kind)
            message.append(2, bytes: Self.field("one_\(kind)", number, kind, type))
            message.append(2, bytes: Self.field("many_\(kind)", number + 100, kind, type, isRepeated: true))
        }
        for (index, name) in Self.wellKnown.enumerated() {
            message.append(2, bytes: Self.field("the\(name)", 30 + index, .message, "google.protobuf.\(name)"))
        }
        message.append(2, bytes: Self.field("choice_text", 40, .string, oneof: 0))
        message.append(2, bytes: Self.field("choice_number", 41, .int64, oneof: 0))
        message.append(2, bytes: Self.field("choice_message", 42, .message, "sample.Everything", oneof: 0))
        let maps: [(String, FieldDescriptor.Kind, FieldDescriptor.Kind, String)] = [
            ("Texts", .string, .int32, ""), ("Numbers", .int64, .message, "sample.Everything"),
            ("Truths", .bool, .string, ""), ("Colours", .fixed32, .enumeration, "sample.Colour"),
        ]
        for (index, (name, key, value, type)) in maps.enumerated() {
            let entry = "\(name)Entry"
            let fieldName = "by_\(name.lowercased())"
            message.append(
                2, bytes: Self.field(fieldName, 50 + index, .message, "sample.Everything.\(entry)", isRepeated: true))
            message.append(3, bytes: Self.mapEntry(entry, key, value, type))
        }
        var oneof = WireWriter()
        oneof.append(1, bytes: "choice".utf8)
        message.append(8, bytes: oneof.bytes)
        return message.bytes
    }

    private static func mapEntry(
        _ name: String, _ key: FieldDescriptor.Kind, _ value: FieldDescriptor.Kind, _ type: String
    ) -> [UInt8] {
        var entry = WireWriter()
        entry.append(1, bytes: name.utf8)
        entry.append(2, bytes: Self.field("key", 1, key))
        entry.append(2, bytes: Self.field("value", 2, value, type))
        var options = WireWriter()
        options.append(7, varint: 1)
        entry.append(7, bytes: options.bytes)
        return entry.bytes
    }

    private static func field(
        _ name: String, _ number: Int, _ kind: FieldDescriptor.Kind, _ type: String = "", isRepeated: Bool = false,
        oneof: Int? = nil
    ) -> [UInt8] {
        var field = WireWriter()
        field.append(1, bytes: name.utf8)
        field.append(3, varint: UInt64(number))
        field.append(4, varint: isRepeated ? 3 : 1)
        field.append(5, varint: kind.rawValue)
        if !type.isEmpty {
            field.append(6, bytes: ".\(type)".utf8)
        }
        if let oneof {
            field.append(9, varint: UInt64(oneof))
        }
        let words = name.split(separator: "_")
        let camelCase = words.enumerated().map { $0 == 0 ? String($1) : $1.prefix(1).uppercased() + $1.dropFirst() }
        field.append(10, bytes: camelCase.joined().utf8)
        return field.bytes
    }

    private static var enumeration: [UInt8] {
        var enumeration = WireWriter()
        enumeration.append(1, bytes: "Colour".utf8)
        for (name, number) in [("COLOUR_NONE", 0), ("COLOUR_RED", 1), ("COLOUR_BLUE", -2)] {
            var value = WireWriter()
            value.append(1, bytes: name.utf8)
            value.append(2, varint: UInt64(bitPattern: Int64(number)))
            enumeration.append(2, bytes: value.bytes)
        }
        return enumeration.bytes
    }
}
