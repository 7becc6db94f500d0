// A filter as text again, for people who read plans and for comparing filters by what they mean.

extension FilterExpression: CustomStringConvertible {
    /// AIP-160 text that reads back as the same tree, as long as the tree is one that a text can give.
    ///
    /// Such a tree has no list in a list of its kind and no negation of a negation. Every text is in quotes, every
    /// field has its shortest name, and parentheses are only where they are needed, so that the text nests no deeper
    /// than the one it came from. It may be longer.
    package var description: String {
        var text = ""
        self.write(into: &text)
        return text
    }

    private func write(into text: inout String) {
        switch self {
        case .all(let parts):
            Self.write(parts, separator: " AND ", isOR: false, into: &text)
        case .any(let parts):
            Self.write(parts, separator: " OR ", isOR: true, into: &text)
        case .not(let part):
            text += "NOT "
            switch part {
            case .all, .any: part.write(into: &text, inParentheses: true)
            case .not, .comparison, .presence: part.write(into: &text)
            }
        case .comparison(let field, let operation, let operand):
            text += field.name + " " + operation.symbol + " "
            operand.write(into: &text)
        case .presence(let field):
            text += field.name + ":*"
        }
    }

    private func write(into text: inout String, inParentheses: Bool) {
        if inParentheses { text += "(" }
        self.write(into: &text)
        if inParentheses { text += ")" }
    }

    private static func write(_ parts: [FilterExpression], separator: String, isOR: Bool, into text: inout String) {
        for (index, part) in parts.enumerated() {
            if index > 0 { text += separator }
            switch part {
            case .all: part.write(into: &text, inParentheses: true)
            case .any: part.write(into: &text, inParentheses: isOR)
            case .not, .comparison, .presence: part.write(into: &text)
            }
        }
    }
}

extension FilterField {
    /// The shortest name that a filter has for it.
    package var name: String {
        switch self {
        case .id: "id"
        case .createdDate: "created_date"
        case .updatedDate: "updated_date"
        case .deviceSerial: "device_serial"
        case .ownerRef: "owner_ref"
        case .hardwareVersion: "hardware_version"
        case .lastSeen: "last_seen"
        case .releaseID: "release.id"
        case .releaseVersion: "release"
        case .releaseRevision: "release.revision"
        case .cohortID: "cohort.id"
        case .cohortSlug: "cohort"
        case .cohortName: "cohort.name"
        case .etag: "etag"
        case .attribute(let key): "attributes." + AttributePath.written(key.metric.stringKey)
        }
    }
}

extension FilterOperator {
    /// As a filter has it.
    package var symbol: String {
        switch self {
        case .equal: "="
        case .notEqual: "!="
        case .less: "<"
        case .lessOrEqual: "<="
        case .greater: ">"
        case .greaterOrEqual: ">="
        }
    }
}

extension FilterOperand {
    fileprivate func write(into text: inout String) {
        switch self {
        case .integer(let value): text += value.description
        case .float(let value):
            // A description has no more digits than a Double needs; where an integer is asked for, they say another one.
            let integer = value.magnitude < 0x1p53 ? nil : Int64(exactly: value)
            text += integer.map { "\($0).0" } ?? value.description
        case .bool(let value): text += value.description
        case .time(let value): text += value.description
        case .text(let value):
            text += "\""
            Self.escape(value.utf8, into: &text)
            text += "\""
        case .pattern(let pattern):
            text += "\""
            for (index, piece) in pattern.pieces.enumerated() {
                if index > 0 { text += "*" }
                Self.escape(piece, into: &text)
            }
            text += "\""
        }
    }

    /// Appends UTF-8 with a backslash before each character that means something in quotes.
    private static func escape(_ bytes: some Sequence<UInt8>, into text: inout String) {
        var escaped: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "*"): escaped.append(UInt8(ascii: "\\"))
            default: break
            }
            escaped.append(byte)
        }
        text += String(decoding: escaped, as: UTF8.self)
    }
}
