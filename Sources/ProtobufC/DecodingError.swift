/// Why bytes of a peer were not decoded.
package struct DecodingError: Error, Hashable, CustomStringConvertible {
    /// What kind of fault it is.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: Hashable, Sendable { case malformed, tooLarge, tooDeep, tooManyFields, invalidText }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// The bytes are no message of the type.
        package static let malformed = Self(.malformed)
        /// The message takes more memory than the arena may give to one.
        package static let tooLarge = Self(.tooLarge)
        /// Messages lie in messages beyond `WireGuard.depthMax`.
        package static let tooDeep = Self(.tooDeep)
        /// The message holds more values than `WireGuard.fieldCountMax`.
        package static let tooManyFields = Self(.tooManyFields)
        /// A text is not UTF-8, or holds a NUL.
        package static let invalidText = Self(.invalidText)

        package var description: String { "\(self.value)" }
    }

    /// What kind of fault it is.
    package let code: Code

    /// The field that it lies in, such as `device.owner_ref` or `release[2]`; empty = the message as a whole.
    package private(set) var path: String

    /// A sentence for people, which does not repeat the path.
    package let message: String

    /// Describes a fault.
    init(_ code: Code, at path: String = "", _ message: String) {
        self.code = code
        self.path = path
        self.message = message
    }

    /// The same fault, seen from the message that holds the faulty one as `component`.
    func nested(in component: String) -> Self {
        var outer = self
        outer.path = self.path.isEmpty ? component : "\(component).\(self.path)"
        return outer
    }

    package var description: String { self.path.isEmpty ? self.message : "\(self.path): \(self.message)" }
}
