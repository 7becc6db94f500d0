import Foundation
import Testing

/// What a daemon told its service manager at once.
struct ServiceNotification: Equatable, CustomTestStringConvertible {
    /// Assignments such as `READY=1`.
    var lines: [String]
    /// What came with it, for the receiver to close.
    var descriptor: Int32?

    /// The value that `name` has in it.
    subscript(name: String) -> String? {
        self.lines.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    var testDescription: String {
        "\(self.lines) \(self.descriptor.map { "with descriptor \($0)" } ?? "")"
    }
}

/// The service manager's end of the socket that notifications go to.
final class NotificationReceiver: Sendable {
    struct Failure: Error {
        let what: String
        let error: Int32
    }

    /// For `NOTIFY_SOCKET`.
    let address: String
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "notifications")

    /// Listens at a path, or at an abstract name after `@`.
    init(_ address: String) throws {
        self.address = address
        self.descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var timeout = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { bytes in
            bytes.copyBytes(from: address.utf8)
            if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        }
        let byteCount = socklen_t(MemoryLayout<sa_family_t>.size + address.utf8.count)
        let isBound = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(self.descriptor, $0, byteCount) == 0 }
        }
        guard isBound else {
            throw Failure(what: "bind", error: errno)
        }
    }

    deinit {
        close(self.descriptor)
    }

    /// Waits for the next one.
    func next() async throws -> ServiceNotification {
        try await withCheckedThrowingContinuation { continuation in
            self.queue.async { continuation.resume(with: Result { try self.receive() }) }
        }
    }

    /// Waits for one that says `line`, and passes over others.
    @discardableResult
    func next(saying line: String) async throws -> ServiceNotification {
        while true {
            let notification = try await self.next()
            if notification.lines.contains(line) {
                return notification
            }
        }
    }

    /// Takes those that have come, and answers how many there were.
    func takeAll() -> Int {
        var count = 0
        while (try? self.receive(flags: Int32(MSG_DONTWAIT))) != nil {
            count += 1
        }
        return count
    }

    private func receive(flags: Int32 = 0) throws -> ServiceNotification {
        var text = [UInt8](repeating: 0, count: 4_096)
        // A cmsghdr (length, level, type) and one descriptor, with room to spare.
        var rights = [UInt64](repeating: 0, count: 8)
        let (count, rightsByteCount) = text.withUnsafeMutableBytes { text in
            rights.withUnsafeMutableBytes { rights in
                var part = iovec(iov_base: text.baseAddress, iov_len: text.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = rights.baseAddress
                    message.msg_controllen = rights.count
                    let count = recvmsg(self.descriptor, &message, flags | Int32(MSG_CMSG_CLOEXEC))
                    return (count, Int(message.msg_controllen))
                }
            }
        }
        guard count >= 0 else {
            throw Failure(what: "recvmsg", error: errno)
        }
        return ServiceNotification(
            lines: String(decoding: text[..<count], as: UTF8.self).split(separator: "\n").map(String.init),
            descriptor: rightsByteCount == 0
                ? nil : rights.withUnsafeBytes { $0.load(fromByteOffset: 16, as: Int32.self) }
        )
    }
}
