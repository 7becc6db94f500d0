import NIOCore
import ProtobufC
import RPC
import RollcallTesting
import Testing

@testable import RollcallDaemon

/// What the daemon says of its health, and when.
@Suite(.timeLimit(.minutes(1))) struct HealthTests {
    private static let serving: [UInt8] = [0x08, 1]
    private static let notServing: [UInt8] = [0x08, 2]
    private static let serviceUnknown: [UInt8] = [0x08, 3]

    private static func name(_ method: String) -> MethodName {
        MethodName(service: "grpc.health.v1.Health", method: method)
    }

    private static func request(_ service: String) -> ByteBuffer {
        var writer = WireWriter()
        if !service.isEmpty {
            writer.append(1, bytes: service.utf8)
        }
        return ByteBuffer(bytes: writer.bytes)
    }

    private func call(_ method: String, on health: HealthService, _ request: ByteBuffer) throws -> [UInt8] {
        let found = try #require(health.methods.first { $0.name == Self.name(method) })
        guard case .immediate(let answer) = found.handler else {
            throw Status.defect("\(method) answers at once.")
        }
        let context = CallContext(
            peer: Peer(userID: 1, groupID: 1, processID: 1), deadline: .distantFuture, metadata: Metadata())
        var reply = ByteBuffer()
        try request.withUnsafeReadableBytes { try answer(context, $0, &reply) }
        return Array(reply.readableBytesView)
    }

    // MARK: Check and List

    @Test func theServerAndEachOfItsServicesServeUntilTheDrain() throws {
        let health = HealthService()
        let services = [
            "", "rollcall.v1.Devices", "rollcall.v1.Projects", "rollcall.v1.Server", "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
        ]
        for service in services {
            #expect(try self.call("Check", on: health, Self.request(service)) == Self.serving, "\(service)")
        }
        health.drainStarted()
        for service in services {
            #expect(try self.call("Check", on: health, Self.request(service)) == Self.notServing, "\(service)")
        }
    }

    @Test func aServiceThatIsNotThereIsNotFound() throws {
        let error = #expect(throws: Status.self) {
            try self.call("Check", on: HealthService(), Self.request("rollcall.v1.Device"))
        }
        #expect(error?.code == .notFound)
        #expect(error?.reason == "SERVICE_NOT_FOUND")
        #expect(error?.message.contains("rollcall.v1.Device") == true)
    }

    @Test func aMalformedRequestIsAnInvalidArgument() throws {
        for method in ["Check", "List"] {
            let error = #expect(throws: Status.self) {
                try self.call(method, on: HealthService(), ByteBuffer(bytes: [0x0A, 0xFF]))
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func aListNamesEveryServiceOnce() throws {
        let health = HealthService(services: ["b.B", "a.A"])
        // The map's entries, each {name, {status}}; an empty name is the server as a whole.
        func expected(_ status: [UInt8]) -> [UInt8] {
            var list = WireWriter()
            for name in ["", "a.A", "b.B", "grpc.health.v1.Health"] {
                var entry = WireWriter()
                entry.append(1, bytes: name.utf8)
                entry.append(2, bytes: status)
                list.append(1, bytes: entry.bytes)
            }
            return list.bytes
        }
        #expect(try self.call("List", on: health, ByteBuffer()) == expected(Self.serving))
        health.drainStarted()
        #expect(try self.call("List", on: health, ByteBuffer()) == expected(Self.notServing))
    }

    // MARK: Watch

    /// Watches `service` of a running daemon through its drain; gives the messages, and how the stream ended.
    private func watchThroughDrain(_ service: String) async throws -> (messages: [[UInt8]], end: WireStatus?) {
        // A watch that held the drain up would hold this test up for an hour.
        try await DaemonHarness.with(in: TemporaryFolder(), store: MemoryStore(), drainSeconds: 3_600) { harness in
            let wire = try WireConnection(path: harness.socketPath)
            let call = Wire.text(1, "grpc.health.v1.Health") + Wire.text(2, "Watch")
            let request = Wire.field(3, Wire.text(1, service))
            await wire.send(WireFrame(id: 1, type: 1, flags: 1, data: call + request))
            var messages: [[UInt8]] = []
            while let frame = try await wire.receive() {
                guard frame.type == 3 else {
                    return (messages, try WireStatus(frame))
                }
                messages.append(frame.data)
                if messages.count == 1 {
                    await harness.daemon.stop()
                }
            }
            return (messages, nil)
        }
    }

    @Test(arguments: ["", "rollcall.v1.Devices"])
    func aWatcherHearsOfTheDrainAndThenItsStreamEnds(service: String) async throws {
        let (messages, end) = try await self.watchThroughDrain(service)
        #expect(messages == [Self.serving, Self.notServing])
        #expect(end?.code == 14)
        #expect(end?.reason == "DRAINING")
    }

    @Test func aWatcherOfAnUnknownServiceIsToldSoAndStays() async throws {
        let (messages, end) = try await self.watchThroughDrain("no.such.Service")
        #expect(messages == [Self.serviceUnknown])
        #expect(end?.code == 14)
    }

    @Test func whoComesDuringADrainIsToldAtOnce() async throws {
        let health = HealthService()
        health.drainStarted()
        let watch = try #require(health.methods.first { $0.name == Self.name("Watch") })
        guard case .stream(.server, let run) = watch.handler else {
            throw Status.defect("Watch streams to its caller.")
        }
        let context = CallContext(
            peer: Peer(userID: 1, groupID: 1, processID: 1), deadline: .distantFuture, metadata: Metadata())
        let (requests, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        continuation.yield(ByteBuffer())
        continuation.finish()
        let (responses, written) = AsyncStream.makeStream(of: [UInt8].self)
        let error = await #expect(throws: Status.self) {
            try await run(
                context, RequestMessages(requests),
                ResponseWriter { part in
                    if case .message(let message) = part { written.yield(Array(message.readableBytesView)) }
                })
        }
        written.finish()
        #expect(error?.reason == "DRAINING")
        #expect(await responses.reduce(into: []) { $0.append($1) } == [Self.notServing])
    }

    @Test func aWatcherWhoseConnectionIsGoneIsForgotten() async throws {
        let health = HealthService()
        let watch = try #require(health.methods.first { $0.name == Self.name("Watch") })
        guard case .stream(.server, let run) = watch.handler else {
            throw Status.defect("Watch streams to its caller.")
        }
        let context = CallContext(
            peer: Peer(userID: 1, groupID: 1, processID: 1), deadline: .distantFuture, metadata: Metadata())
        let (requests, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        continuation.yield(ByteBuffer())
        continuation.finish()
        let call = Task {
            try await run(context, RequestMessages(requests), ResponseWriter { _ in })
        }
        while health.drain.waiterCount == 0 {
            await Task.yield()
        }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        #expect(health.drain.waiterCount == 0)
    }
}
