// A number as it is written, without the rounding of a Double.

/// A decimal number by RFC 8259.
struct JSONNumber {
    private let isNegative: Bool
    /// Digits of the number, the point left out.
    private let digits: [UInt8]
    /// How many of the digits stand after the point.
    private let fractionCount: Int
    private let exponent: Int

    /// Nil where the text is no JSON number.
    init?(_ text: String) {
        var scanner = NumberScanner(rest: text.utf8[...])
        self.isNegative = scanner.skip("-")
        let whole = scanner.digits()
        guard !whole.isEmpty, whole.count == 1 || whole.first != UInt8(ascii: "0") else { return nil }
        var fraction: [UInt8] = []
        if scanner.skip(".") {
            fraction = scanner.digits()
            guard !fraction.isEmpty else { return nil }
        }
        var exponent = 0
        if scanner.skip("e") || scanner.skip("E") {
            let isNegative = scanner.skip("-")
            _ = isNegative || scanner.skip("+")
            let digits = scanner.digits()
            guard !digits.isEmpty else { return nil }
            // Whatever is beyond this is beyond every type, or zero.
            let magnitude = Int(String(decoding: digits, as: UTF8.self)) ?? 1 << 32
            exponent = isNegative ? -magnitude : magnitude
        }
        guard scanner.rest.isEmpty else { return nil }
        self.digits = whole + fraction
        self.fractionCount = fraction.count
        self.exponent = min(max(exponent, -1 << 32), 1 << 32)
    }

    /// The number if it is whole, however it is written (`1e3`, `20.0`), and within the type's range; else nil.
    func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer? {
        var digits = Array(self.digits.drop { $0 == UInt8(ascii: "0") })
        var zeroCount = self.exponent - self.fractionCount
        while zeroCount < 0, digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            zeroCount += 1
        }
        guard !digits.isEmpty else { return 0 }
        // No type has more digits than this.
        guard (0...20).contains(zeroCount) else { return nil }
        digits += Array(repeating: UInt8(ascii: "0"), count: zeroCount)
        return Integer((self.isNegative ? "-" : "") + String(decoding: digits, as: UTF8.self))
    }
}

/// Reads the parts of a number from the front.
struct NumberScanner {
    private(set) var rest: Substring.UTF8View

    init(rest: Substring.UTF8View) {
        self.rest = rest
    }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard self.rest.first == UInt8(ascii: character) else { return false }
        self.rest.removeFirst()
        return true
    }

    /// As many digits as there are.
    mutating func digits() -> [UInt8] {
        let digits = self.rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        self.rest.removeFirst(digits.count)
        return Array(digits)
    }
}
