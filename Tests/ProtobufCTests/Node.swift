import CRollcallProto
import ProtobufC

/// A message type that the proto files do not have, described to protobuf-c by hand: recursive, with packed lists.
///
///     message Node {
///         repeated Node children = 1;
///         repeated int64 values = 2;
///         repeated double numbers = 3;
///         Node only = 4;
///     }
struct Node {
    var base: ProtobufCMessage
    var childrenCount: Int
    var children: UnsafeMutablePointer<UnsafeMutablePointer<Node>?>?
    var valuesCount: Int
    var values: UnsafeMutablePointer<Int64>?
    var numbersCount: Int
    var numbers: UnsafeMutablePointer<Double>?
    var only: UnsafeMutablePointer<Node>?

    /// The type as the arena takes it. Its parts live as long as the program.
    static let type: MessageType<Node> = {
        let descriptor = UnsafeMutablePointer<ProtobufCMessageDescriptor>.allocate(capacity: 1)
        descriptor.initialize(to: Self.makeDescriptor(of: descriptor))
        let schema = UnsafeMutablePointer<RollcallMessageSchema>.allocate(capacity: 1)
        let fields = constant([
            RollcallFieldSchema(name: nil, message: nil, kind: ROLLCALL_FIELD_NONE, is_repeated: 0),
            fieldSchema("children", schema, ROLLCALL_FIELD_MESSAGE, isRepeated: true),
            fieldSchema("values", nil, ROLLCALL_FIELD_VARINT, isRepeated: true),
            fieldSchema("numbers", nil, ROLLCALL_FIELD_FIXED64, isRepeated: true),
            fieldSchema("only", schema, ROLLCALL_FIELD_MESSAGE, isRepeated: false),
        ])
        schema.initialize(to: RollcallMessageSchema(descriptor: descriptor, fields: fields, field_number_max: 4))
        return MessageType(schema: schema)
    }()

    /// The descriptor that will stand at `node`.
    private static func makeDescriptor(of node: UnsafeMutableRawPointer) -> ProtobufCMessageDescriptor {
        let fields = constant([
            field("children", 1, PROTOBUF_C_TYPE_MESSAGE, count: \.childrenCount, \.children, node),
            field("values", 2, PROTOBUF_C_TYPE_INT64, count: \.valuesCount, \.values, nil),
            field("numbers", 3, PROTOBUF_C_TYPE_DOUBLE, count: \.numbersCount, \.numbers, nil),
            field("only", 4, PROTOBUF_C_TYPE_MESSAGE, count: nil, \.only, node),
        ])
        return ProtobufCMessageDescriptor(
            magic: UInt32(PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC),
            name: constant("test.Node"),
            short_name: constant("Node"),
            c_name: constant("Node"),
            package_name: constant("test"),
            sizeof_message: MemoryLayout<Node>.size,
            n_fields: 4,
            fields: fields,
            fields_sorted_by_name: constant([0, 2, 3, 1]),
            n_field_ranges: 1,
            field_ranges: constant([
                ProtobufCIntRange(start_value: 1, orig_index: 0), ProtobufCIntRange(start_value: 0, orig_index: 4),
            ]),
            message_init: nil,
            reserved1: nil,
            reserved2: nil,
            reserved3: nil
        )
    }

    private static func fieldSchema(
        _ name: String,
        _ message: UnsafePointer<RollcallMessageSchema>?,
        _ kind: RollcallFieldKind,
        isRepeated: Bool
    ) -> RollcallFieldSchema {
        RollcallFieldSchema(name: constant(name), message: message, kind: kind, is_repeated: isRepeated ? 1 : 0)
    }

    private static func field<Member>(
        _ name: String,
        _ number: UInt32,
        _ type: ProtobufCType,
        count: WritableKeyPath<Node, Int>?,
        _ member: WritableKeyPath<Node, Member>,
        _ message: UnsafeMutableRawPointer?
    ) -> ProtobufCFieldDescriptor {
        ProtobufCFieldDescriptor(
            name: constant(name),
            id: number,
            label: count == nil ? PROTOBUF_C_LABEL_NONE : PROTOBUF_C_LABEL_REPEATED,
            type: type,
            quantifier_offset: count.map { offset(of: $0) } ?? 0,
            offset: offset(of: member),
            descriptor: message,
            default_value: nil,
            flags: 0,
            reserved_flags: 0,
            reserved2: nil,
            reserved3: nil
        )
    }

    private static func offset<Member>(of member: WritableKeyPath<Node, Member>) -> UInt32 {
        guard let offset = MemoryLayout.offset(of: member) else {
            preconditionFailure("Stored properties have offsets.")
        }
        return UInt32(offset)
    }

    private static func constant<Element>(_ elements: [Element]) -> UnsafePointer<Element> {
        let memory = UnsafeMutableBufferPointer<Element>.allocate(capacity: elements.count)
        _ = memory.initialize(from: elements)
        guard let start = memory.baseAddress else { preconditionFailure("A list of constants is not empty.") }
        return UnsafePointer(start)
    }

    private static func constant(_ string: String) -> UnsafePointer<CChar> {
        constant(string.utf8CString.map { $0 })
    }
}
