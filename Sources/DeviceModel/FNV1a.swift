// A digest that is the same in every process and every release.

/// FNV-1a of 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/).
///
/// It tells values apart, and need not withstand an attacker.
package struct FNV1a: Hashable, Sendable {
    package private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    package init() {}

    package mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            self.value = (self.value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
    }

    /// Eight bytes, the lowest first.
    package mutating func combine(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { self.combine($0) }
    }

    /// The count of UTF-8 bytes, then the bytes, so that where one text ends and the next begins makes a difference.
    package mutating func combine(_ text: String) {
        self.combine(UInt64(text.utf8.count))
        self.combine(text.utf8)
    }
}
