// VALUE of `KEY=VALUE` on a command line.

internal import DeviceModel

extension AttributeValue {
    /// Reads a JSON scalar other than null; any other text stands for itself.
    ///
    /// A number without fraction and exponent is an INT where it fits into 64 bits, else a FLOAT.
    init(argument text: String) {
        switch text {
        case "true": self = .bool(true)
        case "false": self = .bool(false)
        default:
            if let number = Self(jsonNumber: text) {
                self = number
            } else {
                self = .string(Self.jsonString(text) ?? text)
            }
        }
    }

    /// Nil unless the whole of `text` is a number by the grammar of RFC 8259, section 6.
    private init?(jsonNumber text: String) {
        var rest = Substring(text)
        func digits() -> Substring {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            rest.removeFirst(digits.count)
            return digits
        }
        if rest.first == "-" {
            rest.removeFirst()
        }
        let whole = digits()
        guard !whole.isEmpty, whole == "0" || whole.first != "0" else { return nil }
        var isInteger = true
        if rest.first == "." {
            rest.removeFirst()
            guard !digits().isEmpty else { return nil }
            isInteger = false
        }
        if rest.first == "e" || rest.first == "E" {
            rest.removeFirst()
            if rest.first == "+" || rest.first == "-" {
                rest.removeFirst()
            }
            guard !digits().isEmpty else { return nil }
            isInteger = false
        }
        guard rest.isEmpty else { return nil }
        if isInteger, let integer = Int64(text) {
            self = .int(integer)
        } else if let number = Double(text), number.isFinite {
            self = .float(number)
        } else {
            return nil
        }
    }

    /// The text of a JSON string by RFC 8259, section 7; nil for anything else.
    private static func jsonString(_ text: String) -> String? {
        let scalars = Array(text.unicodeScalars)
        guard scalars.count >= 2, scalars.first == "\"", scalars.last == "\"" else { return nil }
        var units: [UInt16] = []
        var rest = scalars[1..<(scalars.count - 1)]
        while let scalar = rest.popFirst() {
            guard scalar != "\"", scalar.value >= 0x20 else { return nil }
            guard scalar == "\\" else {
                units.append(contentsOf: UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter)
                continue
            }
            switch rest.popFirst() {
            case "\"": units.append(0x22)
            case "\\": units.append(0x5C)
            case "/": units.append(0x2F)
            case "b": units.append(0x08)
            case "f": units.append(0x0C)
            case "n": units.append(0x0A)
            case "r": units.append(0x0D)
            case "t": units.append(0x09)
            case "u":
                let digits = String(String.UnicodeScalarView(rest.prefix(4)))
                guard digits.count == 4, digits.allSatisfy(\.isHexDigit), let unit = UInt16(digits, radix: 16) else {
                    return nil
                }
                units.append(unit)
                rest.removeFirst(4)
            default: return nil
            }
        }
        // A lone surrogate is no text.
        return String(validating: units, as: UTF16.self)
    }
}
