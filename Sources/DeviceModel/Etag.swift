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
    /// - Precondition: `buffer` has room for ``textByteCountMax`` bytes, all of which it may write.
    package func write(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        precondition(buffer.count >= Self.textByteCountMax, "An etag's text may need \(Self.textByteCountMax) bytes.")
        let count = self.revisionDigitCount
        // The revision's digits begin at the left, and zeros that stand for nothing follow them.
        let value = UInt64(bitPattern: self.revision.rawValue) << UInt64(64 - 4 * count)
        buffer.storeBytes(of: Self.digits(self.storeTag), as: UInt64.self)
        buffer[8] = 0x2D
        buffer.storeBytes(of: Self.digits(UInt32(value >> 32)), toByteOffset: 9, as: UInt64.self)
        if count > 8 {
            let rest = UInt32(truncatingIfNeeded: value)
            buffer.storeBytes(of: Self.digits(rest), toByteOffset: 17, as: UInt64.self)
        }
        return 9 + count
    }

    private var revisionDigitCount: Int {
        Swift.max(1, (67 - UInt64(bitPattern: self.revision.rawValue).leadingZeroBitCount) / 4)
    }

    /// The revision in an etag's text; nil where no etag of this history reads so.
    package static func revision(of text: String, storeTag: UInt32) -> Revision? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let value = UInt64(parts[1], radix: 16) else { return nil }
        let revision = Revision(rawValue: Int64(bitPattern: value))
        return Etag(storeTag: storeTag, revision: revision).description == text ? revision : nil
    }

    /// Eight hexadecimal digits, the first one in the byte that comes first in memory.
    private static func digits(_ value: UInt32) -> UInt64 {
        // Four bits to a byte.
        var bytes = UInt64(value)
        bytes = (bytes | bytes << 16) & 0x0000_FFFF_0000_FFFF
        bytes = (bytes | bytes << 8) & 0x00FF_00FF_00FF_00FF
        bytes = (bytes | bytes << 4) & 0x0F0F_0F0F_0F0F_0F0F
        // A one in each byte that holds ten or more: those are letters, which come 39 places after where ten would be.
        let letters = (bytes + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return (bytes + 0x3030_3030_3030_3030 + letters * 39).bigEndian
    }

    package var description: String {
        String(unsafeUninitializedCapacity: Self.textByteCountMax) { buffer in
            self.write(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
