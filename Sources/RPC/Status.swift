// How a call ends: a code, a sentence, and typed details, as in google.rpc.Status.

/// The outcome of a call that did not succeed, or ``ok``.
///
/// Follows google.rpc.Status and AIP-193; details stay packed, because this layer knows no message.
package struct Status: Error, Hashable, Sendable {
    package var code: Code
    /// A sentence that a person can act on.
    package var message: String
    /// The value of `ErrorReason` in errors.proto without its prefix, such as `DEVICE_NOT_FOUND`.
    ///
    /// A transport that encodes the status turns it into the one google.rpc.ErrorInfo detail, under ``errorDomain``,
    /// and one that decodes a status takes it out of there.
    package var reason: String?
    /// What else the caller is told; never an ErrorInfo, which stands in ``reason``.
    package var details: [Detail]
    /// Metadata that goes with it, where the protocol has a place for that.
    package var metadata: Metadata

    package init(
        _ code: Code, _ message: String, reason: String? = nil, details: [Detail] = [], metadata: Metadata = Metadata()
    ) {
        self.code = code
        self.message = message
        self.reason = reason
        self.details = details
        self.metadata = metadata
    }

    /// The domain of every ErrorInfo that this server gives out.
    package static let errorDomain = "rollcall"

    package static let ok = Status(.ok, "")

    /// One packed message, named by its type URL as in google.protobuf.Any.
    package struct Detail: Hashable, Sendable {
        package var typeURL: String
        package var value: [UInt8]

        package init(typeURL: String, value: [UInt8]) {
            self.typeURL = typeURL
            self.value = value
        }
    }
}

extension Status {
    /// A status code, numbered as in google.rpc.Code. Codes from a newer peer are kept by number.
    package struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        package let rawValue: Int32

        package init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        package static let ok = Self(rawValue: 0)
        package static let cancelled = Self(rawValue: 1)
        package static let unknown = Self(rawValue: 2)
        package static let invalidArgument = Self(rawValue: 3)
        package static let deadlineExceeded = Self(rawValue: 4)
        package static let notFound = Self(rawValue: 5)
        package static let alreadyExists = Self(rawValue: 6)
        package static let permissionDenied = Self(rawValue: 7)
        package static let resourceExhausted = Self(rawValue: 8)
        package static let failedPrecondition = Self(rawValue: 9)
        package static let aborted = Self(rawValue: 10)
        package static let outOfRange = Self(rawValue: 11)
        package static let unimplemented = Self(rawValue: 12)
        package static let `internal` = Self(rawValue: 13)
        package static let unavailable = Self(rawValue: 14)
        package static let dataLoss = Self(rawValue: 15)
        package static let unauthenticated = Self(rawValue: 16)

        private static let names = [
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
            "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
            "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        ]

        /// The code's name in google.rpc.Code, such as `NOT_FOUND`; `CODE_99` where it has none.
        package var description: String {
            let index = Int(self.rawValue)
            return Self.names.indices.contains(index) ? Self.names[index] : "CODE_\(self.rawValue)"
        }
    }
}

extension Status: CustomStringConvertible {
    package var description: String {
        self.message.isEmpty ? "\(self.code)" : "\(self.code): \(self.message)"
    }
}
