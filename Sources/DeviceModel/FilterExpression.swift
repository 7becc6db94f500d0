// What a filter text means: a tree of comparisons whose names and types have been checked.

/// A filter after parsing (AIP-160): which devices match, by comparisons of their fields.
///
/// Two-valued: a comparison with a value that a device does not have is false, `!=` too, and `not` inverts it.
/// A tree that comes from a text has no list in a list of its kind and no negation of a negation.
package indirect enum FilterExpression: Hashable, Sendable {
    /// Every part holds; at least two.
    case all([FilterExpression])
    /// At least one part holds; at least two.
    case any([FilterExpression])
    case not(FilterExpression)
    case comparison(FilterField, FilterOperator, FilterOperand)
    /// The device has a value of the field. An empty `owner_ref` or `release.revision` counts as none.
    case presence(FilterField)
}

/// What a comparison asks about.
package enum FilterField: Hashable, Sendable {
    case id
    case createdDate
    case updatedDate
    case deviceSerial
    case ownerRef
    case hardwareVersion
    case lastSeen
    case releaseID
    case releaseVersion
    case releaseRevision
    case cohortID
    case cohortSlug
    case cohortName
    case etag
    case attribute(AttributeKeyRecord)

    /// What its values are, and so which operators and operands it takes.
    package enum ValueType: Hashable, Sendable {
        case integer, float, bool, text, time
        /// Text that is the same or is not, and has no order.
        case symbol
    }

    package var valueType: ValueType {
        switch self {
        case .id, .releaseID, .cohortID: .integer
        case .createdDate, .updatedDate, .lastSeen: .time
        case .deviceSerial, .ownerRef, .hardwareVersion, .releaseVersion, .releaseRevision, .cohortSlug, .cohortName:
            .text
        case .etag: .symbol
        case .attribute(let key):
            switch key.metric.dataType {
            case .int: .integer
            case .float: .float
            case .bool: .bool
            case .string: .text
            }
        }
    }
}

package enum FilterOperator: Hashable, Sendable, CaseIterable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
}

/// The value that a field is compared with; of a type that its field takes.
package enum FilterOperand: Hashable, Sendable {
    case integer(Int64)
    /// Finite. Also for an integer field, where the literal is no integer or too large for one.
    case float(Double)
    /// Only with `=` and `!=`.
    case bool(Bool)
    case text(String)
    /// Only with `=` and `!=`.
    case pattern(TextPattern)
    case time(Timestamp)

    /// Texts are the same by their bytes, numbers by their bits.
    package static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): left == right
        case (.float(let left), .float(let right)): left.bitPattern == right.bitPattern
        case (.bool(let left), .bool(let right)): left == right
        case (.text(let left), .text(let right)): left.hasSameBytes(as: right)
        case (.pattern(let left), .pattern(let right)): left == right
        case (.time(let left), .time(let right)): left == right
        default: false
        }
    }

    package func hash(into hasher: inout Hasher) {
        switch self {
        case .integer(let value): hasher.combine(value)
        case .float(let value): hasher.combine(value.bitPattern)
        case .bool(let value): hasher.combine(value)
        case .text(let value): value.hashBytes(into: &hasher)
        case .pattern(let value): hasher.combine(value)
        case .time(let value): hasher.combine(value)
        }
    }
}

/// A text with `*` for any characters, by the pieces between the stars: `a*b` is `a` and `b`, `*` alone two empty ones.
package struct TextPattern: Hashable, Sendable {
    /// The UTF-8 of each piece; at least two, and none between the first and the last is empty.
    package let pieces: [[UInt8]]
    /// Of the pieces between the first and the last, for finding them in one go.
    private let borders: [[Int]]

    /// Stars beside one another ask for no more than one: an empty piece between others is left out.
    package init(pieces: [[UInt8]]) {
        precondition(pieces.count >= 2, "a pattern has a star")
        let last = pieces.count - 1
        self.pieces = pieces.enumerated().filter { $0 == 0 || $0 == last || !$1.isEmpty }.map(\.element)
        self.borders = self.pieces.dropFirst().dropLast().map(Self.borders)
    }

    /// What every match begins with.
    package var prefix: [UInt8] { self.pieces[0] }

    /// Whether the prefix is all that it asks for.
    package var isPrefix: Bool { self.pieces.count == 2 && self.pieces[1].isEmpty }

    /// - Complexity: O(length of the text and the pattern).
    package func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        let (first, last) = (self.pieces[0], self.pieces[self.pieces.count - 1])
        guard text.count >= first.count + last.count, text.starts(with: first),
            text.suffix(last.count).elementsEqual(last)
        else { return false }
        // Each piece between is taken where it comes first, which leaves the most for those after it.
        var rest = text[first.count..<(text.count - last.count)]
        for (piece, borders) in zip(self.pieces[1..<(self.pieces.count - 1)], self.borders) {
            guard let end = Self.firstEnd(of: piece, borders, in: rest) else { return false }
            rest = rest[end...]
        }
        return true
    }

    /// Where the first occurrence of a piece ends, by Knuth, Morris and Pratt: no byte of the text is looked at again.
    private static func firstEnd(of piece: [UInt8], _ borders: [Int], in text: Slice<UnsafeRawBufferPointer>) -> Int? {
        var matched = 0
        for index in text.indices {
            while matched > 0, piece[matched] != text[index] { matched = borders[matched - 1] }
            if piece[matched] == text[index] { matched += 1 }
            if matched == piece.count { return index + 1 }
        }
        return nil
    }

    /// For each beginning of a piece, the length of the longest shorter beginning that it also ends with.
    private static func borders(of piece: [UInt8]) -> [Int] {
        var borders = Array(repeating: 0, count: piece.count)
        var length = 0
        for index in piece.indices.dropFirst() {
            while length > 0, piece[length] != piece[index] { length = borders[length - 1] }
            if piece[length] == piece[index] { length += 1 }
            borders[index] = length
        }
        return borders
    }
}

extension FilterExpression {
    /// Whether a part of it asks about the name of a cohort.
    package var asksCohortNames: Bool {
        switch self {
        case .all(let parts), .any(let parts): parts.contains(where: \.asksCohortNames)
        case .not(let part): part.asksCohortNames
        case .comparison(let field, _, _), .presence(let field): field == .cohortName
        }
    }

    /// How many comparisons it has.
    package var termCount: Int {
        switch self {
        case .all(let parts), .any(let parts): parts.reduce(0) { $0 + $1.termCount }
        case .not(let part): part.termCount
        case .comparison, .presence: 1
        }
    }
}
