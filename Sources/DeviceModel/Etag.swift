// The mark of a device's editable state.

package import FoundationEssentials

/// Which revision last moved a device's editable state, in which history.
///
/// A restored store names a new history, so that an etag from before cannot match a state from after.
package struct Etag: Hashable, Sendable, CustomStringConvertible {
    /// The first four bytes of the store's id.
    package let storeTag: UInt32
    package let revision: Revision

    package init(storeTag: UInt32, revision: Revision) {
        self.storeTag = storeTag
        self.revision = revision
    }

    package static func storeTag(of storeID: UUID) -> UInt32 {
        let bytes = storeID.uuid
        return UInt32(bytes.0) << 24 | UInt32(bytes.1) << 16 | UInt32(bytes.2) << 8 | UInt32(bytes.3)
    }

    /// The longest text in bytes: eight digits, a hyphen, sixteen digits.
    package static let textByteCountMax = 25

    /// Writes the text's ASCII bytes to the front of `buffer` and returns how many they are.
    ///
    /// - Precondition: `buffer` has room for ``textByteCount`` bytes.
    package func write(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let value = UInt64(bitPattern: self.revision.rawValue)
        let count = self.textByteCount - 9
        precondition(buffer.count >= 9 + count, "An etag's text needs \(9 + count) bytes.")
        for index in 0..<8 {
            buffer[index] = Self.digit(UInt64(self.storeTag) >> UInt64(28 - 4 * index))
        }
        buffer[8] = 0x2D
        for index in 0..<count {
            buffer[9 + index] = Self.digit(value >> UInt64(4 * (count - 1 - index)))
        }
        return 9 + count
    }

    /// The length of this etag's text in bytes.
    package var textByteCount: Int {
        9 + Swift.max(1, (67 - UInt64(bitPattern: self.revision.rawValue).leadingZeroBitCount) / 4)
    }

    /// The revision in an etag's text; nil where no etag of this history reads so.
    package static func revision(of text: String, storeTag: UInt32) -> Revision? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let value = UInt64(parts[1], radix: 16) else { return nil }
        let revision = Revision(rawValue: Int64(bitPattern: value))
        return Etag(storeTag: storeTag, revision: revision).description == text ? revision : nil
    }

    /// The hexadecimal digit of the lowest four bits.
    private static func digit(_ value: UInt64) -> UInt8 {
        let low = UInt8(truncatingIfNeeded: value & 0xF)
        return low < 10 ? 0x30 + low : 0x57 + low
    }

    package var description: String {
        String(unsafeUninitializedCapacity: Self.textByteCountMax) { buffer in
            self.write(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
