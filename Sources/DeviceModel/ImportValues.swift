// What a caller imports, and what it is told of that.

/// What becomes of an item whose serial exists.
public enum ImportMode: Hashable, Sendable {
    /// It fails, and the stored device stays as it is.
    case create
    /// It changes the stored device to what the item gives.
    case upsert
}

/// A device to import, with what is kept of it.
public struct ImportItem: Hashable, Sendable {
    /// 1 to 128 of `[-A-Za-z0-9_.:]`.
    public var serial: String
    /// 1 to 256 characters; empty leaves it as it is, and is right for a new device only beside ``lastSeen``.
    public var ownerRef: String
    /// 1 to 128 of `[-A-Za-z0-9_.+:]`; empty leaves it as it is.
    public var hardwareVersion: String
    /// Slug of the cohort; nil leaves it as it is, and means `default` for a new device.
    public var cohort: String?
    /// Creates the cohort if there is none of that slug.
    public var createsCohort: Bool
    public var lastSeen: Timestamp?
    /// By version and revision; only beside ``lastSeen``.
    public var release: Release?
    /// Each with a value, and each key once.
    public var attributes: [AttributeUpdate]

    public init(
        serial: String,
        ownerRef: String = "",
        hardwareVersion: String = "",
        cohort: String? = nil,
        createsCohort: Bool = false,
        lastSeen: Timestamp? = nil,
        release: Release? = nil,
        attributes: [AttributeUpdate] = []
    ) {
        self.serial = serial
        self.ownerRef = ownerRef
        self.hardwareVersion = hardwareVersion
        self.cohort = cohort
        self.createsCohort = createsCohort
        self.lastSeen = lastSeen
        self.release = release
        self.attributes = attributes
    }
}
