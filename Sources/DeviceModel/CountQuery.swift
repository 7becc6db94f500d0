// What a count asks for and answers.

/// A request to count one project's devices.
public struct CountQuery: Hashable, Sendable {
    public var filter = DeviceFilter()
    /// At most two, each once; empty for the count alone.
    public var groupBy: [GroupKey] = []
    /// The largest groups to return, 1 to 10,000.
    public var groupLimit = 1_000
    public var explains = false

    public init() {}
}

/// A field whose values devices are counted by.
public enum GroupKey: Hashable, Sendable {
    /// The version of the release last seen.
    case release
    case hardwareVersion
    /// By slug.
    case cohort
    case ownerRef
    /// By the filter's activity window.
    case activity
    /// An attribute, by its key in any case.
    case attribute(String)

    /// Those that are not attributes.
    public static let columns: [GroupKey] = [.release, .hardwareVersion, .cohort, .ownerRef, .activity]

    /// The key's name in a request.
    public var name: String {
        switch self {
        case .release: "release"
        case .hardwareVersion: "hardware_version"
        case .cohort: "cohort"
        case .ownerRef: "owner_ref"
        case .activity: "activity"
        case .attribute(let key): "attributes." + AttributePath.written(key)
        }
    }
}

extension FieldCheck {
    /// The keys that a request names, each at most once; where a name is bad its key is left out.
    ///
    /// Attributes are in lower case; whether a project has one is for the query engine to say.
    package mutating func groupKeys(_ names: [String], field: String) -> [GroupKey] {
        var keys: [GroupKey] = []
        for (index, name) in names.enumerated() {
            guard index < Limits.groupKeyCountMax else {
                self.refuse(
                    "\(field)[\(index)]",
                    "is one key too many; devices are grouped by at most \(Limits.groupKeyCountMax)")
                break
            }
            let column = GroupKey.columns.first { $0.name == name }
            guard let key = column ?? AttributePath.key(of: name).map(GroupKey.attribute) else {
                let known = GroupKey.columns.map(\.name).joined(separator: ", ")
                self.refuse(
                    "\(field)[\(index)]",
                    "is \(quoted(name)), which is not a key to group by; known keys are \(known), attributes.<key>")
                continue
            }
            if keys.contains(key) {
                self.refuse("\(field)[\(index)]", "is \(quoted(name)) a second time; give each key once")
            } else {
                keys.append(key)
            }
        }
        return keys
    }
}

/// Devices that share a value under each key.
public struct DeviceGroup: Hashable, Sendable {
    /// One for each key.
    public var values: GroupValues
    public var count: Int64

    public init(values: GroupValues, count: Int64) {
        self.values = values
        self.count = count
    }
}

/// How many devices match, and how they divide.
public struct DeviceCount: Hashable, Sendable {
    public var count: Int64
    /// The largest first; groups of equal size by their values, no value before any.
    public var groups: [DeviceGroup]
    /// Devices in groups beyond the limit.
    public var otherCount: Int64
    /// Only where it was asked for.
    public var explanation: QueryExplanation?

    public init(count: Int64, groups: [DeviceGroup], otherCount: Int64, explanation: QueryExplanation? = nil) {
        self.count = count
        self.groups = groups
        self.otherCount = otherCount
        self.explanation = explanation
    }
}
