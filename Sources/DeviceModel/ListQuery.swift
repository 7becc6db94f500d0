// What a list asks for: which devices, in which order, and which part of them.

/// Which devices match: every condition that is set must hold (AND), any of its values may (OR).
public struct DeviceFilter: Hashable, Sendable {
    /// Versions of the release last seen.
    public var releases: [String] = []
    public var ownerRefs: [String] = []
    public var hardwareVersions: [String] = []
    /// Slugs of cohorts.
    public var cohorts: [String] = []
    public var deviceSerials: [String] = []
    /// Strictly after; a device never seen does not match.
    public var lastSeenSince: Timestamp?
    /// Strictly before; a device never seen does not match.
    public var lastSeenUntil: Timestamp?
    public var activity: Activity?
    /// What counts as recent, in microseconds, at least 1; nil for the default of 24 hours. Only with `activity`.
    public var activityWindowMicroseconds: Int64?
    /// An AIP-160 filter over every field and `attributes.<key>`; empty for none.
    public var expression = ""

    public init() {}

    /// Whether it has no condition, so that every device matches.
    public var isEmpty: Bool {
        var conditions = self
        // Neither says anything by itself.
        conditions.activityWindowMicroseconds = nil
        if self.expression.unicodeScalars.allSatisfy(\.properties.isWhitespace) { conditions.expression = "" }
        return conditions == DeviceFilter()
    }
}

extension DeviceFilter {
    /// Whether nothing is asked, so that every device matches.
    package var asksNothing: Bool {
        self.releases.isEmpty && self.ownerRefs.isEmpty && self.hardwareVersions.isEmpty && self.cohorts.isEmpty
            && self.deviceSerials.isEmpty && self.lastSeenSince == nil && self.lastSeenUntil == nil
            && self.activity == nil && self.activityWindowMicroseconds == nil && self.expression.isEmpty
    }
}

/// How recently a device was seen.
public enum Activity: UInt8, Hashable, Sendable, CaseIterable {
    /// Never seen.
    case pending = 1
    /// Seen at or after now less the window.
    case active = 2
    /// Seen, but before that.
    case inactive = 3
}

/// A key to sort by, with its direction.
public struct SortKey: Hashable, Sendable {
    public enum Field: Hashable, Sendable {
        case id
        case createdDate
        case updatedDate
        case deviceSerial
        case ownerRef
        case hardwareVersion
        case lastSeen
        /// Version, then revision.
        case release
        /// The slug.
        case cohort
        /// The attribute with this key, ASCII letters in lower case.
        case attribute(String)

        /// Those that every project has.
        public static let columns: [Field] = [
            .id, .createdDate, .updatedDate, .deviceSerial, .ownerRef, .hardwareVersion, .lastSeen, .release, .cohort,
        ]

        /// The key's name in a request.
        public var name: String {
            switch self {
            case .id: "id"
            case .createdDate: "created_date"
            case .updatedDate: "updated_date"
            case .deviceSerial: "device_serial"
            case .ownerRef: "owner_ref"
            case .hardwareVersion: "hardware_version"
            case .lastSeen: "last_seen"
            case .release: "release"
            case .cohort: "cohort"
            case .attribute(let key): "attributes." + AttributePath.written(key)
            }
        }
    }

    public var field: Field
    public var isDescending: Bool

    public init(_ field: Field, isDescending: Bool = false) {
        self.field = field
        self.isDescending = isDescending
    }
}

extension SortKey {
    /// How many keys a list may be sorted by.
    package static let countMax = 16

