// A Device as callers see it, and what it refers to.

/// A unit in the field, as the registry knows it.
public struct Device: Hashable, Sendable {
    /// Unique in the store and never given again; set by the server.
    public var id: Int64
    public var createdDate: Timestamp
    /// Moves with the etag and only with it.
    public var updatedDate: Timestamp
    /// 1 to 128 of `[-A-Za-z0-9_.:]`; never changes.
    public var deviceSerial: String
    /// 1 to 256 characters; empty only where a check-in registered the device.
    public var ownerRef: String
    /// 1 to 128 of `[-A-Za-z0-9_.+:]`.
    public var hardwareVersion: String
    /// Nil if it never checked in.
    public var lastSeen: Timestamp?
    public var lastSeenRelease: Release?
    public var cohort: Cohort
    /// Covers owner, hardware version, cohort and attributes; a check-in does not move it.
    public var etag: String
    /// Filled under ``DeviceView/full`` only, ordered by key.
    public var attributes: [Attribute]

    public init(
        id: Int64,
        createdDate: Timestamp,
        updatedDate: Timestamp,
        deviceSerial: String,
        ownerRef: String,
        hardwareVersion: String,
        lastSeen: Timestamp?,
        lastSeenRelease: Release?,
        cohort: Cohort,
        etag: String,
        attributes: [Attribute] = []
    ) {
        self.id = id
        self.createdDate = createdDate
        self.updatedDate = updatedDate
        self.deviceSerial = deviceSerial
        self.ownerRef = ownerRef
        self.hardwareVersion = hardwareVersion
        self.lastSeen = lastSeen
        self.lastSeenRelease = lastSeenRelease
        self.cohort = cohort
        self.etag = etag
        self.attributes = attributes
    }
}

/// How much of a device a reply holds.
public enum DeviceView: Hashable, Sendable {
    /// Everything but the attributes.
    case basic
    /// The attributes too.
    case full
}

/// What runs on a device: known by version and revision within its project.
public struct Release: Hashable, Sendable {
    /// Given when the pair is first seen.
    public var id: Int64
    /// 1 to 128 characters.
    public var version: String
    /// 0 to 128 characters.
    public var revision: String
    /// How many devices were last seen with it; nil where a device refers to its release.
    public var deviceCount: Int64?

    public init(id: Int64, version: String, revision: String, deviceCount: Int64? = nil) {
        self.id = id
        self.version = version
        self.revision = revision
        self.deviceCount = deviceCount
    }
}

/// A hardware version that devices of a project have.
public struct HardwareVersion: Hashable, Sendable {
    /// 1 to 128 of `[-A-Za-z0-9_.+:]`.
    public var hardwareVersion: String
    /// How many devices have it, at least 1.
    public var deviceCount: Int64

    public init(hardwareVersion: String, deviceCount: Int64) {
        self.hardwareVersion = hardwareVersion
        self.deviceCount = deviceCount
    }
}

/// A named group of a project's devices; each device is in exactly one.
public struct Cohort: Hashable, Sendable {
    public var id: Int64
    /// 1 to 128 characters; what may be renamed.
    public var name: String
    /// 1 to 128 of `[-A-Za-z0-9_]`; never changes.
    public var slug: String
    /// How many devices are in it; nil where a device refers to its cohort.
    public var deviceCount: Int64?

    public init(id: Int64, name: String, slug: String, deviceCount: Int64? = nil) {
        self.id = id
        self.name = name
        self.slug = slug
        self.deviceCount = deviceCount
    }

    /// The slug of the cohort that every project has and that no one can delete.
    public static let defaultSlug = "default"
}

/// A separate set of devices, cohorts and attribute keys; serials are unique within it.
public struct Project: Hashable, Sendable {
    public var id: Int64
    /// 1 to 128 of `[-A-Za-z0-9_]`; never changes.
    public var slug: String
    /// 1 to 128 characters.
    public var name: String
    public var createdDate: Timestamp

    public init(id: Int64, slug: String, name: String, createdDate: Timestamp) {
        self.id = id
        self.slug = slug
        self.name = name
        self.createdDate = createdDate
    }

    /// The slug of the project that exists from the first start, and that an empty name means.
    public static let defaultSlug = "default"
}
