// The statuses that a transport gives of itself, so that a caller reads the same sentence on each of them.

extension Status {
    /// No such service or method. The name comes from the caller, so only its beginning is repeated.
    package static func unknownMethod(service: String, method: String) -> Status {
        Status(
            .unimplemented,
            "There is no method \(Self.excerpt(method)) of a service \(Self.excerpt(service)) here.",
            reason: "METHOD_UNKNOWN"
        )
    }

    /// An envelope or message that cannot be decoded; `problem` is a sentence that says why.
    package static func malformed(_ problem: String) -> Status {
        Status(.invalidArgument, problem, reason: "MESSAGE_MALFORMED")
    }

    /// A limit of the connection or of the call is reached; `problem` is a sentence that names it.
    package static func limitExceeded(_ problem: String) -> Status {
        Status(.resourceExhausted, problem, reason: "LIMIT_EXCEEDED")
    }

    /// A message, in either direction, over the limit.
    package static func messageTooLong(byteCountMax: Int) -> Status {
        .limitExceeded("The message is longer than the \(byteCountMax) bytes that this server allows.")
    }

    /// More calls open on a connection than it may have.
    package static func tooManyCalls(countMax: Int) -> Status {
        .limitExceeded("The connection has \(countMax) calls open, as many as it may.")
    }

    /// The caller does not read what it is sent.
    package static func outputFull(byteCountMax: Int) -> Status {
        .limitExceeded("More than \(byteCountMax) bytes of replies wait for the connection's reader.")
    }

    /// The server is going away; another one, or this one later, may take the call.
    package static let draining = Status(.unavailable, "The server is shutting down.", reason: "DRAINING")

    /// The time that the caller gave is over.
    package static let deadlineExceeded = Status(
        .deadlineExceeded, "The call's deadline passed before it was answered.", reason: "DEADLINE_EXCEEDED"
    )

    /// The caller gave up or went away.
    package static func cancelled(_ why: String) -> Status {
        Status(.cancelled, why, reason: "CANCELLED")
    }

    /// A defect of ours.
    package static func defect(_ problem: String) -> Status {
        Status(.internal, problem, reason: "INTERNAL")
    }

    private static func excerpt(_ name: String) -> String {
        name.count <= 128 ? name : "\(name.prefix(128))…"
    }
}
