// A value that a caller writes under a key.

/// One attribute to set or to unset.
public struct AttributeUpdate: Hashable, Sendable {
    /// 1 to 128 of `[-A-Za-z0-9_.:/ ]`, without spaces at its ends; case does not matter.
    public var key: String
    /// Nil unsets the attribute.
    public var value: AttributeValue?
    /// When the value was taken; nil for the time of the call. An older one than the stored value's is ignored.
    public var time: Timestamp?

    public init(key: String, value: AttributeValue?, time: Timestamp? = nil) {
        self.key = key
        self.value = value
        self.time = time
    }
}
