// The client: one connection, typed calls.

internal import DeviceWire
internal import FoundationEssentials
internal import Glibc
public import NIOCore
public import NIOPosix
internal import ProtobufC
internal import RPC

/// Calls a Rollcall server.
///
/// ```swift
/// let client = try await RollcallClient.connect()
/// let device = try await client.createDevice("ABCD1234", ownerRef: "ada", hardwareVersion: "hwrev1")
/// var query = ListQuery()
/// query.filter.cohorts = ["beta"]
/// query.sort = [SortKey(.lastSeen, isDescending: true)]
/// for try await device in client.devices(matching: query) { … }
/// await client.close()
/// ```
///
/// A client is a value: copies share one connection, and each has its own ``project`` and ``timeout``.
/// ``with(project:)`` and ``with(timeout:)`` make such copies for a few calls.
///
/// A call that finds the connection lost makes a new one first. A call during which it is lost fails with
/// ``RollcallError/Code/unavailable``; whether a mutation took place is then unknown, and repeating it with the same
/// request id settles it. A mutation without a request id is never repeated by the client itself.
///
/// ## Concurrency
/// Any number of calls may run at once, from any task. Cancelling a task ends its call with
/// ``RollcallError/Code/cancelled``; the server may still complete it.
public struct RollcallClient: Sendable {
    /// Slug of the project that calls act in; empty for `default`.
    public var project: String
    /// How long a call may take in all, connecting included; nil for as long as it needs.
    public var timeout: Duration?

    let link: Link

    /// Connects to a server.
    ///
    /// - Parameters:
    ///   - address: `unix:///path` or a path; nil looks where ``ServerAddress/candidates(environment:isRoot:)`` says.
    ///   - project: Slug of the project that calls act in; empty for `default`.
    ///   - timeout: How long connecting may take, and each call after it; nil for no bound.
    ///   - eventLoopGroup: Runs the connection, on one of its loops.
    /// - Throws: ``RollcallError`` INVALID_ARGUMENT if `address` is none; UNAVAILABLE naming every path tried and the
    ///   likely cause; DEADLINE_EXCEEDED if the server accepted no connection in time.
    public static func connect(
        address: String? = nil,
        project: String = "",
        timeout: Duration? = .seconds(30),
        eventLoopGroup: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup
    ) async throws(RollcallError) -> RollcallClient {
        let addresses =
            if let address {
                [try ServerAddress(address)]
            } else {
                try ServerAddress.candidates(
                    environment: ProcessInfo.processInfo.environment, isRoot: geteuid() == 0
                )
            }
        let client = RollcallClient(
            project: project, timeout: timeout, link: Link(addresses: addresses, eventLoopGroup: eventLoopGroup)
        )
        _ = try await client.link.connection(deadline: client.deadline)
        return client
    }

    private init(project: String, timeout: Duration?, link: Link) {
        self.project = project
        self.timeout = timeout
        self.link = link
    }

    /// The same client, acting in another project.
    public func with(project: String) -> RollcallClient {
        var client = self
        client.project = project
        return client
    }

    /// The same client with another bound on how long a call may take; nil for none.
    public func with(timeout: Duration?) -> RollcallClient {
        var client = self
        client.timeout = timeout
        return client
    }

    /// Ends the connection. Calls that wait for an answer fail, and so do later ones, of every copy.
    public func close() async {
        await self.link.close()
    }

    // MARK: Calling

    /// When a call that starts now is to be over; nil for never.
    var deadline: NIODeadline? {
        self.timeout.map { .now() + TimeAmount.nanoseconds(Int64(clampingNanosecondsOf: $0)) }
    }

    /// Calls a method: builds its request, waits for the reply, and reads it.
    ///
    /// - Parameters:
    ///   - request: Builds the request in the arena's scope.
    ///   - type: The reply's type.
    ///   - read: Takes what is wanted out of the reply, which is gone afterwards.
    func call<Request, Reply, Value>(
        _ method: MethodName,
        _ request: (Arena) -> UnsafeMutablePointer<Request>,
        reply type: MessageType<Reply>,
        _ read: (UnsafePointer<Reply>) throws(WireValueError) -> Value
    ) async throws(RollcallError) -> Value {
        let reply = try await self.unary(method, Self.encoded(request))
        do {
            return try reply.withUnsafeReadableBytes { bytes in
                try Arena.current.decode(type, from: bytes) { try read($0) }
            }
        } catch {
            throw .badReply("\(error)")
        }
    }

    /// The bytes of a request that is built in the arena's scope.
    static func encoded<Request>(_ request: (Arena) -> UnsafeMutablePointer<Request>) -> ByteBuffer {
        Arena.current.scope { arena in
            var buffer = ByteBuffer()
            buffer.append(request(arena))
            return buffer
        }
    }
}

extension ByteBuffer {
    /// Packs a message into the buffer's own memory.
    mutating func append<Message>(_ message: UnsafeMutablePointer<Message>) {
        let message = UnsafePointer(message)
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: Encoding.packedByteCount(of: message)) {
            Encoding.pack(message, into: $0)
        }
    }
}

extension MethodName {
    /// A method of the service for devices.
    static func devices(_ method: String) -> MethodName {
        MethodName(service: "rollcall.v1.Devices", method: method)
    }

    /// A method of the service for projects and cohorts.
    static func projects(_ method: String) -> MethodName {
        MethodName(service: "rollcall.v1.Projects", method: method)
    }

    /// A method of the service about the server itself.
    static func server(_ method: String) -> MethodName {
        MethodName(service: "rollcall.v1.Server", method: method)
    }
}

extension Int64 {
    /// The whole nanoseconds of a duration, kept within 0 to about 30 years: far enough, and safe to add to a deadline.
    init(clampingNanosecondsOf duration: Duration) {
        let longest = Duration.seconds(1_000_000_000)
        let (seconds, attoseconds) = Swift.min(Swift.max(duration, .zero), longest).components
        self = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
