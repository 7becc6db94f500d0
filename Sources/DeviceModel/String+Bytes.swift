// Text as the contract compares it: by UTF-8 bytes, where Swift's strings are equal in every Unicode spelling.

extension String {
    /// Whether both are the same bytes: "é" as one scalar is not "é" as two.
    package func hasSameBytes(as other: String) -> Bool {
        self.utf8.elementsEqual(other.utf8)
    }

    /// Feeds the bytes, and an end mark, to `hasher`.
    package func hashBytes(into hasher: inout Hasher) {
        var text = self
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }
}
