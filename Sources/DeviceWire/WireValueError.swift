// Why a message that decoded well holds no value of ours.

/// A field whose value is outside of its range: a peer of another version, or one with a defect, sent it.
package struct WireValueError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The field's path in the message, such as `last_seen`.
    package var field: String
    /// What is wrong with it, to be read after the field's name.
    package var problem: String

    package init(_ field: String, _ problem: String) {
        self.field = field
        self.problem = problem
    }

    package var description: String {
        "\(self.field) \(self.problem)"
    }
}

/// A sub-message that every message of its kind holds.
///
/// - Throws: ``WireValueError`` where it is absent.
func required<Message>(
    _ message: UnsafeMutablePointer<Message>?, _ field: String
) throws(WireValueError) -> UnsafePointer<Message> {
    guard let message else { throw WireValueError(field, "is absent") }
    return UnsafePointer(message)
}

/// The messages of a repeated field; protobuf-c leaves none of them nil.
func elements<Message>(
    _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?, count: Int
) -> some Sequence<UnsafePointer<Message>> {
    UnsafeBufferPointer(start: pointers, count: count).lazy.compactMap { $0.map { UnsafePointer($0) } }
}
