// JSON as it was read: what it says, and where.

/// A place in a text.
package struct JSONPosition: Hashable, Sendable, CustomStringConvertible {
    /// From 1.
    package private(set) var line = 1
    /// From 1, in Unicode scalars.
    package private(set) var column = 1

    package init() {}

    /// Steps over a byte of UTF-8.
    @inline(__always)
    mutating func advance(over byte: UInt8) {
        if byte == UInt8(ascii: "\n") {
            self.line += 1
            self.column = 1
        } else if !UTF8.isContinuation(byte) {
            self.column += 1
        }
    }

    /// `3:14`
    package var description: String { "\(self.line):\(self.column)" }
}

/// A JSON value, as it was read.
package struct JSONNode: Sendable {
    package indirect enum Value: Sendable {
        case null
        case bool(Bool)
        /// As it was written, which is a number by RFC 8259.
        case number(String)
        case string(String)
        case array([JSONNode])
        /// In the order in which they were written; a name may repeat.
        case object([Member])
    }

    /// One member of an object.
    package struct Member: Sendable {
        package let name: String
        package let position: JSONPosition
        package let value: JSONNode
    }

    package let value: Value
    package let position: JSONPosition

    package init(_ value: Value, at position: JSONPosition) {
        self.value = value
        self.position = position
    }

    /// What kind of value it is, in words, such as `a number`.
    package var kind: String {
        switch self.value {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// What is wrong with a JSON text, and where.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    package let position: JSONPosition
    /// A sentence without its place.
    package let message: String

    package init(_ message: String, at position: JSONPosition) {
        self.message = message
        self.position = position
    }

    /// `3:14: The string does not end.`
    package var description: String { "\(self.position): \(self.message)" }
}
