// Where bytes go that no person reads as they come.

internal import Glibc

/// Standard output, or a file that appears under its name only once it is whole.
struct ByteOutput: Sendable {
    private let descriptor: Int32
    /// Nil for standard output.
    private let path: String?

    private var partialPath: String? { self.path.map { $0 + ".partial" } }

    /// - Parameter path: nil for standard output; a file that is there stays as it is until ``finish()``.
    /// - Throws: ``InputError`` where the file cannot be made.
    init(path: String?) throws(InputError) {
        self.path = path
        guard let path else {
            self.descriptor = STDOUT_FILENO
            return
        }
        let descriptor = open(path + ".partial", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw InputError("\(path).partial cannot be written: \(String(cString: strerror(errno))).")
        }
        self.descriptor = descriptor
    }

    func write(_ bytes: [UInt8]) throws(OutputError) {
        try Output.write(bytes[...], to: self.descriptor)
    }

    /// Makes the file durable and gives it its name.
    func finish() throws(OutputError) {
        guard let path, let partialPath else { return }
        guard fsync(self.descriptor) == 0, close(self.descriptor) == 0, rename(partialPath, path) == 0 else {
            throw .failed(errno)
        }
    }

    /// Takes the unfinished file away.
    func discard() {
        guard let partialPath else { return }
        close(self.descriptor)
        unlink(partialPath)
    }
}
