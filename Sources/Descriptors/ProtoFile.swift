// What a proto file declares, as google.protobuf.FileDescriptorProto tells it.

/// One proto file.
package struct ProtoFile: Sendable {
    /// Path below the root of the proto files, such as `rollcall/v1/devices.proto`.
    package let name: String
    /// The package, such as `rollcall.v1`; empty = none.
    package let package: String
    /// Names of the files that it imports.
    package let dependencies: [String]
    /// The encoded FileDescriptorProto, as it came.
    package let bytes: [UInt8]
    /// Outermost messages, in the file's order.
    package let messages: [MessageDescriptor]
    /// Outermost enumerations, in the file's order.
    package let enums: [EnumDescriptor]
    /// Services, in the file's order.
    package let services: [ServiceDescriptor]
}

/// One message type.
package struct MessageDescriptor: Hashable, Sendable {
    /// Such as `rollcall.v1.Device`.
    package let fullName: String
    /// In the file's order.
    package let fields: [FieldDescriptor]
    /// Names of the groups of fields of which one at most is set.
    package let oneofs: [String]
    /// Message types declared within, those of map entries included.
    package let messages: [MessageDescriptor]
    /// Enumerations declared within.
    package let enums: [EnumDescriptor]
    /// Whether it stands for one entry of a map: key in field 1, value in field 2.
    package let isMapEntry: Bool

    /// The field of a name, either as written in the file or in the camelCase of JSON.
    package func field(named name: String) -> FieldDescriptor? {
        self.fields.first { $0.name == name } ?? self.fields.first { $0.jsonName == name }
    }
}

/// One field of a message.
package struct FieldDescriptor: Hashable, Sendable {
    /// A field's type, numbered as in google.protobuf.FieldDescriptorProto.Type; groups are not spoken here.
    package enum Kind: UInt64, Hashable, Sendable, CaseIterable {
        case double = 1
        case float = 2
        case int64 = 3
        case uint64 = 4
        case int32 = 5
        case fixed64 = 6
        case fixed32 = 7
        case bool = 8
        case string = 9
        case message = 11
        case bytes = 12
        case uint32 = 13
        case enumeration = 14
        case sfixed32 = 15
        case sfixed64 = 16
        case sint32 = 17
        case sint64 = 18
    }

    /// Such as `rollcall.v1.Device.owner_ref`.
    package let fullName: String
    /// As written in the file, such as `owner_ref`.
    package let name: String
    /// As JSON has it, such as `ownerRef`.
    package let jsonName: String
    /// 1 to 2^29 - 1.
    package let number: Int
    package let kind: Kind
    /// Full name of the message or enumeration; empty for other kinds.
    package let typeName: String
    package let isRepeated: Bool
    /// Index into the message's `oneofs`; nil = in none.
    package let oneofIndex: Int?
}

/// One enumeration.
package struct EnumDescriptor: Hashable, Sendable {
    /// One of its values.
    package struct Value: Hashable, Sendable {
        package let name: String
        package let number: Int32
    }

    /// Such as `rollcall.v1.DeviceView`.
    package let fullName: String
    /// In the file's order; the first is what an absent field means.
    package let values: [Value]

    /// The number of a value; nil where there is none of this name.
    package func number(of name: String) -> Int32? {
        self.values.first { $0.name == name }?.number
    }

    /// The first name of a number; nil where it has none.
    package func name(of number: Int32) -> String? {
        self.values.first { $0.number == number }?.name
    }
}

/// One service.
package struct ServiceDescriptor: Hashable, Sendable {
    /// Such as `rollcall.v1.Devices`.
    package let fullName: String
    /// In the file's order.
    package let methods: [MethodDescriptor]
}

/// One method of a service.
package struct MethodDescriptor: Hashable, Sendable {
    /// Full name of its service, such as `rollcall.v1.Devices`.
    package let service: String
    /// Such as `GetDevice`.
    package let name: String
    /// Full name of the message that a caller sends.
    package let inputType: String
    /// Full name of the message that the server sends.
    package let outputType: String
    /// Whether a caller sends any number of messages.
    package let isClientStreaming: Bool
    /// Whether the server sends any number of messages.
    package let isServerStreaming: Bool

    /// Such as `rollcall.v1.Devices/GetDevice`.
    package var path: String { "\(self.service)/\(self.name)" }
}
