// Input, without holding up what else the program does.

internal import Glibc
internal import NIOPosix

enum StandardInput {
    /// How long a read waits before it looks whether anyone still wants it, in milliseconds.
    private static let waitMilliseconds: Int32 = 50
    private static let byteCountMax = 64 << 10

    /// Waits for some bytes, on a thread of its own; nil at the end.
    ///
    /// - Throws: `CancellationError` when the task is cancelled, ``InputError`` where it cannot be read.
    static func read() async throws -> [UInt8]? {
        while true {
            try Task.checkCancellation()
            let bytes = try await Self.readIfReady(STDIN_FILENO)
            if let bytes { return bytes.isEmpty ? nil : bytes }
        }
    }

    /// What a descriptor has now, empty at the end; nil where nothing came in time. Waits on a thread of its own.
    static func readIfReady(_ descriptor: Int32) async throws -> [UInt8]? {
        try await NIOThreadPool.singleton.runIfActive { try Self.pollAndRead(descriptor) }
    }

    private static func pollAndRead(_ descriptor: Int32) throws(InputError) -> [UInt8]? {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, Self.waitMilliseconds) > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Self.byteCountMax)
        let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else {
            let error = errno
            if error == EINTR || error == EAGAIN { return nil }
            throw InputError("The input cannot be read: \(String(cString: strerror(error))).")
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
