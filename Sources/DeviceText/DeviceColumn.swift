// The columns of a CSV file of devices.

internal import DeviceModel

/// A column by what it holds of a device.
package enum DeviceColumn: Hashable, Sendable {
    case id
    case createdDate
    case updatedDate
    case deviceSerial
    case ownerRef
    case hardwareVersion
    case lastSeen
    case releaseVersion
    case releaseRevision
    /// The slug.
    case cohort
    case etag
    /// By the key as it is written.
    case attribute(String)

    /// Every column but attributes, in the order in which files have them.
    package static let fields: [DeviceColumn] = [
        .id, .createdDate, .updatedDate, .deviceSerial, .ownerRef, .hardwareVersion, .lastSeen, .releaseVersion,
        .releaseRevision, .cohort, .etag,
    ]

    static let attributePrefix = "attributes."

    /// The name in a header.
    package var name: String {
        switch self {
        case .id: "id"
        case .createdDate: "created_date"
        case .updatedDate: "updated_date"
        case .deviceSerial: "device_serial"
        case .ownerRef: "owner_ref"
        case .hardwareVersion: "hardware_version"
        case .lastSeen: "last_seen"
        case .releaseVersion: "last_seen_release_version"
        case .releaseRevision: "last_seen_release_revision"
        case .cohort: "cohort"
        case .etag: "etag"
        case .attribute(let key): Self.attributePrefix + key
        }
    }

    /// Reads a name; the release's may have the dots of its path, and the cohort's too. Nil for an unknown one.
    package init?(name: String) {
        if let field = Self.fields.first(where: { $0.name == name }) {
            self = field
            return
        }
        switch name {
        case "last_seen_release.version": self = .releaseVersion
        case "last_seen_release.revision": self = .releaseRevision
        case "cohort.slug": self = .cohort
        default:
            guard name.hasPrefix(Self.attributePrefix), name.utf8.count > Self.attributePrefix.utf8.count else {
                return nil
            }
            self = .attribute(String(name.dropFirst(Self.attributePrefix.count)))
        }
    }

    /// Two columns of the same name in a file would contradict each other; attribute keys are told apart without regard to case.
    var identity: DeviceColumn {
        if case .attribute(let key) = self { return .attribute(CustomMetric.folded(key)) }
        return self
    }
}
