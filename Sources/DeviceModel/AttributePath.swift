// How a request names an attribute: `attributes.key`, or `attributes."A key"` where the key has other characters.

/// The names of attributes in sort keys, groupings and filters.
package enum AttributePath {
    private static let prefix = "attributes."

    /// The key that `path` names, ASCII letters in lower case; nil where it names none.
    ///
    /// Without quotes a key holds no space; with them it may hold any character that a key has.
    package static func key(of path: some StringProtocol) -> String? {
        guard path.utf8.starts(with: Self.prefix.utf8) else { return nil }
        // By bytes, as paths are split: a quote is one whatever mark follows it.
        var bytes = Substring(path).utf8.dropFirst(Self.prefix.utf8.count)
        let quote = UInt8(ascii: "\"")
        if bytes.first == quote {
            guard bytes.count >= 2, bytes.last == quote else { return nil }
            bytes = bytes.dropFirst().dropLast()
        } else if bytes.contains(UInt8(ascii: " ")) {
            return nil
        }
        let key = String(Substring(bytes))
        var check = FieldCheck()
        check.attributeKey(key, field: "")
        return check.violations.isEmpty ? CustomMetric.folded(key) : nil
    }

    /// A key as a path has it: in quotes where it needs them.
    package static func written(_ key: String) -> String {
        key.utf8.allSatisfy(Self.isPlain) ? key : "\"" + key + "\""
    }

    /// Whether a character stands in a path without quotes everywhere, in filters too.
    package static func isPlain(_ character: UInt8) -> Bool {
        switch character {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// The parts of a text between separators, those within double quotes left alone.
    ///
    /// - Parameter separator: an ASCII character.
    package static func split<Text: StringProtocol>(_ text: Text, at separator: Unicode.Scalar) -> [Substring] {
        let (quote, separator) = (UInt8(ascii: "\""), UInt8(ascii: separator))
        var isQuoted = false
        let parts = Substring(text).utf8.split(omittingEmptySubsequences: false) { byte in
            if byte == quote { isQuoted.toggle() }
            return !isQuoted && byte == separator
        }
        return parts.map(Substring.init)
    }
}
