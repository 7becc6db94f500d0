// A bare connection to a Unix socket, for bytes that no client would send.

internal import Foundation

/// One blocking connection. What takes longer than ten seconds fails.
package final class RawConnection: Sendable {
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "raw connection")

    /// Nil where nobody listens at `path`.
    package init?(_ path: String) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            return nil
        }
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        let byteCount = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, byteCount)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, byteCount)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isConnected else {
            Foundation.close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    /// Sends all of `bytes`; false where the other side is gone or does not take them.
    @discardableResult
    package func send(_ bytes: [UInt8]) async -> Bool {
        await self.blocking { self.sendNow(bytes) }
    }

    /// Receives what is there, at most `byteCountMax`; empty at the end, nil where nothing came in time or the
    /// connection broke.
    package func receive(byteCountMax: Int = 64 << 10) async -> [UInt8]? {
        await self.blocking { self.receiveNow(byteCountMax: byteCountMax) }
    }

    /// Waits on a thread of its own: the tasks of a daemon in this process need theirs.
    private func blocking<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            self.queue.async { continuation.resume(returning: body()) }
        }
    }

    private func sendNow(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else {
                return false
            }
            sent += count
        }
        return true
    }

    private func receiveNow(byteCountMax: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: byteCountMax)
        let count = recv(self.descriptor, &bytes, bytes.count, 0)
        guard count >= 0 else {
            return nil
        }
        return Array(bytes[..<count])
    }

    /// Says that no more bytes will come.
    package func finishSending() {
        shutdown(self.descriptor, Int32(SHUT_WR))
    }

    /// Ends the connection. Once.
    package func close() {
        Foundation.close(self.descriptor)
    }
}
