import Descriptors
import DeviceModel
import DeviceRegistry
import DeviceService
import NIOCore
import ProtobufC
import RPC
import RollcallTesting
import TTRPC
import Testing

@testable import RollcallDaemon

/// What the daemon answers against what its proto files declare.
@Suite struct MethodTableTests {
    /// Packages whose services are the daemon's own to answer.
    private static let packages = ["rollcall.v1", "grpc.health.v1", "grpc.reflection.v1", "grpc.reflection.v1alpha"]

    private static func line(_ path: String, _ isClientStreaming: Bool, _ isServerStreaming: Bool) -> String {
        "\(path) (\(isClientStreaming ? "stream" : "one")) returns (\(isServerStreaming ? "stream" : "one"))"
    }

    private static func line(_ method: Method) -> String {
        let (isClientStreaming, isServerStreaming) =
            switch method.handler {
            case .immediate, .adaptive, .deferred: (false, false)
            case .stream(.client, _): (true, false)
            case .stream(.server, _): (false, true)
            case .stream(.bidirectional, _): (true, true)
            }
        return Self.line(method.name.description, isClientStreaming, isServerStreaming)
    }

    @Test func everyDeclaredMethodIsAnsweredInItsWayAndNoOther() throws {
        let registry = try Registry(store: MemoryStore(), limits: Limits(), logger: .silent)
        defer { registry.close() }
        let table = MethodTable(
            registry: registry, health: HealthService(), quota: CallQuota(countMaxPerUser: 1),
            watchQuota: CallQuota(countMaxPerUser: 1), audit: AuditLog(logger: .silent))
        let declared = DescriptorPool.embedded.files.filter { Self.packages.contains($0.package) }
            .flatMap(\.services).flatMap(\.methods)
            .map { Self.line($0.path, $0.isClientStreaming, $0.isServerStreaming) }
        #expect(Set(table.methods.map(Self.line)) == Set(declared))
        #expect(table.methods.count == declared.count)
    }

    /// A method that the table forgets is refused to everyone, which no other test would notice.
    @Test func everyDeclaredMethodHasItsRole() {
        let declared = DescriptorPool.embedded.files.filter { Self.packages.contains($0.package) }
            .flatMap(\.services).flatMap(\.methods).map(\.path)
        #expect(declared.filter { MethodAccess.byMethod[$0] == nil } == [])
    }

    @Test func everyAnsweredServiceIsInHealthAndReflection() async throws {
        try await DaemonHarness.with(in: TemporaryFolder(), store: MemoryStore()) { harness in
            let client = try await harness.rawClient()
            let declared = DescriptorPool.embedded.services.map(\.fullName)
            let health = try await client.unary(
                MethodName(service: "grpc.health.v1.Health", method: "List"), ByteBuffer())
            let healthy = try Self.names(in: health, path: [1, 1])
            #expect(healthy == [""] + declared)
            // list_services, with any value.
            var request = WireWriter()
            request.append(7, bytes: "*".utf8)
            let message = ByteBuffer(bytes: request.bytes)
            for version in ["v1", "v1alpha"] {
                let name = MethodName(
                    service: "grpc.reflection.\(version).ServerReflection", method: "ServerReflectionInfo")
                let listed = try await client.withStream(name, .bidirectional, message) { stream in
                    stream.finish()
                    var replies: [ByteBuffer] = []
                    for try await reply in stream.messages {
                        replies.append(reply)
                    }
                    return replies
                }
                #expect(listed.count == 1)
                #expect(try Self.names(in: listed[0], path: [6, 1, 1]) == declared)
            }
            await client.close()
        }
    }

    /// Every text at the end of a path of field numbers.
    private static func names(in message: ByteBuffer, path: [Int]) throws -> [String] {
        var values = [Array(message.readableBytesView)[...]]
        for number in path {
            values = try values.flatMap { value in
                var fields = WireFields(value)
                var found: [ArraySlice<UInt8>] = []
                while let field = try fields.next() {
                    if field.number == number, case .bytes(let bytes) = field.value {
                        found.append(bytes)
                    }
                }
                return found
            }
        }
        return values.map { String(decoding: $0, as: UTF8.self) }
    }
}
