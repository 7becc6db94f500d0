/// Why bytes are no descriptor set that can be used.
package struct DescriptorError: Error, Hashable, CustomStringConvertible {
    /// A sentence for people.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
