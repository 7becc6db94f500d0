// A filter as the engine asks it: words replaced by what the fleet has under them.

internal import DeviceModel

/// Which rows match, in negation normal form: only tests are negated.
///
/// Made for one fleet in one state: codes and rows are that state's. A row that has not changed since is judged alike later, for a code
/// stays with its text as long as a row has it.
enum Condition {
    case always
    case never
    case test(RowTest, isNegated: Bool)
    /// At least two parts, none of them `all`.
    case all([Condition])
    /// At least two parts, none of them `any`.
    case any([Condition])
}

/// A question with yes or no for an answer, asked of one row.
enum RowTest {
    /// The field's code is one of these.
    case codes(DictionaryField, CodeList)
    /// It has a release.
    case released
    case number(NumberField, ClosedRange<Int64>)
    case text(TextField, TextMatch)
    /// It is one of these rows, which ascend.
    case rows([UInt32])
    /// It has a value under this key, of which the test holds.
    case attribute(key: Int, AttributeTest)
}

/// Codes of one field, ascending, with how many rows have them.
struct CodeList {
    var codes: [UInt32]
    /// Exact, for a device has one value of a field.
    var rowCount: Int
    /// How many of the codes have large sets of rows.
    var largeCount: Int
}

enum AttributeTest {
    case present
    /// Of integers, floats and booleans, by ``AttributeColumn/sortValue(_:)``.
    case range(ClosedRange<Int64>)
    case text(TextMatch)
}

/// A number of a row; one that may be missing is then ``missing``.
enum NumberField: UInt8 {
    case id
    case createdDate
    case updatedDate
    case lastSeen
    case etagRevision
    case releaseID
    case cohortID

    /// Below every value; also what a device never seen has for `last_seen`.
    static var missing: Int64 { DeviceRow.neverSeen }
}

/// A text of a row.
enum TextField: UInt8 {
    case deviceSerial
    case ownerRef
    case hardwareVersion
    case releaseVersion
    case releaseRevision
    case cohortSlug
    case cohortName
}

/// What is asked of a text.
enum TextMatch {
    case equal([UInt8])
    case less([UInt8], orEqual: Bool)
    case greater([UInt8], orEqual: Bool)
    case pattern(TextPattern)

    /// - Complexity: O(length of the text), of a pattern its length × the longest piece.
    func holds(_ text: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .equal(let bytes): bytes.withUnsafeBytes { text.holdsSameBytes(as: $0) }
        case .less(let bytes, let orEqual): bytes.withUnsafeBytes { text.order(against: $0) < (orEqual ? 1 : 0) }
        case .greater(let bytes, let orEqual): bytes.withUnsafeBytes { text.order(against: $0) > (orEqual ? -1 : 0) }
        case .pattern(let pattern): pattern.matches(text)
        }
    }
}

// MARK: - Building

extension Condition {
    static func test(_ test: RowTest) -> Condition {
        .test(test, isNegated: false)
    }

    static func not(_ test: RowTest) -> Condition {
        .test(test, isNegated: true)
    }

    /// Every one of `parts`, joined where two of them ask about the same thing.
    static func every(_ parts: [Condition]) -> Condition {
        if parts.count == 1 { return parts[0] }
        var kept: [Condition] = []
        kept.reserveCapacity(parts.count)
        for part in parts {
            switch part {
            case .always: continue
            case .never: return .never
            case .all(let inner): for part in inner { kept.add(part) { $0.intersection($1) } }
            case .test, .any: kept.add(part) { $0.intersection($1) }
            }
        }
        if kept.contains(where: \.isNever) { return .never }
        return Condition(all: kept)
    }

    /// Asks `part`, which is no conjunction and has nothing to be joined with, as well.
    mutating func add(_ part: consuming Condition) {
        if part.isNever { self = .never }
        if part.isAlways { return }
        switch self {
        case .always: self = part
        case .never: break
        case .test, .any: self = .all([self, part])
        case .all(var parts):
            // The array is not to be shared while it grows.
            self = .always
            parts.append(part)
            self = .all(parts)
        }
    }

    /// Every one of `parts`, which are conjuncts of one condition.
    init(all parts: [Condition]) {
        self = parts.count > 1 ? .all(parts) : parts.first ?? .always
    }

    /// At least one of `parts`, joined where two of them ask about the same thing.
    static func some(_ parts: [Condition]) -> Condition {
        var kept: [Condition] = []
        for part in parts {
            switch part {
            case .never: continue
            case .always: return .always
            case .any(let inner): for part in inner { kept.add(part) { $0.union($1) } }
            case .test, .all: kept.add(part) { $0.union($1) }
            }
        }
        return kept.count > 1 ? .any(kept) : kept.first ?? .never
    }

    var isNever: Bool {
        if case .never = self { true } else { false }
    }

    var isAlways: Bool {
        if case .always = self { true } else { false }
    }

    /// Whether it is one test, or tests that must all hold.
    var isConjunction: Bool {
        switch self {
        case .test: true
        case .all(let parts): parts.allSatisfy { if case .test = $0 { true } else { false } }
        case .always, .never, .any: false
        }
    }

    /// The parts that must all hold.
    var conjuncts: [Condition] {
        switch self {
        case .always: []
        case .all(let parts): parts
        case .never, .test, .any: [self]
        }
    }
}

extension [Condition] {
    /// Adds a part, in place of one that it can be joined with.
    fileprivate mutating func add(_ part: Condition, _ join: (RowTest, RowTest) -> Condition?) {
        if case .test(let test, isNegated: false) = part {
            for index in self.indices {
                if case .test(let other, isNegated: false) = self[index], let joined = join(other, test) {
                    self[index] = joined
                    return
                }
            }
        }
        self.append(part)
    }
}

extension RowTest {
    /// One test for both, where there is one.
    fileprivate func intersection(_ other: RowTest) -> Condition? {
        switch (self, other) {
        case (.number(let field, let range), .number(let otherField, let otherRange)) where field == otherField:
            return range.overlaps(otherRange) ? .test(.number(field, range.clamped(to: otherRange))) : .never
        case (.rows(let rows), .rows(let otherRows)):
            let others = Set(otherRows)
            let both = rows.filter { others.contains($0) }
            return both.isEmpty ? .never : .test(.rows(both))
        case (.attribute(let key, .range(let range)), .attribute(let otherKey, .range(let otherRange)))
        where key == otherKey:
            let both = range.clamped(to: otherRange)
            return range.overlaps(otherRange) ? .test(.attribute(key: key, .range(both))) : .never
        default:
            return nil
        }
    }

    /// One test for either, where there is one.
    fileprivate func union(_ other: RowTest) -> Condition? {
        switch (self, other) {
        case (.codes(let field, let list), .codes(let otherField, let otherList)) where field == otherField:
            let known = Set(list.codes)
            // How many rows the codes have is not known any more; the builder counts them again.
            let codes = (list.codes + otherList.codes.filter { !known.contains($0) }).sorted()
            return .test(.codes(field, CodeList(codes: codes, rowCount: 0, largeCount: 0)))
        case (.rows(let rows), .rows(let otherRows)):
            return .test(.rows(Set(rows).union(otherRows).sorted()))
        default:
            return nil
        }
    }
}
