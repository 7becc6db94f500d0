// A socket that was open before the process began.

internal import Glibc

/// A listening Unix socket that the service manager passed, which is closed with the process and never left to
/// another one.
struct PassedSocket: Sendable {
    let descriptor: Int32
    /// What the manager calls it: the socket unit's name for it, or the one that it was stored under.
    let name: String
    /// Where it is bound; an abstract name begins with `@`.
    let path: String

    /// Looks at what was passed as `descriptor`.
    ///
    /// - Throws: ``DaemonError`` with `start`: it is not open, no Unix stream socket, or does not listen.
    init(descriptor: Int32, name: String) throws(DaemonError) {
        func refused(_ fault: String) -> DaemonError {
            DaemonError(
                .start,
                "The descriptor \(descriptor) (\(name)) that the service manager passes \(fault); Rollcall serves a listening Unix stream socket, as ListenStream=/PATH makes it."
            )
        }
        guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw refused("is not open")
        }
        guard let domain = Self.option(descriptor, SO_DOMAIN) else {
            throw refused("is no socket")
        }
        guard domain == AF_UNIX, Self.option(descriptor, SO_TYPE) == Int32(SOCK_STREAM.rawValue) else {
            throw refused("is a socket of another kind")
        }
        guard Self.option(descriptor, SO_ACCEPTCONN) == 1, let path = Self.path(of: descriptor) else {
            throw refused("does not listen")
        }
        self.descriptor = descriptor
        self.name = name
        self.path = path
    }

    /// Whose socket it is besides its owner's; nil where it has no file to say so.
    var groupID: UInt32? {
        self.path.hasPrefix("@") ? nil : fileStatus(self.path)?.st_gid
    }

    private static func option(_ descriptor: Int32, _ option: Int32) -> Int32? {
        var value: Int32 = 0
        var byteCount = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, option, &value, &byteCount) == 0 ? value : nil
    }

    /// What the socket is bound to. Neither a path nor an abstract name need end with a NUL.
    private static func path(of descriptor: Int32) -> String? {
        var address = sockaddr_un()
        var byteCount = socklen_t(MemoryLayout<sockaddr_un>.size)
        let isKnown = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &byteCount) == 0 }
        }
        let pathByteCount = Int(byteCount) - MemoryLayout<sa_family_t>.size
        guard isKnown, pathByteCount > 0 else {
            return nil
        }
        return withUnsafeBytes(of: address.sun_path) { bytes in
            let bytes = bytes.prefix(pathByteCount)
            return bytes.first == 0
                ? "@" + String(decoding: bytes.dropFirst(), as: UTF8.self)
                : String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

// MARK: - Stored by an earlier process

extension PassedSocket {
    private static let storeNamePrefix = "rollcall.stored-"

    /// What to store a socket under that is bound to `file`: by it the next process knows the file again, which a
    /// descriptor alone does not tell.
    static func storeName(of file: stat) -> String {
        "\(self.storeNamePrefix)\(file.st_dev)-\(file.st_ino)"
    }

    /// Whether an earlier process of this service made the socket.
    var isStored: Bool {
        self.name.hasPrefix(Self.storeNamePrefix)
    }

    /// Whether the file at `path` still is the one that a stored socket was bound to.
    func isBound(to path: String) -> Bool {
        fileStatus(path).map { Self.storeName(of: $0) } == self.name
    }
}
