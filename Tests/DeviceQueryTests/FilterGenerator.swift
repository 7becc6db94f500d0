// Filters from a seed.

import DeviceModel
import DeviceQuery
import RollcallTesting

/// Trees that a text can give, and texts of them.
struct FilterGenerator {
    var random: SeededGenerator

    private static let columns: [FilterField] = [
        .id, .createdDate, .updatedDate, .deviceSerial, .ownerRef, .hardwareVersion, .lastSeen, .releaseID,
        .releaseVersion, .releaseRevision, .cohortID, .cohortSlug, .cohortName, .etag,
    ]
    private static let fields = Self.columns + FilterFixture.keys.map(FilterField.attribute)
    private static let scraps = [
        "\"", "'", "\\", "*", "**", "\\*", "é", "e\u{301}", "\u{301}", "👩\u{200D}👧", "\u{A0}", "\u{200D}", "“",
        "\u{7F}",
        "AND", "OR", "NOT", "and", "-", "+", " ", "\n", "\t", "(", ")", ",", "=", "!=", "<", ":", ":*", "/", ".", "_",
        "id", "attributes.zone", "release", "true", "null", "nan", "5", "1e3", "2019-01-19T05:01:13Z", "a", "beta", "",
        "\u{7F}",
    ]

    init(seed: UInt64) {
        self.random = SeededGenerator(seed: seed)
    }

    // MARK: Trees

    /// Up to three lists and negations deep, less those that `depth` counts as already around it.
    mutating func tree(depth: Int = 0) -> FilterExpression {
        switch depth < 3 ? Int.random(in: 0..<7, using: &self.random) : 6 {
        case 0, 1:
            return .all(
                self.parts(depth) { part in
                    if case .all = part { true } else { false }
                })
        case 2, 3:
            return .any(
                self.parts(depth) { part in
                    if case .any = part { true } else { false }
                })
        case 4:
            let part = self.tree(depth: depth + 1)
            if case .not = part { return part }
            return .not(part)
        case 5:
            return .presence(self.random.pick(Self.fields))
        default:
            return self.comparison()
        }
    }

    private mutating func parts(
        _ depth: Int, without isOfSameKind: (FilterExpression) -> Bool
    ) -> [FilterExpression] {
        (0..<Int.random(in: 2...4, using: &self.random)).map { _ in
            let part = self.tree(depth: depth + 1)
            return isOfSameKind(part) ? self.comparison() : part
        }
    }

    private mutating func comparison() -> FilterExpression {
        let field = self.random.pick(Self.fields)
        let equality = self.random.pick([FilterOperator.equal, .notEqual])
        let any = self.random.pick(FilterOperator.allCases)
        switch field.valueType {
        case .integer:
            let number = self.number()
            let isInteger = self.random.oneIn(2) || Int64(exactly: number) != nil
            let integer = self.random.pick([Int64.random(in: .min ... .max, using: &self.random), 0, 1, -1, .min, .max])
            return .comparison(field, any, isInteger ? .integer(integer) : .float(number))
        case .float:
            return .comparison(field, any, .float(self.number()))
        case .bool:
            return .comparison(field, equality, .bool(self.random.oneIn(2)))
        case .time:
            let range = Timestamp.min.microseconds...Timestamp.max.microseconds
            let time = Timestamp(microseconds: Int64.random(in: range, using: &self.random)) ?? .epoch
            return .comparison(field, any, .time(self.random.pick([time, .min, .max])))
        case .symbol:
            return .comparison(field, equality, .text(self.text()))
        case .text:
            guard self.random.oneIn(2) else { return .comparison(field, any, .text(self.text())) }
            let pieces = (0..<Int.random(in: 2...4, using: &self.random)).map { _ in Array(self.text().utf8) }
            return .comparison(field, equality, .pattern(TextPattern(pieces: pieces)))
        }
    }

    private mutating func text() -> String {
        (0..<Int.random(in: 0...4, using: &self.random)).map { _ in self.random.pick(Self.scraps) }.joined()
    }

    private mutating func number() -> Double {
        let number = self.random.pick([
            Double(bitPattern: self.random.next()), 0, -0.0, 1.5, 0x1p63, -0x1p63, .greatestFiniteMagnitude,
            .leastNonzeroMagnitude, Double.random(in: -1_000...1_000, using: &self.random),
        ])
        return number.isFinite ? number : 0.1
    }

    // MARK: Texts

