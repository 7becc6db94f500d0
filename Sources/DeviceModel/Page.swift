// What a list answers.

/// A part of a list, and how to get at the next one.
public struct Page<Item: Hashable & Sendable>: Hashable, Sendable {
    public var items: [Item]
    /// Empty where this is the last page; nothing else is a sign of the end.
    public var nextPageToken: String
    /// How many items there are over all pages; 0 unless the total was asked for.
    public var totalCount: Int64
    /// How the items were found; only of devices, and only where it was asked for.
    public var explanation: QueryExplanation?

    public init(items: [Item], nextPageToken: String, totalCount: Int64, explanation: QueryExplanation? = nil) {
        self.items = items
        self.nextPageToken = nextPageToken
        self.totalCount = totalCount
        self.explanation = explanation
    }
}

/// Attributes of one device, by key, with the device's etag at that moment.
public struct DeviceAttributes: Hashable, Sendable {
    public var attributes: [Attribute]
    public var etag: String

    public init(attributes: [Attribute], etag: String) {
        self.attributes = attributes
        self.etag = etag
    }
}
