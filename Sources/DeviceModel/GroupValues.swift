// What the devices of a group have in common.

/// What the devices of a group have in common under one key.
public enum GroupValue: Hashable, Sendable {
    /// They have no value.
    case none
    case text(String)
    case int(Int64)
    case float(Double)
    case bool(Bool)
    case activity(Activity)
}

/// The values of a group, one for each key that devices are grouped by: at most two.
///
/// They lie in place, for a count answers with thousands of groups.
public struct GroupValues: RandomAccessCollection, ExpressibleByArrayLiteral, Hashable, Sendable {
    private var firstValue: GroupValue?
    private var secondValue: GroupValue?

    public init(_ first: GroupValue, _ second: GroupValue? = nil) {
        self.firstValue = first
        self.secondValue = second
    }

    public init() {}

    public init(arrayLiteral values: GroupValue...) {
        for value in values { self.append(value) }
    }

    public var startIndex: Int { 0 }

    public var endIndex: Int { self.firstValue == nil ? 0 : self.secondValue == nil ? 1 : 2 }

    public subscript(index: Int) -> GroupValue {
        guard let value = index == 0 ? self.firstValue : index == 1 ? self.secondValue : nil else {
            preconditionFailure("a group has no value at \(index)")
        }
        return value
    }

    /// Adds the value of the next key, of which there are at most two.
    public mutating func append(_ value: GroupValue) {
        if self.firstValue == nil {
            self.firstValue = value
        } else {
            precondition(self.secondValue == nil, "devices are grouped by at most two keys")
            self.secondValue = value
        }
    }
}
