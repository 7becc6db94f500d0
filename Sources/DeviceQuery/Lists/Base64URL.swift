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
            // Whether there was anything but letters is looked for once, at the end: no letter is above 127, and what is none lacks a
            // mark.
            var (start, count) = (0, 0)
            var (seen, marks): (UInt32, UInt32) = (0, Self.mark)
            while letters.count - start >= 4 {
                let word = UInt32(littleEndian: letters.loadUnaligned(fromByteOffset: start, as: UInt32.self))
                let first = Self.value(word & 0x7F)
                let second = Self.value(word >> 8 & 0x7F)
                let third = Self.value(word >> 16 & 0x7F)
                let fourth = Self.value(word >> 24 & 0x7F)
                seen |= word
                marks &= first & second & third & fourth
                // The marks are taken away together.
                let bits = first << 18 &+ second << 12 &+ third << 6 &+ fourth &- Self.mark &* 0x04_1041
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
                let letter = UInt32(letters[start + place])
                let value = Self.value(letter & 0x7F)
                seen |= letter
                marks &= value
                bits |= (value & 63) << UInt32(18 - 6 * place)
            }
            for place in 0..<max(rest - 1, 0) {
                bytes[count] = UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * place))
                count += 1
            }
            let unused = bits & (0xFFFF >> UInt32(8 * max(rest - 2, 0)))
            return seen & 0x8080_8080 == 0 && marks != 0 && rest != 1 && unused == 0 ? count : nil
        }
    }

    /// What a letter stands for, with its mark. A branch for each kind would be guessed wrong: letters of a token are in no order.
    @inline(__always)
    private static func value(_ letter: UInt32) -> UInt32 {
        UInt32(Self.values.utf8Start[Int(letter)])
    }

    /// The bit beside what a letter stands for.
    private static var mark: UInt32 { 64 }

    /// By letter: the character whose code is what the letter stands for and the mark; `!`, which lacks it, for what is no letter.
    private static var values: StaticString {
        #"""
        !!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!~!!tuvwxyz{|}!!!!!!\#
        !@ABCDEFGHIJKLMNOPQRSTUVWXY!!!!\#u{7F}!Z[\]^_`abcdefghijklmnopqrs!!!!!
        """#
    }
}
