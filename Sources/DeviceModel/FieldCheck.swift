// What a field may hold, checked in one place, with a sentence for each refusal.

/// One bad field: where it is and what would be right.
public struct FieldViolation: Hashable, Sendable {
    /// The field's path in the request, such as `device.owner_ref` or `release[2]`.
    public var field: String
    /// A sentence that says what was wrong and what would be right.
    public var description: String

    public init(field: String, description: String) {
        self.field = field
        self.description = description
    }
}

/// Collects every bad field of a request, so that a caller can mend them all at once.
package struct FieldCheck {
    package private(set) var violations: [FieldViolation] = []

    package static let slugLengthMax = 128
    package static let serialLengthMax = 128
    package static let hardwareVersionLengthMax = 128
    package static let ownerRefCharacterCountMax = 256
    package static let nameCharacterCountMax = 128
    package static let releaseCharacterCountMax = 128
    package static let attributeKeyLengthMax = 128
    package static let attributeStringByteCountMax = 4_096
    /// How many bad fields are listed; a request with more is hostile, and its refusal stays small.
    package static let violationCountMax = 1_000

    package init() {}

    package mutating func refuse(_ field: String, _ description: String) {
        guard self.violations.count < Self.violationCountMax else { return }
        self.violations.append(FieldViolation(field: field, description: description))
    }

    package mutating func serial(_ text: String, field: String) {
        self.symbols(text, field: field, allowed: .serial, lengthMax: Self.serialLengthMax)
    }

    package mutating func hardwareVersion(_ text: String, field: String) {
        self.symbols(text, field: field, allowed: .hardwareVersion, lengthMax: Self.hardwareVersionLengthMax)
    }

    package mutating func slug(_ text: String, field: String) {
        self.symbols(text, field: field, allowed: .slug, lengthMax: Self.slugLengthMax)
    }

    package mutating func ownerRef(_ text: String, field: String) {
        self.characters(text, field: field, 1...Self.ownerRefCharacterCountMax)
    }

    package mutating func name(_ text: String, field: String) {
        self.characters(text, field: field, 1...Self.nameCharacterCountMax)
    }

    package mutating func releaseVersion(_ text: String, field: String) {
        self.characters(text, field: field, 1...Self.releaseCharacterCountMax)
    }

    package mutating func releaseRevision(_ text: String, field: String) {
        self.characters(text, field: field, 0...Self.releaseCharacterCountMax)
    }

    package mutating func attributeKey(_ text: String, field: String) {
        self.symbols(text, field: field, allowed: .attributeKey, lengthMax: Self.attributeKeyLengthMax)
        if text.utf8.first == 0x20 || text.utf8.last == 0x20 {
            self.refuse(field, "must not begin or end with a space")
        }
    }

    package mutating func attributeValue(_ value: AttributeValue, field: String) {
        switch value {
        case .int, .bool:
            break
        case .float(let number):
            if !number.isFinite {
                self.refuse(field, "must be a finite number, not \(number)")
            }
        case .string(let text):
            let byteCount = text.utf8.count
            if byteCount > Self.attributeStringByteCountMax {
                self.refuse(field, "must be at most \(Self.attributeStringByteCountMax) bytes long, not \(byteCount)")
            }
        }
    }

    private mutating func symbols(_ text: String, field: String, allowed: SymbolSet, lengthMax: Int) {
        let byteCount = text.utf8.count
        if byteCount == 0 {
            self.refuse(field, "must not be empty; it takes 1 to \(lengthMax) of \(allowed.description)")
        } else if byteCount > lengthMax {
            self.refuse(field, "must be at most \(lengthMax) characters long, not \(byteCount)")
        } else if let bad = text.unicodeScalars.first(where: { !allowed.contains($0) }) {
            self.refuse(
                field,
                "must not hold '\(bad.escaped(asASCII: false))'; it takes 1 to \(lengthMax) of \(allowed.description)")
        }
    }

    private mutating func characters(_ text: String, field: String, _ range: ClosedRange<Int>) {
        // A character is a Unicode scalar, as databases and other languages count them.
        let count = text.unicodeScalars.count
        if count < range.lowerBound {
            self.refuse(field, "must not be empty; it takes 1 to \(range.upperBound) characters")
        } else if count > range.upperBound {
            self.refuse(field, "must be at most \(range.upperBound) characters long, not \(count)")
        }
    }
}

/// The ASCII characters that a symbol field takes.
private struct SymbolSet {
    let description: String
    private let punctuation: String

    static let slug = SymbolSet(description: "[-A-Za-z0-9_]", punctuation: "-_")
    static let serial = SymbolSet(description: "[-A-Za-z0-9_.:]", punctuation: "-_.:")
    static let hardwareVersion = SymbolSet(description: "[-A-Za-z0-9_.+:]", punctuation: "-_.+:")
    static let attributeKey = SymbolSet(description: "[-A-Za-z0-9_.:/ ]", punctuation: "-_.:/ ")

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9": true
        default: self.punctuation.unicodeScalars.contains(scalar)
        }
    }
}
