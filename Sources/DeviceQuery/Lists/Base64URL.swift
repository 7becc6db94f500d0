// RFC 4648, section 5, without padding: text that passes through a URL or a shell as it is.

/// Bytes as `A-Z a-z 0-9 - _`.
enum Base64URL {
    private static var alphabet: StaticString { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" }

    static func encode(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: (bytes.count * 4 + 2) / 3) { output in
            let letters = Self.alphabet.utf8Start
            var count = 0
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let second = start + 1 < bytes.count ? UInt32(bytes[start + 1]) : 0
                let third = start + 2 < bytes.count ? UInt32(bytes[start + 2]) : 0
                let bits = UInt32(bytes[start]) << 16 | second << 8 | third
                // Three bytes are four letters, two are three and one is two.
                for place in 0..<min(4, bytes.count - start + 1) {
                    output[count] = letters[Int(bits >> UInt32(18 - 6 * place) & 63)]
                    count += 1
                }
            }
            return count
        }
    }

    /// Nil for any other character, for a length that no bytes have, and for unused bits that are set: each value has one text.
    static func decode(_ text: String) -> [UInt8]? {
        var isText = true
        let bytes = [UInt8](unsafeUninitializedCapacity: text.utf8.count * 3 / 4) { output, count in
            var pending: UInt32 = 0
            var bitCount: UInt32 = 0
            for character in text.utf8 {
                guard let value = Self.value(character) else { return isText = false }
                pending = pending << 6 | value
                bitCount += 6
                guard bitCount >= 8 else { continue }
                bitCount -= 8
                output[count] = UInt8(truncatingIfNeeded: pending >> bitCount)
                count += 1
            }
            isText = bitCount < 6 && pending & (1 << bitCount - 1) == 0
        }
        return isText ? bytes : nil
    }

    private static func value(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
