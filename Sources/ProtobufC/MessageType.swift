package import CRollcallProto

/// One message type: its C struct, and what the guard and protobuf-c know of it.
///
/// `Messages` has one for each message of the proto files.
// @unchecked: the schema, and all that it points to, is constant data of the program.
package struct MessageType<Message>: @unchecked Sendable {
    /// What the guard knows of the type.
    package let schema: UnsafePointer<RollcallMessageSchema>

    /// Pairs a C struct with its schema.
    ///
    /// - Parameter schema: Constant for the life of the program, and that of `Message`.
    @inlinable
    package init(schema: UnsafePointer<RollcallMessageSchema>) {
        self.schema = schema
    }

    /// What protobuf-c knows of the type.
    @inlinable package var descriptor: UnsafePointer<ProtobufCMessageDescriptor> { self.schema.pointee.descriptor }

    /// The full name of the type, such as `rollcall.v1.Device`.
    package var name: String { String(cString: self.descriptor.pointee.name) }
}
