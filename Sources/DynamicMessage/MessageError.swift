internal import ProtobufC

/// Why a message has no JSON: its bytes are no message of the type, or hold a value that JSON has no form for.
package struct MessageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A sentence for people.
    package let description: String

    init(_ description: String) {
        self.description = description
    }

    init(_ error: DecodingError) {
        self.init(error.description)
    }
}
