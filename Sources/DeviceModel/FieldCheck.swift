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
        } else if !text.utf8.allSatisfy({ allowed.contains($0) }),
            let bad = text.unicodeScalars.first(where: { !$0.isASCII || !allowed.contains(UInt8($0.value)) })
        {
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
    /// A bit for each character below 64, and for each from there on.
    private let bits: (low: UInt64, high: UInt64)

    static let slug = SymbolSet("[-A-Za-z0-9_]", punctuation: "-_")
    static let serial = SymbolSet("[-A-Za-z0-9_.:]", punctuation: "-_.:")
    static let hardwareVersion = SymbolSet("[-A-Za-z0-9_.+:]", punctuation: "-_.+:")
    static let attributeKey = SymbolSet("[-A-Za-z0-9_.:/ ]", punctuation: "-_.:/ ")

    private init(_ description: String, punctuation: String) {
        self.description = description
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        var bits: (low: UInt64, high: UInt64) = (0, 0)
        for byte in (letters + letters.lowercased() + "0123456789" + punctuation).utf8 {
            if byte < 64 { bits.low |= 1 << UInt64(byte) } else { bits.high |= 1 << UInt64(byte - 64) }
        }
        self.bits = bits
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        byte < 128 && (byte < 64 ? self.bits.low >> UInt64(byte) : self.bits.high >> UInt64(byte - 64)) & 1 == 1
    }
}
