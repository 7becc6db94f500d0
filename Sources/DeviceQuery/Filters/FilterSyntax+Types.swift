// From the shape of a filter to its meaning: every name a field, every value of a type that the field takes.

internal import DeviceModel

extension FilterSyntax {
    func expression(
        attributeKey: (String) -> AttributeKeyRecord?, attributeKeyNames: () -> [String]
    ) throws(FilterFault) -> FilterExpression {
        func expressions(_ parts: [FilterSyntax]) throws(FilterFault) -> [FilterExpression] {
            var expressions: [FilterExpression] = []
            for part in parts {
                expressions.append(
                    try part.expression(attributeKey: attributeKey, attributeKeyNames: attributeKeyNames))
            }
            return expressions
        }
        switch self {
        case .all(let parts):
            return .all(try expressions(parts))
        case .any(let parts):
            return .any(try expressions(parts))
        case .not(let part):
            return .not(try part.expression(attributeKey: attributeKey, attributeKeyNames: attributeKeyNames))
        case .comparison(let name, let comparator, let literal):
            let asksPresence = comparator.isHas && literal.isLoneStar
            let field = try name.field(
                forPresence: asksPresence, attributeKey: attributeKey, attributeKeyNames: attributeKeyNames)
            if asksPresence { return .presence(field) }
            try field.check(comparator)
            return .comparison(field, comparator.operation, try field.operand(literal, comparator))
        }
    }
}

extension FilterField {
    /// Refuses an order where the field has none.
    fileprivate func check(_ comparator: FilterComparator) throws(FilterFault) {
        switch self.valueType {
        case .bool, .symbol:
            guard comparator.operation == .equal || comparator.operation == .notEqual else {
                throw FilterFault(
                    "compares \(self.name), which has no order, with '\(comparator.symbol)'", at: comparator.offset,
                    "write = or !=")
            }
        case .integer, .float, .text, .time:
            break
        }
    }

    fileprivate func operand(
        _ literal: FilterLiteral, _ comparator: FilterComparator
    ) throws(FilterFault) -> FilterOperand {
        if !literal.isQuoted, FilterName.isKnown(literal.text) {
            throw FilterFault(
                "compares \(self.name) with another field, \(quoted(literal.text)),", at: literal.offset,
                "write a value, in quotes if it reads like a field")
        }
        switch self.valueType {
        case .text:
            return comparator.operation == .equal || comparator.operation == .notEqual
                ? literal.textOrPattern : .text(literal.text)
        case .symbol:
            guard literal.stars.isEmpty else {
                throw self.refusal(literal, "it takes no wildcard: write it whole, or \(self.name):* for any")
            }
            return .text(literal.text)
        case .bool:
            switch literal.text {
            case "true" where !literal.isQuoted: return .bool(true)
            case "false" where !literal.isQuoted: return .bool(false)
            default: throw self.refusal(literal, "write true or false, without quotes")
            }
        case .time:
            guard let time = Timestamp(rfc3339: literal.text) else {
                throw self.refusal(literal, "write a time with its offset, such as 2019-01-19T05:01:13Z")
            }
            return .time(time)
        case .integer, .float:
            return try self.number(literal)
        }
    }

    private func number(_ literal: FilterLiteral) throws(FilterFault) -> FilterOperand {
        let isInteger = self.valueType == .integer
        guard let isWhole = literal.text.isWholeNumber else {
            throw self.refusal(literal, isInteger ? "write an integer" : "write a number, such as 20, 1.5 or 2.5e3")
        }
        guard !literal.isQuoted else { throw self.refusal(literal, "write the number without quotes") }
        if isInteger, isWhole, let value = Int64(literal.text) { return .integer(value) }
        guard let value = Double(literal.text), value.isFinite else {
            throw self.refusal(literal, "write a number whose magnitude is below 1.8e308")
        }
        guard isInteger else { return .float(value) }
        if isWhole {
            // Beyond the integers, and not rounded back to the least of them.
            return .float(value < 0 ? min(value, Double(Int64.min).nextDown) : value)
        }
        return Int64(exactly: value).map(FilterOperand.integer) ?? .float(value)
    }

    private func refusal(_ literal: FilterLiteral, _ advice: String) -> FilterFault {
        var advice = advice
        switch self.valueType {
        case .bool, .integer, .float, .time:
            if !literal.stars.isEmpty || (!literal.isQuoted && literal.text == "null") {
                advice += "; for devices that have a value write \(self.name):*, for the others NOT \(self.name):*"
            }
        case .text, .symbol:
            break
        }
        return FilterFault(
            "compares \(self.name)\(self.typeNote) with \(quoted(literal.text))", at: literal.offset, advice)
    }

    /// For a sentence; empty for a text, which takes every value.
    private var typeNote: String {
        if case .attribute(let key) = self { return " (\(key.metric.dataType))" }
        switch self.valueType {
        case .integer: return " (an integer)"
        case .time: return " (a time)"
        case .float, .bool, .text, .symbol: return ""
        }
    }
}

extension FilterLiteral {
    fileprivate var textOrPattern: FilterOperand {
        guard !self.stars.isEmpty else { return .text(self.text) }
        let bytes = Array(self.text.utf8)
        var pieces: [[UInt8]] = []
        var start = 0
        for star in self.stars {
            pieces.append(Array(bytes[start..<star]))
            start = star + 1
        }
        pieces.append(Array(bytes[start...]))
        return .pattern(TextPattern(pieces: pieces))
    }
}

extension String {
    /// Whether a decimal number has neither fraction nor exponent; nil for what is no decimal number.
    ///
    /// A sign, digits, a point and digits, an exponent: at least one digit before it, and after the point.
    fileprivate var isWholeNumber: Bool? {
        var rest = self.utf8[...]
        func take(_ characters: String) -> Bool {
            guard let first = rest.first, characters.utf8.contains(first) else { return false }
            rest.removeFirst()
            return true
        }
        func digitCount() -> Int {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest[digits.endIndex...]
            return digits.count
        }
        _ = take("+-")
        let wholeDigitCount = digitCount()
        if wholeDigitCount > 0, rest.isEmpty { return true }
        if take(".") {
            guard digitCount() > 0 else { return nil }
        } else if wholeDigitCount == 0 {
            return nil
        }
        if take("eE") {
            _ = take("+-")
            guard digitCount() > 0 else { return nil }
        }
        return rest.isEmpty ? false : nil
    }
}