    /// The tree in other words than its description: other names, spaces, quotes, and parentheses that change nothing.
    mutating func text(_ tree: FilterExpression) -> String {
        let text: String
        switch tree {
        case .all(let parts):
            text = self.joined(parts, by: [" AND ", " ", "\nAND ", "  AND\t"])
        case .any(let parts):
            text = self.joined(parts, by: [" OR ", "  OR\n"])
        case .not(let part):
            let inner = self.text(part)
            switch part {
            case .all, .any: return self.random.pick(["NOT (", "-(", "NOT(", "---("]) + inner + ")"
            case .not, .comparison, .presence: return self.random.pick(["NOT ", "-", "NOT --"]) + inner
            }
        case .comparison(let field, let operation, let operand):
            // A star alone after a colon would ask for presence.
            let isStar = operand == .pattern(TextPattern(pieces: [[], []]))
            let symbol = operation == .equal && !isStar && self.random.oneIn(3) ? ":" : operation.symbol
            text = self.name(field) + self.space() + symbol + self.space() + self.value(operand)
        case .presence(let field):
            text = self.name(field) + self.space() + ":" + self.space() + "*"
        }
        switch tree {
        case .comparison, .presence: return self.random.oneIn(6) ? "( \(text))" : text
        case .all, .any, .not: return text
        }
    }

    private mutating func joined(_ parts: [FilterExpression], by separators: [String]) -> String {
        var text = ""
        for part in parts {
            if !text.isEmpty { text += self.random.pick(separators) }
            switch part {
            case .all, .any: text += "(" + self.text(part) + ")"
            case .not, .comparison, .presence: text += self.text(part)
            }
        }
        return text
    }

    private mutating func space() -> String { self.random.pick(["", " ", "\t ", "\u{3000}"]) }

    private mutating func name(_ field: FilterField) -> String {
        switch field {
        case .releaseVersion: return self.random.pick(["release", "release.version", "last_seen_release.version"])
        case .releaseRevision: return self.random.pick(["release.revision", "last_seen_release.revision"])
        case .releaseID: return self.random.pick(["release.id", "last_seen_release.id"])
        case .cohortSlug: return self.random.pick(["cohort", "cohort.slug"])
        case .attribute(let key):
            let text = key.metric.stringKey
            let spelled = self.random.pick([text, text.uppercased(), text.lowercased()])
            let forms = ["attributes.\"\(spelled)\"", "attributes.'\(spelled)'", "attributes.\(spelled)"]
            return self.random.pick(text.contains { $0 == " " || $0 == ":" } ? Array(forms.prefix(2)) : forms)
        default: return field.name
        }
    }

    private mutating func value(_ operand: FilterOperand) -> String {
        switch operand {
        case .integer(let value): return value < 0 ? "\(value)" : self.random.pick(["", "+", "00"]) + "\(value)"
        case .float(let value): return self.random.oneIn(2) ? "\(value)" : "\(value)".uppercased()
        case .bool(let value): return "\(value)"
        case .time(let value): return self.random.pick(["\(value)", "\"\(value)\"", "'\(value)'"])
        case .text(let text): return self.quoted([text])
        case .pattern(let pattern): return self.quoted(pattern.pieces.map { String(decoding: $0, as: UTF8.self) })
        }
    }

    /// Texts with stars between them, in one kind of quotes or the other, or in none where they are plain.
    private mutating func quoted(_ pieces: [String]) -> String {
        let text = pieces.joined(separator: "*")
        let isPlain = text.utf8.allSatisfy { AttributePath.isPlain($0) || $0 == UInt8(ascii: "*") }
        let isWord = FilterFixture.refusal("owner_ref = \(text)") != nil
        if isPlain, !isWord, !text.isEmpty, pieces.allSatisfy({ !$0.contains("*") }), self.random.oneIn(2) {
            return text
        }
        let quote: Character = self.random.pick(["\"", "'"])
        let escaped = pieces.map { piece in
            var escaped = String.UnicodeScalarView()
            for scalar in piece.unicodeScalars {
                let isQuote = quote.unicodeScalars.contains(scalar)
                if isQuote || scalar == "\\" || scalar == "*" { escaped.append("\\") }
                escaped.append(scalar)
            }
            return String(escaped)
        }
        return "\(quote)\(escaped.joined(separator: self.random.pick(["*", "**"])))\(quote)"
    }

    /// A text with a few bytes changed, taken out, put in or doubled; what is no UTF-8 then is replaced.
    mutating func garbled(_ text: String) -> String {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &self.random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &self.random)
            let end = min(bytes.count, place + Int.random(in: 1...8, using: &self.random))
            switch Int.random(in: 0..<6, using: &self.random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &self.random)
            case 1: bytes[place] = self.random.pick(Array(#"()"'\*=!<>:,-& "#.utf8))
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: self.random.pick(Self.scraps).utf8, at: place)
            case 4: bytes.insert(contentsOf: bytes[place..<end], at: place)
            default: bytes.swapAt(place, end - 1)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
