// Takes the text of a filter apart.

internal import DeviceModel

/// Takes a filter's text apart, word by word.
///
/// What a character means depends on where it stands, as `:` ends a name and is part of a value; so the parser says
/// which of them it expects.
struct FilterLexer {
    private let bytes: [UInt8]
    /// Of the next character, in bytes.
    private(set) var offset = 0

    init(_ text: String) {
        self.bytes = Array(text.utf8)
    }

    /// The next character.
    var next: Unicode.Scalar? {
        guard self.offset < self.bytes.count else { return nil }
        let byte = self.bytes[self.offset]
        if UTF8.isASCII(byte) { return Unicode.Scalar(byte) }
        var decoder = UTF8()
        var rest = self.bytes[self.offset...].makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&rest) else {
            preconditionFailure("the bytes of a string are UTF-8")
        }
        return scalar
    }

    private mutating func skip(_ scalar: Unicode.Scalar) {
        self.offset += UTF8.width(scalar)
    }

    private mutating func skipSpace() {
        while let scalar = self.next, scalar.isSpace { self.skip(scalar) }
    }

    private func text(from start: Int) -> String {
        String(decoding: self.bytes[start..<self.offset], as: UTF8.self)
    }

    // MARK: Where a comparison may begin

    /// Takes the next token.
    mutating func token() throws(FilterFault) -> FilterToken {
        self.skipSpace()
        let start = self.offset
        guard let scalar = self.next else { return FilterToken(kind: .end, offset: start) }
        switch scalar {
        case "(", ")":
            self.skip(scalar)
            return FilterToken(kind: scalar == "(" ? .open : .close, offset: start)
        case "-":
            self.skip(scalar)
            guard let negated = self.next, !negated.isSpace else {
                throw FilterFault(
                    "has '-' on its own", at: start, "write it right before what it negates, or write NOT")
            }
            return FilterToken(kind: .minus, offset: start)
        case "\"", "'":
            return FilterToken(kind: .text(try self.quotedText()), offset: start)
        default:
            guard scalar.isOfNames else { return FilterToken(kind: .stray(scalar), offset: start) }
            return try self.word()
        }
    }

    /// Takes a keyword or a name.
    private mutating func word() throws(FilterFault) -> FilterToken {
        let start = self.offset
        while let scalar = self.next, scalar.isOfNames { self.skip(scalar) }
        let word = self.text(from: start)
        switch word {
        case "AND": return FilterToken(kind: .and, offset: start)
        case "OR": return FilterToken(kind: .or, offset: start)
        case "NOT": return FilterToken(kind: .not, offset: start)
        default: break
        }
        guard let quote = self.next, quote.isQuote else {
            let name = FilterName(source: word, quotedKey: nil, offset: start)
            return FilterToken(kind: .name(name), offset: start)
        }
        guard word == "attributes." else {
            throw FilterFault(
                "has the quote \(quoted(String(quote))) in a name", at: self.offset,
                "only a whole attribute key takes quotes, as in attributes.\"Key with spaces\"")
        }
        let key = try self.quotedText().text
        if let scalar = self.next, scalar.isOfNames || scalar.isQuote { throw self.afterQuote(scalar) }
        let name = FilterName(source: self.text(from: start), quotedKey: key, offset: start)
        return FilterToken(kind: .name(name), offset: start)
    }

    // MARK: After a name

    /// Takes the operator after a name; nil where there is none.
    mutating func comparator() throws(FilterFault) -> FilterComparator? {
        self.skipSpace()
        let start = self.offset
        if let scalar = self.next, scalar == ":" {
            self.skip(scalar)
            return FilterComparator(operation: .equal, isHas: true, offset: start)
        }
        while let scalar = self.next, scalar.isOfOperators { self.skip(scalar) }
        guard self.offset > start else { return nil }
        let symbol = self.text(from: start)
        guard let operation = FilterOperator(symbol) else {
            throw FilterFault(
                "has the unknown operator \(quoted(symbol))", at: start, "write =, !=, <, <=, >, >= or :")
        }
        return FilterComparator(operation: operation, isHas: false, offset: start)
    }

    // MARK: After an operator

    /// Takes the value that `name` is compared with.
    mutating func literal(
        for name: FilterName, _ comparator: FilterComparator
    ) throws(FilterFault) -> FilterLiteral {
        self.skipSpace()
        let isQuoted = self.next?.isQuote == true
        let literal = isQuoted ? try self.quotedText() : try self.plainText(for: name, comparator)
        switch self.next {
        case nil, ")":
            return literal
        case let scalar? where scalar.isSpace:
            return literal
        case ",":
            throw FilterFault(
                "has a list of values for \(quoted(name.source))", at: self.offset,
                name.advice(onSeveralValuesOf: comparator) + "; between comparisons write AND")
        case "(" where !isQuoted:
            throw FilterFault.function(literal.text, at: literal.offset)
        case let scalar? where isQuoted:
            throw self.afterQuote(scalar)
        case let scalar?:
            let advice =
                switch scalar {
                case "&", "|": "write \(scalar == "&" ? "AND" : "OR"), or put a value that holds it in quotes"
                case "=", "!", "<", ">": "a comparison has one operator; put a value or a key that holds one in quotes"
                default: "put a value that holds it in quotes"
                }
            throw FilterFault(
                "has \(quoted(String(scalar))) in or after the value \(quoted(literal.text))", at: self.offset, advice)
        }
    }

    private mutating func plainText(
        for name: FilterName, _ comparator: FilterComparator
    ) throws(FilterFault) -> FilterLiteral {
        let start = self.offset
        guard let first = self.next else {
            throw FilterFault("ends without a value for \(quoted(name.source))", at: start, "write one")
        }
        switch first {
        case "(":
            throw FilterFault(
                "has parentheses for the value of \(quoted(name.source))", at: start,
                name.advice(onSeveralValuesOf: comparator))
        case "\u{2018}", "\u{2019}", "\u{201C}", "\u{201D}":
            throw FilterFault("has the curly quote \(quoted(String(first)))", at: start, "write \" or '")
        default:
            break
        }
        while let scalar = self.next, scalar.isOfPlainValues { self.skip(scalar) }
        guard self.offset > start else {
            throw FilterFault(
                "has \(quoted(String(first))) where the value of \(quoted(name.source)) belongs", at: start,
                "write a value, in quotes if it holds more than letters, digits and .:-+/_")
        }
        let text = self.text(from: start)
        if FilterName.isKeyword(text) {
            throw FilterFault(
                "has the word \(text) where the value of \(quoted(name.source)) belongs", at: start,
                "write a value, or \"\(text)\" if that is the value")
        }
        let stars = text.utf8.enumerated().filter { $0.element == UInt8(ascii: "*") }.map(\.offset)
        return FilterLiteral(text: text, stars: stars, isQuoted: false, offset: start)
    }

    // MARK: Quotes

    /// Takes a text in quotes; the opening one is next.
    private mutating func quotedText() throws(FilterFault) -> FilterLiteral {
        let start = self.offset
        let quote = self.bytes[start]
        var text: [UInt8] = []
        var stars: [Int] = []
        self.offset += 1
        while self.offset < self.bytes.count {
            let byte = self.bytes[self.offset]
            self.offset += 1
            switch byte {
            case quote:
                return FilterLiteral(
                    text: String(decoding: text, as: UTF8.self), stars: stars, isQuoted: true, offset: start)
            case UInt8(ascii: "\\"):
                text.append(try self.escapedByte())
            case UInt8(ascii: "*"):
                stars.append(text.count)
                text.append(byte)
            default:
                text.append(byte)
            }
        }
        let shown = Unicode.Scalar(quote)
        throw FilterFault(
            "has the unclosed quote \(quoted(String(shown)))", at: start,
            "write \(shown) again where the text ends, and \\\(shown) for one within")
    }

    /// Takes what stands after a backslash.
    private mutating func escapedByte() throws(FilterFault) -> UInt8 {
        guard let scalar = self.next, scalar.isQuote || scalar == "\\" || scalar == "*" else {
            let escape = "\\" + (self.next.map { String($0) } ?? "")
            throw FilterFault(
                "has the unknown escape \(quoted(escape))", at: self.offset - 1,
                "write \\\\ for a backslash; the others are \\\", \\' and \\*")
        }
        let byte = self.bytes[self.offset]
        self.offset += 1
        return byte
    }

    private func afterQuote(_ scalar: Unicode.Scalar) -> FilterFault {
        FilterFault(
            "has \(quoted(String(scalar))) right after a closing quote", at: self.offset,
            "put a space between them, or the whole in one pair of quotes")
    }
}
