// The words of a filter, each with the place where it stands.

internal import DeviceModel

/// What stands where a comparison may begin. Offsets are in bytes of UTF-8, from 0.
struct FilterToken {
    enum Kind {
        case end, open, close, minus, and, or, not
        case name(FilterName)
        /// A text in quotes, which no comparison begins with.
        case text(FilterLiteral)
        /// A character that begins nothing; it is not taken.
        case stray(Unicode.Scalar)
    }

    var kind: Kind
    var offset: Int
}

/// What a comparison asks about, before it is known whether there is such a thing.
struct FilterName {
    /// Whole, as written.
    var source: String
    /// The key in `attributes."Key"`, without quotes and escapes; nil where there are no quotes.
    var quotedKey: String?
    var offset: Int
}

/// An operator, and where it stands.
struct FilterComparator {
    var operation: FilterOperator
    /// Written `:`, which is `=` but for asking for presence.
    var isHas: Bool
    var offset: Int

    var symbol: String { self.isHas ? ":" : self.operation.symbol }
}

/// The value of a comparison, before its type is known.
struct FilterLiteral {
    /// Without quotes and escapes, each star as itself.
    var text: String
    /// The offsets in the text's UTF-8 of the stars that no backslash made plain.
    var stars: [Int]
    var isQuoted: Bool
    var offset: Int

    /// In `name:*` the wish for any value at all.
    var isLoneStar: Bool { !self.isQuoted && self.text == "*" }
}

extension FilterOperator {
    /// Nil where a filter has no such operator but, maybe, `:`.
    init?(_ symbol: String) {
        switch symbol {
        case "=": self = .equal
        case "!=": self = .notEqual
        case "<": self = .less
        case "<=": self = .lessOrEqual
        case ">": self = .greater
        case ">=": self = .greaterOrEqual
        default: return nil
        }
    }
}

extension FilterName {
    static func isKeyword(_ word: String) -> Bool {
        word == "AND" || word == "OR" || word == "NOT"
    }

    /// As written, for advice on what to write; of a long one only what it is.
    var shown: String { self.source.utf8.count <= 2 * FieldCheck.attributeKeyLengthMax ? self.source : "name" }

    /// How a comparison with any of several values is written.
    func advice(onSeveralValuesOf comparator: FilterComparator) -> String {
        let comparison = comparator.isHas ? "\(self.shown):" : "\(self.shown) \(comparator.symbol) "
        let isNegative = comparator.operation == .notEqual
        return "write \(comparison)A \(isNegative ? "AND" : "OR") \(comparison)B"
    }
}

extension Unicode.Scalar {
    var isQuote: Bool { self == "\"" || self == "'" }

    var isOfOperators: Bool { self == "=" || self == "!" || self == "<" || self == ">" }

    var isSpace: Bool {
        self.isASCII ? self == " " || (0x09...0x0D).contains(self.value) : self.properties.isWhitespace
    }

    private var isSpaceOrControl: Bool {
        self.isASCII
            ? self.value <= 0x20 || self.value == 0x7F
            : self.properties.isWhitespace || self.properties.generalCategory == .control
    }

    var isOfNames: Bool {
        switch self {
        case "(", ")", ",", "\"", "'", "=", "!", "<", ">", ":": false
        default: !self.isSpaceOrControl
        }
    }

    /// What other languages give a meaning to takes quotes, so that a filter in one of them is not taken for a value.
    var isOfPlainValues: Bool {
        switch self {
        case ":": true
        case "&", "|", ";", "[", "]", "{", "}", "\\", "`": false
        default: self.isOfNames
        }
    }
}
