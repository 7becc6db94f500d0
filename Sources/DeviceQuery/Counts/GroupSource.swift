// What devices are grouped by, row by row.

internal import DeviceModel

/// A row's value under a group key, as a number; equal numbers are the same group while nothing changes.
struct GroupNumber: BitwiseCopyable, Hashable {
    var value: Int64
    var isPresent: Bool

    static let none = GroupNumber(value: 0, isPresent: false)
}

enum GroupSource {
    case dictionary(DictionaryField)
    /// The version of a release.
    case version
    /// With the first moment that counts as recent.
    case activity(recent: Int64)
    /// Numbers and booleans.
    case attribute(Int)
    /// Texts, which are numbered as they come.
    case attributeText(Int)

    init(_ key: GroupKey, recent: Int64, in fleet: UnsafePointer<Fleet>) {
        switch key {
        case .release: self = .version
        case .hardwareVersion: self = .dictionary(.hardware)
        case .cohort: self = .dictionary(.cohort)
        case .ownerRef: self = .dictionary(.owner)
        case .activity: self = .activity(recent: recent)
        case .attribute(let text):
            guard let key = fleet.pointee.attributeKeys.index(text) else {
                preconditionFailure("devices are grouped by an attribute that was looked up before")
            }
            self = fleet.pointee.columns[key].pointee.dataType == .string ? .attributeText(key) : .attribute(key)
        }
    }

    /// The field whose sets of rows are the groups, or parts of one each.
    var field: DictionaryField? {
        switch self {
        case .dictionary(let field): field
        case .version: .release
        case .activity, .attribute, .attributeText: nil
        }
    }

    /// The number of the group that a code of ``field`` belongs to.
    @inline(__always)
    func number(of code: UInt32, in fleet: UnsafePointer<Fleet>) -> UInt32 {
        if case .version = self { fleet.pointee.versionOfRelease[Int(code)] } else { code }
    }

    /// One more than the largest number of a group; only where there is a ``field``.
    func numberCount(in fleet: UnsafePointer<Fleet>) -> Int {
        switch self {
        case .dictionary(let field): fleet.pointee.codeCount(of: field)
        case .version: fleet.pointee.versions.codeCount
        case .activity, .attribute, .attributeText: 0
        }
    }

    // MARK: Values

    func value(
        _ number: GroupNumber, _ texts: borrowing GroupTexts, in fleet: UnsafePointer<Fleet>
    ) -> BorrowedGroupValue {
        guard number.isPresent else { return .none }
        switch self {
        case .dictionary, .version, .attributeText:
            let text = self.text(number, texts, in: fleet)
            // A device that a check-in registered has no owner.
            if text.isEmpty, case .dictionary(.owner) = self { return .none }
            return .text(text)
        case .activity:
            let activity = Activity(rawValue: UInt8(truncatingIfNeeded: number.value))
            return activity.map(BorrowedGroupValue.activity) ?? .none
        case .attribute(let key):
            switch fleet.pointee.columns[key].pointee.dataType {
            case .int: return .int(number.value)
            case .float: return .float(Double(sortValue: number.value))
            case .bool: return .bool(number.value != 0)
            case .string: preconditionFailure("texts are numbered")
            }
        }
    }

    private func text(
        _ number: GroupNumber, _ texts: borrowing GroupTexts, in fleet: UnsafePointer<Fleet>
    ) -> UnsafeRawBufferPointer {
        let code = UInt32(truncatingIfNeeded: number.value)
        switch self {
        case .dictionary(let field): return fleet.pointee.text(code, in: field)
        case .version: return fleet.pointee.versions.text(code)
        case .attributeText: return texts.text(code)
        case .activity, .attribute: preconditionFailure("the group has no text")
        }
    }

    /// Below zero where the first value comes first; none comes before any.
    func order(
        _ left: GroupNumber, _ right: GroupNumber, _ texts: borrowing GroupTexts, in fleet: UnsafePointer<Fleet>
    ) -> Int {
        guard left.isPresent, right.isPresent else {
            return left.isPresent == right.isPresent ? 0 : left.isPresent ? 1 : -1
        }
        if left.value == right.value { return 0 }
        switch self {
        case .activity, .attribute: return left.value < right.value ? -1 : 1
        case .dictionary, .version, .attributeText:
            return self.text(left, texts, in: fleet).order(against: self.text(right, texts, in: fleet))
        }
    }
}

/// What the groups of a count are by: nothing, one key or two.
///
/// No array: making one would cost as much as a count that indexes have.
struct GroupSources {
    private(set) var first: GroupSource?
    private(set) var second: GroupSource?

    /// - Parameter keys: at most two.
    init(_ keys: borrowing [GroupKey], recent: Int64, in fleet: UnsafePointer<Fleet>) {
        precondition(keys.count <= Limits.groupKeyCountMax, "devices are grouped by two keys at most")
        if keys.count > 0 { self.first = GroupSource(keys[0], recent: recent, in: fleet) }
        if keys.count > 1 { self.second = GroupSource(keys[1], recent: recent, in: fleet) }
    }

    var isEmpty: Bool { self.first == nil }
    /// The key, where it is the only one.
    var only: GroupSource? { self.second == nil ? self.first : nil }
}

/// Texts of attributes, numbered as they come.
struct GroupTexts: ~Copyable {
    private var table = HashSlots()
    private var texts = TextPool()
    private var references = Column<TextRef>()

    mutating func number(of text: UnsafeRawBufferPointer) -> UInt32 {
        let tag = HashSlots.tag(StableHash.hash(text, seed: 0x6772_6F75_7073))
        if let known = self.table.find(tag, where: { self.texts.text($0).holdsSameBytes(as: text) }) { return known }
        let reference = self.texts.insert(text)
        let number = UInt32(self.references.count)
        self.references.append(reference)
        self.table.insert(tag, number, reference)
        return number
    }

    func text(_ number: UInt32) -> UnsafeRawBufferPointer {
        self.texts.text(self.references[Int(number)])
    }
}
