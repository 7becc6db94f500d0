// What is wrong with stored data that an index is built from.

/// Data that contradicts itself, such as two devices with one serial.
package struct IndexError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A sentence that names the record.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
