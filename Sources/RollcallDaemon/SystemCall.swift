// What this target's system calls share: an errno in words, a look at a path.

internal import Glibc

/// The words for an errno value, in lower case to stand within a sentence.
func systemReason(_ error: Int32) -> String {
    let words = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer -> String? in
        guard let start = buffer.baseAddress, strerror_r(error, start, buffer.count) == 0 else {
            return nil
        }
        return String(cString: start)
    }
    guard let words, let first = words.first else {
        return "error \(error)"
    }
    return first.lowercased() + words.dropFirst()
}

/// The file at `path` itself, not what a link there leads to; nil where there is none or it cannot be seen.
func fileStatus(_ path: String) -> stat? {
    var status = stat()
    return lstat(path, &status) == 0 ? status : nil
}

extension stat {
    /// Whether both are of one file, by whatever names.
    func isSameFile(as other: stat) -> Bool {
        self.st_dev == other.st_dev && self.st_ino == other.st_ino
    }
}

/// The folder that holds `path`.
func parentFolder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else {
        return "."
    }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}
