/// What counts as text on the wire: valid UTF-8 without NUL.
enum TextCheck {
    private static let highBits: UInt64 = 0x8080_8080_8080_8080
    private static let lowBits: UInt64 = 0x0101_0101_0101_0101

    /// True if `bytes` is valid UTF-8 without NUL.
    ///
    /// - Complexity: O(`bytes.count`), eight bytes at a time as long as they are ASCII.
    @inline(__always)
    static func isText(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        let raw = UnsafeRawPointer(start)
        var offset = 0
        while offset &+ 8 <= bytes.count {
            let word = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            // As long as no byte has its high bit set, taking one from each sets it exactly where a byte is zero or
            // stands after one.
            guard (word | (word &- Self.lowBits)) & Self.highBits == 0 else { return Self.isLongWayText(bytes) }
            offset &+= 8
        }
        while offset < bytes.count {
            guard start[offset] &- 1 < 0x7F else { return Self.isLongWayText(bytes) }
            offset &+= 1
        }
        return true
    }

    @inline(never)
    private static func isLongWayText(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard !bytes.contains(0) else { return false }
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes.span)
            return true
        } catch {
            return false
        }
    }
}
