// Where bytes go that no person reads as they come.

internal import Glibc

/// Standard output, or a file that appears under its name only once it is whole.
struct ByteOutput: Sendable {
    private let descriptor: Int32
    /// Nil where what is written goes to its place at once.
    private let file: File?

    /// A file that is being written beside the one whose place it will take.
    private struct File {
        let path: String
        let partialPath: String

        var folder: String {
            guard let slash = self.path.lastIndex(of: "/") else { return "." }
            return String(self.path[...slash])
        }
    }

    /// - Parameter path: nil or `-` for standard output. A file that is there stays as it is until ``finish()``, and the new one gets
    ///   its mode; a link is followed; into a device or a pipe what is written goes at once.
    /// - Throws: ``InputError`` where the file cannot be made.
    init(path: String?) throws(InputError) {
        guard let path, path != "-" else {
            (self.descriptor, self.file) = (STDOUT_FILENO, nil)
            return
        }
        var status = stat()
        let isThere = stat(path, &status) == 0
        guard !isThere || status.st_mode & S_IFMT == S_IFREG else {
            self.descriptor = try Self.open(path, O_WRONLY)
            self.file = nil
            return
        }
        let target = isThere ? Self.resolved(path) : path
        // A name of its own: another file may end in .partial, or another export be under way.
        let file = File(path: target, partialPath: "\(target).\(getpid()).partial")
        self.descriptor = try Self.open(file.partialPath, O_WRONLY | O_CREAT | O_EXCL)
        self.file = file
        Interruption.unfinished(file.partialPath)
        if isThere { fchmod(self.descriptor, status.st_mode & 0o7777) }
    }

    /// A file that only its owner may read.
    ///
    /// - Parameter replacing: whether a file that is there may lose its name to it.
    /// - Throws: ``InputError`` where the file cannot be made, or another one is there.
    init(newFile path: String, replacing: Bool) throws(InputError) {
        var status = stat()
        if lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else { throw InputError("\(path) is there and is no file.") }
            guard replacing else { throw InputError("\(path) is there already; give --force to replace it.") }
        }
        let file = File(path: path, partialPath: "\(path).partial")
        guard lstat(file.partialPath, &status) != 0 else {
            throw InputError(
                "\(file.partialPath) is there: it is being written, or what a killed command left; then remove it.")
        }
        self.descriptor = try Self.open(file.partialPath, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        self.file = file
        Interruption.unfinished(file.partialPath)
    }

    private static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o666) throws(InputError) -> Int32 {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw InputError("\(path) cannot be written: \(String(cString: strerror(errno))).")
        }
        return descriptor
    }

    private static func resolved(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    func write(_ bytes: [UInt8]) throws(OutputError) {
        try Output.write(bytes[...], to: self.descriptor)
    }

    /// Makes the file durable and gives it its name, durably too.
    func finish() throws(OutputError) {
        guard let file else { return }
        guard fsync(self.descriptor) == 0, close(self.descriptor) == 0, rename(file.partialPath, file.path) == 0 else {
            throw .failed(errno)
        }
        Interruption.unfinished(nil)
        let folder = Glibc.open(file.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .failed(errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw .failed(errno) }
    }

    /// Takes the unfinished file away.
    func discard() {
        guard let file else { return }
        close(self.descriptor)
        unlink(file.partialPath)
        Interruption.unfinished(nil)
    }
}
