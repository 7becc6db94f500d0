// Which attribute keys a caller wants.

/// A pattern in which `*` stands for any characters, compared without regard to case and with the whole key.
struct KeyPattern {
    /// Longer than any key with a star between each two of its characters.
    static let byteCountMax = 257

    /// The pattern's bytes, ASCII letters in lower case.
    private let bytes: [UInt8]

    init(_ text: some StringProtocol) {
        self.bytes = text.utf8.map(Self.folded)
    }

    /// Whether the pattern matches all of `key`; an empty one matches every key.
    ///
    /// - Complexity: O(length of the pattern × length of the key). Only the last star met is ever tried again: a longer match of
    ///   an earlier one could not help what follows it.
    func matches(_ key: String) -> Bool {
        guard !self.bytes.isEmpty else { return true }
        let key = Array(key.utf8)
        var patternIndex = 0
        var keyIndex = 0
        var retry: (patternIndex: Int, keyIndex: Int)?
        while keyIndex < key.count {
            if patternIndex < self.bytes.count, self.bytes[patternIndex] == UInt8(ascii: "*") {
                patternIndex += 1
                retry = (patternIndex, keyIndex)
            } else if patternIndex < self.bytes.count, self.bytes[patternIndex] == Self.folded(key[keyIndex]) {
                patternIndex += 1
                keyIndex += 1
            } else if let last = retry {
                retry = (last.patternIndex, last.keyIndex + 1)
                patternIndex = last.patternIndex
                keyIndex = last.keyIndex + 1
            } else {
                return false
            }
        }
        return self.bytes[patternIndex...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
