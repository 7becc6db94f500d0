// grpc.health.v1.Health: whether the daemon takes calls, for whoever places or watches it.

internal import CRollcallProto
internal import NIOCore
internal import ProtobufC
internal import RPC
internal import ServiceLifecycle

/// Tells callers that the daemon serves, until a drain begins.
///
/// A store that takes no changes is none of its business: reads are answered all the same, and whoever restarts or
/// passes over what is not serving would end them too. GetServerInfo tells of the store.
///
/// All services stand and fall together: they are served by one process from one store, and a drain ends them all. A
/// watcher is owed at most two messages, the state that it came upon and the one of the drain; the second waits for the
/// first to be taken, so that nothing queues up for a slow one.
///
/// ## Concurrency
/// Calls come from any event loop or task, ``drainStarted()`` from anywhere.
final class HealthService: Sendable {
    static let name = "grpc.health.v1.Health"

    /// Raised when the service is told of the drain, which is before anything else of the daemon is.
    let drain = DrainSignal()
    /// What is watched besides the server as a whole: its services by full name, this one included.
    private let services: Set<String>

    /// - Parameter services: Full names of the server's other services.
    init(services: some Sequence<String>) {
        self.services = Set(services).union([Self.name])
    }

    /// Every method, for a transport's table.
    var methods: [Method] {
        [self.check, self.list, self.watch]
    }

    /// Says NOT_SERVING from now on, tells every watcher so, and ends its stream after that.
    ///
    /// To be called before connections are drained: a watcher's stream would hold its connection for ever, and a
    /// balancer should hear of the drain before its calls are refused.
    func drainStarted() {
        self.drain.raise()
    }

    // MARK: Methods

    private var check: Method {
        Method(
            Self.method("Check"),
            .immediate { (_, request, reply: inout ByteBuffer) throws(Status) in
                let service = try Self.service(in: request)
                guard let status = self.status(of: service) else {
                    throw Status(.notFound, "There is no service \(service) here.", reason: "SERVICE_NOT_FOUND")
                }
                reply.writeImmutableBuffer(Self.response(status))
            }
        )
    }

    private var list: Method {
        Method(
            Self.method("List"),
            .immediate { (_, request, reply: inout ByteBuffer) throws(Status) in
                try Self.decode(Messages.grpcHealthV1HealthListRequest, request) { _ in }
                reply.writeBytes(self.listResponse)
            }
        )
    }

    private var watch: Method {
        Method(
            Self.method("Watch"),
            .stream(.server) { _, requests, responses in
                var iterator = requests.makeAsyncIterator()
                guard let request = try await iterator.next() else {
                    throw Status.malformed("The request is missing.")
                }
                let service = try request.withUnsafeReadableBytes { try Self.service(in: $0) }
                let status = self.status(of: service)
                try await responses.write(Self.response(status ?? Self.serviceUnknown))
                await self.drain.raised()
                try Task.checkCancellation()
                // Whoever came during the drain has been told already; of an unknown service there is no news.
                if let status, status != Self.notServing {
                    try await responses.write(Self.response(Self.notServing))
                }
                throw Status.draining
            }
        )
    }
}

extension HealthService: Service {
    /// Waits for the drain, and tells of it before the services that started earlier are shut down.
    func run() async {
        // Cancelled or shut down: either way the daemon goes.
        try? await gracefulShutdown()
        self.drainStarted()
    }
}

// MARK: - Messages

extension HealthService {
    private typealias ServingStatus = Grpc__Health__V1__HealthCheckResponse__ServingStatus

    private static let serving = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
    private static let notServing = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
    private static let serviceUnknown = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN

    private static func method(_ name: String) -> MethodName {
        MethodName(service: Self.name, method: name)
    }

    /// The health of a service, of the server as a whole where the name is empty; nil where there is none of the name.
    private func status(of service: String) -> ServingStatus? {
        guard service.isEmpty || self.services.contains(service) else { return nil }
        return self.drain.isRaised ? Self.notServing : Self.serving
    }

    private static func service(in request: UnsafeRawBufferPointer) throws(Status) -> String {
        try Self.decode(Messages.grpcHealthV1HealthCheckRequest, request) { $0.pointee.service.string }
    }

    private static func decode<Message, Value>(
        _ type: MessageType<Message>, _ bytes: UnsafeRawBufferPointer,
        _ read: (UnsafeMutablePointer<Message>) -> Value
    ) throws(Status) -> Value {
        do {
            return try Arena.current.decode(type, from: bytes, read)
        } catch {
            throw .malformed("The request cannot be read: \(error)")
        }
    }

    private static func response(_ status: ServingStatus) -> ByteBuffer {
        var writer = WireWriter()
        writer.append(1, varint: UInt64(status.rawValue))
        return ByteBuffer(bytes: writer.bytes)
    }

    /// One entry of the map for the server as a whole, and one for each service.
    private var listResponse: [UInt8] {
        var response = WireWriter()
        for service in [""] + self.services.sorted() {
            guard let status = self.status(of: service) else { continue }
            var entry = WireWriter()
            entry.append(1, bytes: service.utf8)
            entry.append(2, bytes: Self.response(status).readableBytesView)
            response.append(1, bytes: entry.bytes)
        }
        return response.bytes
    }
}
