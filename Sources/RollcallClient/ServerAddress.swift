// Where a server listens, and where to look for one.

/// The address of a server: a Unix socket.
public struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// The socket's path.
    public let path: String

    /// Reads `unix:///path`, `unix:path` or a bare path.
    ///
    /// - Throws: ``RollcallError`` INVALID_ARGUMENT for another scheme, an empty path or one with a NUL.
    public init(_ text: String) throws(RollcallError) {
        var path = text[...]
        if path.hasPrefix("unix://") {
            path.removeFirst("unix://".count)
            // What follows the slashes is a host; a socket has none.
            guard path.hasPrefix("/") else { throw Self.notAnAddress(text) }
        } else if path.hasPrefix("unix:") {
            path.removeFirst("unix:".count)
        } else if path.contains("://") {
            throw Self.notAnAddress(text)
        }
        guard !path.isEmpty, !path.utf8.contains(0) else { throw Self.notAnAddress(text) }
        self.path = String(path)
    }

    private init(path: String) {
        self.path = path
    }

    /// Where to look for a server, in this order.
    ///
    /// The address that `ROLLCALL_ADDRESS` gives, and no other; else the user's own socket below `XDG_RUNTIME_DIR`,
    /// then the system's. A later one is tried only if there is nothing at the one before.
    ///
    /// - Parameters:
    ///   - environment: Environment variables.
    ///   - isRoot: Whether the user is root, whose own socket is the system's.
    /// - Throws: ``RollcallError`` INVALID_ARGUMENT if `ROLLCALL_ADDRESS` is no address.
    public static func candidates(
        environment: [String: String], isRoot: Bool
    ) throws(RollcallError) -> [ServerAddress] {
        if let address = environment["ROLLCALL_ADDRESS"], !address.isEmpty {
            return [try ServerAddress(address)]
        }
        let system = ServerAddress(path: "/run/rollcall/rollcall.sock")
        guard !isRoot, let folder = environment["XDG_RUNTIME_DIR"], folder.hasPrefix("/") else { return [system] }
        return [ServerAddress(path: folder + "/rollcall/rollcall.sock"), system]
    }

    /// The address as text that ``init(_:)`` reads.
    public var description: String {
        self.path.hasPrefix("/") ? "unix://\(self.path)" : "unix:\(self.path)"
    }

    private static func notAnAddress(_ text: String) -> RollcallError {
        RollcallError(
            .invalidArgument,
            "'\(text)' is not an address of a server; write unix:///path/of/the.sock, or the path alone.",
            reason: "FIELD_INVALID",
            violations: [FieldViolation(field: "address", description: "must be unix:///path or a path")]
        )
    }
}
