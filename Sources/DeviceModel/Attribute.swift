// The latest value of a named property of a device.

public import FoundationEssentials

/// The type that an attribute key has for its whole project, fixed by its first write.
public enum DataType: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    case int = 1
    case float = 2
    case bool = 3
    case string = 4

    /// The type's name in the contract, such as `INT`.
    public var description: String {
        switch self {
        case .int: "INT"
        case .float: "FLOAT"
        case .bool: "BOOL"
        case .string: "STRING"
        }
    }
}

/// A value of one of the four types.
public enum AttributeValue: Hashable, Sendable {
    case int(Int64)
    /// Neither NaN nor infinite.
    case float(Double)
    case bool(Bool)
    /// At most 4,096 bytes.
    case string(String)

    public var dataType: DataType {
        switch self {
        case .int: .int
        case .float: .float
        case .bool: .bool
        case .string: .string
        }
    }
}

extension AttributeValue {
    /// Strings are equal by their bytes and floats by their bits, so that no change from one to the other is lost.
    public static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.int(let left), .int(let right)): left == right
        case (.float(let left), .float(let right)): left.bitPattern == right.bitPattern
        case (.bool(let left), .bool(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.dataType)
        switch self {
        case .int(let value): hasher.combine(value)
        case .float(let value): hasher.combine(value.bitPattern)
        case .bool(let value): hasher.combine(value)
        case .string(let value): value.hashBytes(into: &hasher)
        }
    }
}

/// An attribute key as its project knows it: a custom metric of the Devices API.
public struct CustomMetric: Hashable, Sendable {
    public var id: UUID
    /// As first written; looked up without regard to case.
    public var stringKey: String
    public var dataType: DataType

    public init(id: UUID, stringKey: String, dataType: DataType) {
        self.id = id
        self.stringKey = stringKey
        self.dataType = dataType
    }
}

extension CustomMetric {
    /// How a key is told apart from others: with its ASCII letters, the only ones it may hold, in lower case.
    package static func folded(_ stringKey: String) -> String {
        String(decoding: stringKey.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

/// An attribute key of a project, and how much it is used.
public struct AttributeKey: Hashable, Sendable {
    public var customMetric: CustomMetric
    /// How many devices have a value under it.
    public var deviceCount: Int64

    public init(customMetric: CustomMetric, deviceCount: Int64) {
        self.customMetric = customMetric
        self.deviceCount = deviceCount
    }
}

/// A value with its times.
public struct AttributeState: Hashable, Sendable {
    public var value: AttributeValue
    /// The value's own time: an older one never replaces it.
    public var time: Timestamp
    public var createdDate: Timestamp
    public var updatedDate: Timestamp

    public init(value: AttributeValue, time: Timestamp, createdDate: Timestamp, updatedDate: Timestamp) {
        self.value = value
        self.time = time
        self.createdDate = createdDate
        self.updatedDate = updatedDate
    }
}

/// One attribute of one device.
public struct Attribute: Hashable, Sendable {
    public var customMetric: CustomMetric
    public var state: AttributeState

    public init(customMetric: CustomMetric, state: AttributeState) {
        self.customMetric = customMetric
        self.state = state
    }
}
