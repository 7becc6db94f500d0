// RFC 4648, section 5, without padding: text that passes through a URL or a shell as it is.

/// Bytes as `A-Z a-z 0-9 - _`.
package enum Base64URL {
    private static var alphabet: StaticString { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" }

    /// The text of `bytes`.
    package static func encode(_ bytes: UnsafeRawBufferPointer) -> String {
        String(unsafeUninitializedCapacity: (bytes.count * 4 + 2) / 3) { output in
            let letters = Self.alphabet.utf8Start
            var (start, count) = (0, 0)
            while bytes.count - start >= 3 {
                let bits = Int(bytes[start]) << 16 | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])
                output[count] = letters[bits >> 18]
                output[count + 1] = letters[bits >> 12 & 63]
                output[count + 2] = letters[bits >> 6 & 63]
                output[count + 3] = letters[bits & 63]
                start += 3
                count += 4
            }
            guard start < bytes.count else { return count }
            // Two bytes are three letters and one is two.
            let second = start + 1 < bytes.count ? Int(bytes[start + 1]) : 0
            let bits = Int(bytes[start]) << 16 | second << 8
            for place in 0...(bytes.count - start) {
                output[count] = letters[bits >> (18 - 6 * place) & 63]
                count += 1
            }
            return count
        }
    }

    /// How many bytes a text may stand for.
    package static func byteCountMax(_ text: String) -> Int { text.utf8.count * 3 / 4 }

    /// Writes what `text` stands for to `bytes`, which has room for ``byteCountMax(_:)``, and tells how many they are.
    ///
    /// - Returns: nil for any other character, for a length that no bytes have, and for unused bits that are set: each value has one
    ///   text.
    package static func decode(_ text: String, into bytes: UnsafeMutableRawBufferPointer) -> Int? {
        text.withBytes { letters in
            // What is no letter stands for 64: that is looked for once, at the end.
            var (start, count, seen): (Int, Int, UInt32) = (0, 0, 0)
            while letters.count - start >= 4 {
                let first = Self.value(letters[start])
                let second = Self.value(letters[start + 1])
                let third = Self.value(letters[start + 2])
                let fourth = Self.value(letters[start + 3])
                seen |= first | second | third | fourth
                let bits = first << 18 | second << 12 | third << 6 | fourth
                bytes[count] = UInt8(truncatingIfNeeded: bits >> 16)
                bytes[count + 1] = UInt8(truncatingIfNeeded: bits >> 8)
                bytes[count + 2] = UInt8(truncatingIfNeeded: bits)
                start += 4
                count += 3
            }
            // Three letters are two bytes, two are one, and one is none.
            let rest = letters.count - start
            var bits: UInt32 = 0
            for place in 0..<rest {
                let value = Self.value(letters[start + place])
                seen |= value
                bits |= value << UInt32(18 - 6 * place)
            }
            for place in 0..<max(rest - 1, 0) {
                bytes[count] = UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * place))
                count += 1
            }
            let unused = bits & (0xFFFF >> UInt32(8 * max(rest - 2, 0)))
            return seen < 64 && rest != 1 && unused == 0 ? count : nil
        }
    }

    /// What a letter stands for, or 64. A branch for each kind would be guessed wrong: letters of a token are in no order.
    @inline(__always)
    private static func value(_ letter: UInt8) -> UInt32 {
        UInt32(Self.values.utf8Start[Int(min(letter, 0x7F))]) &- 0x20
    }

    /// By letter: what it stands for, or 64, as the character that lies 0x20 above.
    private static var values: StaticString {
        #"""
        `````````````````````````````````````````````^``TUVWXYZ[\]``````\#
        ` !"#$%&'()*+,-./0123456789````_`:;<=>?@ABCDEFGHIJKLMNOPQRS`````
        """#
    }
}
