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
            var (pending, bitCount, count): (UInt32, UInt32, Int) = (0, 0, 0)
            var isText = true
            for letter in letters {
                let value = Self.value(letter)
                isText = isText && value < 64
                pending = pending << 6 | value & 63
                bitCount += 6
                guard bitCount >= 8 else { continue }
                bitCount -= 8
                bytes[count] = UInt8(truncatingIfNeeded: pending >> bitCount)
                count += 1
            }
            return isText && bitCount < 6 && pending & (1 << bitCount - 1) == 0 ? count : nil
        }
    }

    /// What a letter stands for, or more than 63. Letters of a token are in no order: a branch for each kind would be guessed wrong.
    @inline(__always)
    private static func value(_ letter: UInt8) -> UInt32 {
        var value: UInt32 = .max
        value = letter &- UInt8(ascii: "A") < 26 ? UInt32(letter &- UInt8(ascii: "A")) : value
        value = letter &- UInt8(ascii: "a") < 26 ? UInt32(letter &- UInt8(ascii: "a")) + 26 : value
        value = letter &- UInt8(ascii: "0") < 10 ? UInt32(letter &- UInt8(ascii: "0")) + 52 : value
        value = letter == UInt8(ascii: "-") ? 62 : value
        return letter == UInt8(ascii: "_") ? 63 : value
    }
}
