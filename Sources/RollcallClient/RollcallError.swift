// How a call of the client fails.

public import DeviceModel

/// A call that did not succeed: refused by the server, or never answered by it.
///
/// The code follows google.rpc.Code, the rest AIP-193. A mutation that fails with ``Code/unavailable``,
/// ``Code/deadlineExceeded`` or ``Code/cancelled`` may have taken place; repeat it with the same request id to be sure.
public struct RollcallError: Error, Hashable, Sendable {
    /// The kind of failure.
    public var code: Code
    /// What exactly went wrong, for programs, such as `DEVICE_NOT_FOUND`; nil where no one said.
    ///
    /// The server's are those of `ErrorReason`; the client adds `SERVER_UNREACHABLE` and `CONNECTION_LOST`.
    public var reason: String?
    /// A sentence that a person can act on.
    public var message: String
    /// Every bad field of the request, where the fields were the cause.
    public var violations: [FieldViolation]
    /// What the call was about, where the server names it.
    public var resource: Resource?
    /// Where a watch that has ended may be taken up again, where that is what the error is about.
    public var bookmark: Bookmark?
    /// Whether no server was reached, or the connection to it was lost, so that the failure is not the server's answer.
    public var isConnectionFailure: Bool

    /// Describes a failure.
    public init(
        _ code: Code,
        _ message: String,
        reason: String? = nil,
        violations: [FieldViolation] = [],
        resource: Resource? = nil,
        bookmark: Bookmark? = nil,
        isConnectionFailure: Bool = false
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.violations = violations
        self.resource = resource
        self.bookmark = bookmark
        self.isConnectionFailure = isConnectionFailure
    }

    /// Something that a call named, as google.rpc.ResourceInfo tells it.
    public struct Resource: Hashable, Sendable {
        /// Such as `rollcall.v1.Device`.
        public var type: String
        /// Such as a serial.
        public var name: String
        /// Why it could not be had.
        public var description: String

        public init(type: String, name: String, description: String) {
            self.type = type
            self.name = name
            self.description = description
        }
    }
}

extension RollcallError: CustomStringConvertible {
    public var description: String {
        "\(self.code): \(self.message)"
    }
}

extension RollcallError {
    /// A code of google.rpc.Code. One that a newer server sends is kept by its number.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        public let rawValue: Int32

        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// The caller gave up.
        public static let cancelled = Self(rawValue: 1)
        public static let unknown = Self(rawValue: 2)
        /// A bad field, token, mask or text.
        public static let invalidArgument = Self(rawValue: 3)
        /// The call's time was over.
        public static let deadlineExceeded = Self(rawValue: 4)
        /// No such device, project or cohort.
        public static let notFound = Self(rawValue: 5)
        /// The serial or slug is taken.
        public static let alreadyExists = Self(rawValue: 6)
        public static let permissionDenied = Self(rawValue: 7)
        /// A limit of the server.
        public static let resourceExhausted = Self(rawValue: 8)
        /// The project or cohort is not empty, or is protected.
        public static let failedPrecondition = Self(rawValue: 9)
        /// The etag is stale.
        public static let aborted = Self(rawValue: 10)
        public static let outOfRange = Self(rawValue: 11)
        /// The server does not know the method.
        public static let unimplemented = Self(rawValue: 12)
        /// A defect, of the server or of the client.
        public static let `internal` = Self(rawValue: 13)
        /// The server is going down, cannot store, or cannot be reached.
        public static let unavailable = Self(rawValue: 14)
        public static let dataLoss = Self(rawValue: 15)
        public static let unauthenticated = Self(rawValue: 16)

        /// Name and HTTP status by code from 0, the latter as grpc-gateway maps them.
        private static let table: [(name: String, httpStatus: Int)] = [
            ("OK", 200), ("CANCELLED", 499), ("UNKNOWN", 500), ("INVALID_ARGUMENT", 400), ("DEADLINE_EXCEEDED", 504),
            ("NOT_FOUND", 404), ("ALREADY_EXISTS", 409), ("PERMISSION_DENIED", 403), ("RESOURCE_EXHAUSTED", 429),
            ("FAILED_PRECONDITION", 400), ("ABORTED", 409), ("OUT_OF_RANGE", 400), ("UNIMPLEMENTED", 501),
            ("INTERNAL", 500), ("UNAVAILABLE", 503), ("DATA_LOSS", 500), ("UNAUTHENTICATED", 401),
        ]

        /// The code's name, such as `NOT_FOUND`; `CODE_99` where it has none.
        public var description: String {
            let index = Int(self.rawValue)
            return Self.table.indices.contains(index) ? Self.table[index].name : "CODE_\(self.rawValue)"
        }

        /// The HTTP status that a gateway would answer with; 500 for an unknown code.
        public var httpStatus: Int {
            let index = Int(self.rawValue)
            return Self.table.indices.contains(index) ? Self.table[index].httpStatus : 500
        }
    }
}
