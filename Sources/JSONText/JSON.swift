// JSON whose objects keep the order of their members, which the Devices API's documentation shows and scripts compare.

/// A JSON value, for writing.
package enum JSON: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    /// Written so that reading it gives the same number; `null` where it is not finite, for JSON has no such number.
    case double(Double)
    case string(String)
    case array([JSON])
    case object([(name: String, value: JSON)])

    /// How values are laid out.
    package enum Style: Sendable {
        /// On one line, with a space after each comma and colon.
        case line
        /// A member a line, indented by two spaces a level.
        case indented
    }

    /// The string, or `null` where there is none.
    package static func text(_ text: String?) -> JSON {
        text.map(JSON.string) ?? .null
    }

    /// The number, or `null` where there is none.
    package static func number(_ number: Int64?) -> JSON {
        number.map(JSON.int) ?? .null
    }

    /// The value's text.
    package func text(_ style: Style, depth: Int = 0) -> String {
        var text = ""
        self.write(to: &text, style: style, depth: depth)
        return text
    }

    private func write(to text: inout String, style: Style, depth: Int) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += String(value)
        case .double(let value): text += value.isFinite ? value.description : "null"
        case .string(let value): text.append(quoting: value)
        case .array(let elements):
            Self.write(elements, between: "[", "]", to: &text, style: style, depth: depth) { element, text in
                element.write(to: &text, style: style, depth: depth + 1)
            }
        case .object(let members):
            Self.write(members, between: "{", "}", to: &text, style: style, depth: depth) { member, text in
                text.append(quoting: member.name)
                text += ": "
                member.value.write(to: &text, style: style, depth: depth + 1)
            }
        }
    }

    private static func write<Element>(
        _ elements: [Element],
        between start: Character,
        _ end: Character,
        to text: inout String,
        style: Style,
        depth: Int,
        writeElement: (Element, inout String) -> Void
    ) {
        text.append(start)
        for (index, element) in elements.enumerated() {
            switch style {
            case .line: text += index == 0 ? "" : ", "
            case .indented: text += (index == 0 ? "" : ",") + Self.lineBreak(depth: depth + 1)
            }
            writeElement(element, &text)
        }
        if style == .indented, !elements.isEmpty {
            text += Self.lineBreak(depth: depth)
        }
        text.append(end)
    }

    /// A new line, indented for what stands `depth` levels deep.
    package static func lineBreak(depth: Int) -> String {
        "\n" + String(repeating: "  ", count: depth)
    }
}

extension String {
    /// Appends `string` as a JSON string.
    ///
    /// Escapes what RFC 8259 asks for, and whatever else would steer a terminal, which any reader of JSON turns back.
    fileprivate mutating func append(quoting string: String) {
        self.append("\"")
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": self += "\\\""
            case "\\": self += "\\\\"
            case "\n": self += "\\n"
            case "\r": self += "\\r"
            case "\t": self += "\\t"
            case _ where scalar.steersTerminal:
                let digits = String(scalar.value, radix: 16)
                self += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: self.unicodeScalars.append(scalar)
            }
        }
        self.append("\"")
    }
}