    /// Reads a `sort` field: comma-separated keys, each with `-` before it or ` asc` / ` desc` after it.
    ///
    /// An empty text is no keys. A direction is given once. A key that comes again after itself has no effect and is dropped.
    /// Whether a project has an attribute is for the query engine to say.
    /// - Throws: the violation of `field`, naming the unknown key and listing the known ones.
    package static func parse(_ text: String, field: String) throws(InvalidFields) -> [SortKey] {
        var keys: [SortKey] = []
        guard text.utf8.contains(where: { $0 != UInt8(ascii: " ") }) else { return keys }
        let parts = AttributePath.split(text, at: ",")
        guard parts.count <= Self.countMax else {
            throw InvalidFields(field, "must have at most \(Self.countMax) keys, not \(parts.count)")
        }
        for part in parts {
            var words = AttributePath.split(part, at: " ").filter { !$0.isEmpty }[...]
            var direction: Substring?
            if let last = words.last, words.count == 2, last == "desc" || last == "asc" {
                direction = words.removeLast()
            }
            guard words.count == 1, var name = words.first else {
                throw InvalidFields(
                    field, "holds \(quoted(part)), which is not a sort key; write key, -key or key desc")
            }
            let hasHyphen = name.utf8.first == UInt8(ascii: "-")
            if hasHyphen {
                name = Substring(name.utf8.dropFirst())
            }
            if hasHyphen, let direction {
                throw InvalidFields(
                    field, "gives the direction of \(quoted(name)) twice, by '-' and by '\(direction)'; give it once")
            }
            let known = Field.columns.first { $0.name == name } ?? AttributePath.key(of: name).map(Field.attribute)
            guard let known else {
                let names = Field.columns.map(\.name).joined(separator: ", ")
                throw InvalidFields(
                    field, "has the unknown key \(quoted(name)); known keys are \(names), attributes.<key>")
            }
            if !keys.contains(where: { $0.field == known }) {
                keys.append(SortKey(known, isDescending: hasHyphen || direction == "desc"))
            }
        }
        return keys
    }
}

/// Which part of a list a caller wants.
public enum PagePosition: Hashable, Sendable {
    /// The first page, or the one after the page that gave this token.
    case token(String)
    /// A page by its number, from 1.
    case number(Int64)

    public static let first = PagePosition.token("")
}

/// A whole request for a list of one project's devices.
public struct ListQuery: Hashable, Sendable {
    public var filter = DeviceFilter()
    /// Empty for the order of ids.
    public var sort: [SortKey] = []
    /// 1 to 1,000.
    public var pageSize = 100
    // The parts of `position`: to read a value out of an enumeration copies it, which a short answer would notice.
    /// Empty for the first page, and where there is a number.
    package private(set) var pageToken = ""
    package private(set) var pageNumber: Int64?
    public var includesTotal = false
    /// Whether the answer says how it was found.
    public var explains = false

    public init() {}

    /// Which page is wanted.
    public var position: PagePosition {
        get { self.pageNumber.map(PagePosition.number) ?? .token(self.pageToken) }
        set {
            switch newValue {
            case .token(let text): (self.pageToken, self.pageNumber) = (text, nil)
            case .number(let page): (self.pageToken, self.pageNumber) = ("", page)
            }
        }
    }
}

/// Bad fields of a request, at least one.
package struct InvalidFields: Error, Hashable, Sendable {
    package var violations: [FieldViolation]

    package init(_ violations: [FieldViolation]) {
        self.violations = violations
    }

    package init(_ field: String, _ description: String) {
        self.violations = [FieldViolation(field: field, description: description)]
    }
}

extension FieldCheck {
    /// - Throws: every bad field found so far, if there is one.
    package func finish() throws(InvalidFields) {
        guard self.violations.isEmpty else { throw InvalidFields(self.violations) }
    }
}

/// A caller's text in single quotes, cut where it is long, for a sentence.
package func quoted(_ text: some StringProtocol) -> String {
    let shown = text.prefix(64)
    let escaped = shown.unicodeScalars.map {
        $0.value < 0x20 || $0.value == 0x7F ? $0.escaped(asASCII: true) : String($0)
    }
    return "'" + escaped.joined() + (shown.endIndex < text.endIndex ? "…'" : "'")
}
