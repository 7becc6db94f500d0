/// Writes a message field by field, for whoever goes by descriptors and not by C structs.
package struct WireWriter: Sendable {
    /// What has been written.
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func append(_ number: Int, varint value: UInt64) {
        self.append(varint: UInt64(number) << 3)
        self.append(varint: value)
    }

    package mutating func append(_ number: Int, fixed64 value: UInt64) {
        self.append(varint: UInt64(number) << 3 | 1)
        self.append(fixed: value)
    }

    package mutating func append(_ number: Int, fixed32 value: UInt32) {
        self.append(varint: UInt64(number) << 3 | 5)
        self.append(fixed: value)
    }

    /// A text, bytes, a message or a packed list.
    package mutating func append(_ number: Int, bytes value: some Collection<UInt8>) {
        self.append(varint: UInt64(number) << 3 | 2)
        self.append(varint: UInt64(value.count))
        self.bytes.append(contentsOf: value)
    }

    /// A value alone, as packed lists have them.
    package mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// A number of fixed size alone, as packed lists have them.
    package mutating func append(fixed value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            self.bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
