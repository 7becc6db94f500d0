// The folder of the socket: made for those who may connect, and not one in which anybody could replace the socket.

internal import Glibc

/// Where the socket and its lock lie.
enum SocketFolder {
    /// Makes the folder where it is missing, with those above it, and looks at it and all of them.
    ///
    /// - Parameters:
    ///   - socketMode: whoever may connect may go through the new folder.
    ///   - groupID: of the new folder; nil leaves the process's own.
    /// - Throws: ``DaemonError`` with `start` and the folder: a symbolic link, no folder, one that everybody may write
    ///   to without the sticky bit, or one that cannot be made.
    static func prepare(_ path: String, socketMode: UInt32, groupID: gid_t?) throws(DaemonError) {
        var path = path
        // With a slash behind it a link would be followed.
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        if fileStatus(path) == nil {
            try self.make(path, mode: self.mode(socketMode), groupID: groupID)
        }
        guard let status = fileStatus(path) else {
            throw DaemonError(.start, "The folder \(path) cannot be looked at: \(systemReason(errno)).")
        }
        guard status.st_mode & S_IFMT != S_IFLNK else {
            throw DaemonError(
                .start, "The socket's folder \(path) is a symbolic link; name the folder that it leads to."
            )
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw DaemonError(.start, "\(path) is there and is not a folder; name another path for the socket.")
        }
        try self.refuseOpenFolders(path)
    }

    /// Enough to reach the socket: for everybody, for its group, or for its owner alone.
    private static func mode(_ socketMode: UInt32) -> mode_t {
        if socketMode & 0o007 != 0 { return 0o755 }
        return socketMode & 0o070 != 0 ? 0o750 : 0o700
    }

    private static func make(_ path: String, mode: mode_t, groupID: gid_t?) throws(DaemonError) {
        let parent = parentFolder(of: path)
        var status = stat()
        if parent != path, stat(parent, &status) != 0 {
            try self.make(parent, mode: mode, groupID: groupID)
        }
        guard mkdir(path, 0o700) == 0 else {
            let error = errno
            guard error == EEXIST else {
                throw DaemonError(.start, "The folder \(path) cannot be made: \(systemReason(error)).")
            }
            return
        }
        // Whatever the umask; nobody but us could get in until here.
        guard groupID.map({ lchown(path, uid_t.max, $0) == 0 }) ?? true, chmod(path, mode) == 0 else {
            let error = errno
            rmdir(path)
            throw DaemonError(.start, "The folder \(path) cannot be opened to callers: \(systemReason(error)).")
        }
    }

    /// Whoever may write to a folder may replace what is in it, and so the socket or a folder on the way to it, unless
    /// the sticky bit leaves that to the owners.
    private static func refuseOpenFolders(_ path: String) throws(DaemonError) {
        guard let resolved = realpath(path, nil) else {
            throw DaemonError(.start, "The folder \(path) cannot be looked at: \(systemReason(errno)).")
        }
        defer { free(resolved) }
        var folder = String(cString: resolved)
        while true {
            if let status = fileStatus(folder), status.st_mode & S_IWOTH != 0, status.st_mode & S_ISVTX == 0 {
                throw DaemonError(
                    .start,
                    "Everybody may write to \(folder), and so replace the socket: take that away, as with chmod o-w, or name "
                        + "another path for the socket."
                )
            }
            guard folder != "/" else {
                return
            }
            folder = parentFolder(of: folder)
        }
    }
}
