// The shape of a filter: what is joined and negated how, before anything is known about names and types.

internal import DeviceModel

/// A filter whose shape is right.
///
/// Lists have at least two parts, none of them a list of the same kind, and nothing is negated twice.
indirect enum FilterSyntax {
    case all([FilterSyntax])
    case any([FilterSyntax])
    case not(FilterSyntax)
    case comparison(FilterName, FilterComparator, FilterLiteral)

    /// The conjunction of `parts`, those that are conjunctions themselves taken apart; a single part is itself.
    static func joinedByAND(_ parts: [FilterSyntax]) -> FilterSyntax {
        if parts.count == 1 { return parts[0] }
        return .all(
            parts.flatMap { part in
                if case .all(let inner) = part { inner } else { [part] }
            })
    }

    /// The same for a disjunction.
    static func joinedByOR(_ parts: [FilterSyntax]) -> FilterSyntax {
        if parts.count == 1 { return parts[0] }
        return .any(
            parts.flatMap { part in
                if case .any(let inner) = part { inner } else { [part] }
            })
    }

    /// What is true where this is false: a comparison is either, so two negations are none.
    var negated: FilterSyntax {
        if case .not(let inner) = self { inner } else { .not(self) }
    }
}

/// Parses by recursive descent, with one token of foresight and as deep as the limit allows.
struct FilterSyntaxParser {
    private var lexer: FilterLexer
    private var token: FilterToken
    private var comparisonCount = 0
    private let depthMax: Int
    private let comparisonCountMax: Int

    init(_ text: String, limits: Limits) throws(FilterFault) {
        self.lexer = FilterLexer(text)
        self.token = try self.lexer.token()
        self.depthMax = limits.filterDepthMax
        self.comparisonCountMax = limits.filterTermCountMax
    }

    /// The whole filter; nil where there is none.
    mutating func filter() throws(FilterFault) -> FilterSyntax? {
        if case .end = self.token.kind { return nil }
        let syntax = try self.expression(depth: 0)
        guard case .end = self.token.kind else {
            throw FilterFault(
                "has ')' without '('", at: self.token.offset, "take it out, or open a parenthesis before it")
        }
        return syntax
    }

    private mutating func advance() throws(FilterFault) {
        self.token = try self.lexer.token()
    }

    /// Up to a closing parenthesis or the end.
    private mutating func expression(depth: Int) throws(FilterFault) -> FilterSyntax {
        var parts = [try self.factor(depth: depth)]
        while true {
            switch self.token.kind {
            case .end, .close:
                return .joinedByAND(parts)
            case .and:
                try self.advance()
                parts.append(try self.factor(depth: depth))
            default:
                parts.append(try self.factor(depth: depth))
            }
        }
    }

    private mutating func factor(depth: Int) throws(FilterFault) -> FilterSyntax {
        var parts = [try self.term(depth: depth)]
        while case .or = self.token.kind {
            try self.advance()
            parts.append(try self.term(depth: depth))
        }
        return .joinedByOR(parts)
    }

    private mutating func term(depth: Int) throws(FilterFault) -> FilterSyntax {
        var depth = depth
        var isNegated = false
        while true {
            switch self.token.kind {
            case .not, .minus:
                try self.deepen(&depth)
                isNegated.toggle()
                try self.advance()
            case .open:
                let opening = self.token.offset
                try self.deepen(&depth)
                try self.advance()
                let syntax = try self.expression(depth: depth)
                guard case .close = self.token.kind else {
                    throw FilterFault("has '(' without ')'", at: opening, "write ) after what it groups")
                }
                try self.advance()
                return isNegated ? syntax.negated : syntax
            case .name(let name):
                let comparison = try self.comparison(name)
                return isNegated ? .not(comparison) : comparison
            default:
                throw self.missingComparison()
            }
        }
    }

    private func deepen(_ depth: inout Int) throws(FilterFault) {
        depth += 1
        guard depth <= self.depthMax else {
            throw FilterFault(
                "nests parentheses and negations more than \(self.depthMax) deep", at: self.token.offset,
                "filter_depth allows \(self.depthMax)")
        }
    }

    private mutating func comparison(_ name: FilterName) throws(FilterFault) -> FilterSyntax {
        if let advice = name.adviceOnKeyword {
            throw FilterFault("has the word \(quoted(name.source))", at: name.offset, advice)
        }
        if self.lexer.next == "(" { throw FilterFault.function(name.source, at: name.offset) }
        guard let comparator = try self.lexer.comparator() else {
            throw name.isKnown
                ? FilterFault(
                    "names \(quoted(name.source)) without comparing it", at: name.offset,
                    "write an operator and a value, or \(name.shown):* for devices that have one")
                : Self.bareWord(name.source, at: name.offset)
        }
        self.comparisonCount += 1
        guard self.comparisonCount <= self.comparisonCountMax else {
            throw FilterFault(
                "has more than \(self.comparisonCountMax) comparisons, the next one", at: name.offset,
                "filter_terms allows \(self.comparisonCountMax)")
        }
        let literal = try self.lexer.literal(for: name, comparator)
        try self.advance()
        return .comparison(name, comparator, literal)
    }

    // MARK: Refusals

    private static func bareWord(_ word: String, at offset: Int) -> FilterFault {
        FilterFault(
            "has the bare word \(quoted(word))", at: offset,
            "write which field to compare with it, as in owner_ref = depot-7")
    }

    /// What is said of a token that no term begins with.
    private mutating func missingComparison() -> FilterFault {
        let offset = self.token.offset
        let belongs = "where a comparison belongs"
        let advice = "write one, as in owner_ref = depot-7"
        switch self.token.kind {
        case .end: return FilterFault("ends \(belongs)", at: offset, advice)
        case .and: return FilterFault("has the word AND \(belongs)", at: offset, advice)
        case .or: return FilterFault("has the word OR \(belongs)", at: offset, advice)
        case .close: return FilterFault("has ')' \(belongs)", at: offset, advice)
        case .text(let literal):
            let comparator = try? self.lexer.comparator()
            guard comparator != nil else { return Self.bareWord(literal.text, at: offset) }
            return FilterFault("has the name \(quoted(literal.text)) in quotes", at: offset, "write it without them")
        case .stray("!"): return FilterFault("has '!' \(belongs)", at: offset, "write NOT")
        case .stray(","): return FilterFault("has ',' \(belongs)", at: offset, "write AND or OR between comparisons")
        case .stray("="), .stray("<"), .stray(">"), .stray(":"):
            return FilterFault(
                "has an operator \(belongs)", at: offset, "write a name before it; a comparison has one operator")
        case .stray(let scalar): return FilterFault("has \(quoted(String(scalar))) \(belongs)", at: offset, advice)
        case .open, .minus, .not, .name: preconditionFailure("a term begins with this token")
        }
    }
}

extension FilterName {
    /// What to write for a word that is a keyword in another spelling; nil for any other.
    fileprivate var adviceOnKeyword: String? {
        switch self.source {
        case "&", "&&": return "write AND"
        case "|", "||": return "write OR"
        default:
            guard self.source.utf8.count <= 3 else { return nil }
            let capitals = self.source.uppercased()
            return Self.isKeyword(capitals) ? "write \(capitals) in capitals" : nil
        }
    }
}
