// One hash for tables in memory (seeded at random) and for what leaves the process (seeded with a constant).

internal import Glibc

/// A 64-bit hash of bytes whose result depends on bytes and seed alone, whatever the process or the release of this program.
///
/// It folds 64 × 64 bit products as wyhash does: two multiplications for a text of up to 16 bytes.
package struct StableHash {
    private(set) var value: UInt64

    init(seed: UInt64) {
        self.value = Self.fold(seed ^ 0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB)
    }

    mutating func combine(_ number: UInt64) {
        self.value = Self.fold(self.value ^ 0x8EBC_6AF0_9C88_C6E3, number ^ 0x5899_65CC_7537_4CC3)
    }

    mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        self.value = Self.hash(bytes, seed: self.value)
    }

    /// - Complexity: O(count of bytes).
    @inline(__always)
    package static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        var state = seed ^ 0xA076_1D64_78BD_642F
        var first: UInt64 = 0
        var second: UInt64 = 0
        let count = bytes.count
        if count >= 8 {
            var index = 0
            while count - index > 16 {
                state = Self.fold(bytes.word(at: index) ^ 0xE703_7ED1_A0B4_28DB, bytes.word(at: index + 8) ^ state)
                index += 16
            }
            // The last 16 bytes overlap the blocks before them, or each other where the text is shorter.
            first = bytes.word(at: max(count - 16, 0))
            second = bytes.word(at: count - 8)
        } else if count >= 4 {
            first = UInt64(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
            second = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)))
        } else if count > 0 {
            first = UInt64(bytes[0]) << 16 | UInt64(bytes[count >> 1]) << 8 | UInt64(bytes[count - 1])
        }
        state = Self.fold(first ^ 0xE703_7ED1_A0B4_28DB, second ^ state)
        return Self.fold(state ^ UInt64(count), 0x8EBC_6AF0_9C88_C6E3)
    }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    fileprivate func word(at offset: Int) -> UInt64 {
        UInt64(littleEndian: self.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Whether both hold the same bytes.
    @inline(__always)
    func holdsSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        guard self.count == other.count else { return false }
        guard let left = self.baseAddress, let right = other.baseAddress else { return true }
        return memcmp(left, right, self.count) == 0
    }

    /// Below zero where these bytes come before `other`, above where after, zero where they are the same.
    @inline(__always)
    func order(against other: UnsafeRawBufferPointer) -> Int {
        if let left = self.baseAddress, let right = other.baseAddress {
            let order = memcmp(left, right, Swift.min(self.count, other.count))
            if order != 0 { return Int(order) }
        }
        return self.count - other.count
    }

    /// The first eight bytes as a number that sorts as the bytes do; missing ones count as zero.
    ///
    /// Equal prefixes say nothing: the texts must then be compared.
    @inline(__always)
    var sortPrefix: UInt64 {
        if self.count >= 8 {
            return UInt64(bigEndian: self.loadUnaligned(as: UInt64.self))
        }
        var prefix: UInt64 = 0
        for index in 0..<self.count {
            prefix |= UInt64(self[index]) << UInt64(56 - 8 * index)
        }
        return prefix
    }

    /// ``sortPrefix`` as a signed number of the same order.
    @inline(__always)
    var sortValue: Int64 {
        Int64(bitPattern: self.sortPrefix ^ 1 << 63)
    }
}
