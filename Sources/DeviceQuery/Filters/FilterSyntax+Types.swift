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
        guard literal.text.isDecimalNumber else {
            throw self.refusal(literal, isInteger ? "write an integer" : "write a number, such as 20, 1.5 or 2.5e3")
        }
        guard !literal.isQuoted else { throw self.refusal(literal, "write the number without quotes") }
        guard let value = Double(literal.text), value.isFinite else {
            throw self.refusal(literal, "write a number whose magnitude is below 1.8e308")
        }
        guard isInteger else { return .float(value) }
        guard let (floor, hasFraction) = literal.text.integerPart else {
            // Beyond the integers, and not rounded back to the least of them.
            return .float(value < 0 ? min(value, Double(Int64.min).nextDown) : value)
        }
        guard hasFraction else { return .integer(floor) }
        guard value == value.rounded() else { return .float(value) }
        // The fraction was lost in rounding. Any number between the same two integers says the same, where there is one.
        if floor.magnitude < 1 << 52 { return .float(Double(floor) + 0.5) }
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
    /// The largest integer that is not above a decimal number, and whether the number lies beyond it; nil where it does not fit.
    ///
    /// Digit by digit: a floating-point number has fewer of them than an integer.
    fileprivate var integerPart: (floor: Int64, hasFraction: Bool)? {
        let parts = self.split { $0 == "e" || $0 == "E" }
        let halves = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = halves.count > 1 ? halves[1] : ""
        var digits = Substring(halves[0].filter { $0 != "+" && $0 != "-" } + fraction).drop { $0 == "0" }
        guard !digits.isEmpty else { return (0, false) }
        // No filter has digits enough to make up for an exponent of more than 32 bits.
        let written = parts.count > 1 ? Int32(parts[1]) ?? (parts[1].hasPrefix("-") ? .min : .max) : 0
        var exponent = Int(written) - fraction.count
        while digits.last == "0" {
            digits.removeLast()
            exponent += 1
        }
        let isNegative = self.hasPrefix("-")
        let digitCount = digits.count + exponent
        guard digitCount <= Self.integerDigitCountMax else { return nil }
        let whole = digits.prefix(max(digitCount, 0)) + String(repeating: "0", count: max(exponent, 0))
        guard let truncated = Int64((isNegative ? "-0" : "0") + whole) else { return nil }
        guard exponent < 0, isNegative else { return (truncated, exponent < 0) }
        let (floor, isBeyond) = truncated.subtractingReportingOverflow(1)
        return isBeyond ? nil : (floor, true)
    }

    /// Digits of the largest integer.
    private static var integerDigitCountMax: Int { 19 }

    /// A sign, digits, a point and digits, an exponent: at least one digit before it, and after the point.
    fileprivate var isDecimalNumber: Bool {
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
        if take(".") {
            guard digitCount() > 0 else { return false }
        } else if wholeDigitCount == 0 {
            return false
        }
        if take("eE") {
            _ = take("+-")
            guard digitCount() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
