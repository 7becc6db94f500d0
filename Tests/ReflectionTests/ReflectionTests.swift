import CRollcallProto
import Descriptors
import NIOCore
import ProtobufC
import RPC
import Reflection
import Testing

/// Questions of every kind on one stream, in both versions.
@Suite struct ReflectionTests {
    private static let servers = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]

    /// An answer, as far as a test looks at it.
    private enum Answer: Equatable {
        case files([String])
        case services([String])
        case error(Status.Code)
    }

    /// Asks `requests` on one stream and gives the answers.
    private func ask(_ requests: [[UInt8]], of server: String = Self.servers[0]) async throws -> [ByteBuffer] {
        let service = ReflectionService(services: ["rollcall.v1.Devices", "a.A"])
        let method = try #require(service.methods.first { $0.name.service == server })
        #expect(method.name.method == "ServerReflectionInfo")
        guard case .stream(.bidirectional, let run) = method.handler else {
            throw Status.defect("Reflection streams both ways.")
        }
        let (input, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        for request in requests {
            continuation.yield(ByteBuffer(bytes: request))
        }
        continuation.finish()
        let (output, written) = AsyncStream.makeStream(of: ByteBuffer.self)
        let context = CallContext(
            peer: Peer(userID: 1, groupID: 1, processID: 1), deadline: .distantFuture, metadata: Metadata())
        defer { written.finish() }
        try await run(
            context, RequestMessages(input),
            ResponseWriter { part in
                if case .message(let message) = part { written.yield(message) }
            })
        written.finish()
        return await output.reduce(into: []) { $0.append($1) }
    }

    private func answers(_ requests: [[UInt8]], of server: String = Self.servers[0]) async throws -> [Answer] {
        try await self.ask(requests, of: server).enumerated().map { index, reply in
            try Self.read(reply, of: requests[index])
        }
    }

    /// Reads an answer with the published messages, and checks what all answers have.
    private static func read(_ reply: ByteBuffer, of request: [UInt8]) throws -> Answer {
        try reply.withUnsafeReadableBytes { bytes in
            try Arena.current.decode(Messages.grpcReflectionV1ServerReflectionResponse, from: bytes) { message in
                #expect(message.pointee.original_request != nil)
                switch message.pointee.message_response_case {
                case GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE:
                    let error = try #require(message.pointee.error_response).pointee
                    #expect(error.error_message.string.hasSuffix("."))
                    return .error(Status.Code(rawValue: error.error_code))
                case GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE:
                    let list = try #require(message.pointee.list_services_response).pointee
                    return .services(
                        try (0..<list.n_service).map { try #require(list.service[$0]).pointee.name.string })
                default:
                    let files = try #require(message.pointee.file_descriptor_response).pointee
                    return .files(
                        try (0..<files.n_file_descriptor_proto).map { index in
                            let bytes = Array(files.file_descriptor_proto[index].bytes)
                            return try #require(DescriptorPool.embedded.files.first { $0.bytes == bytes }).name
                        })
                }
            }
        }
    }

    private func request(_ number: Int, _ text: String, host: String = "") -> [UInt8] {
        var writer = WireWriter()
        if !host.isEmpty {
            writer.append(1, bytes: host.utf8)
        }
        writer.append(number, bytes: text.utf8)
        return writer.bytes
    }

    private func file(_ name: String) -> [UInt8] { self.request(3, name) }
    private func symbol(_ name: String) -> [UInt8] { self.request(4, name) }

    @Test(arguments: Self.servers) func everyQuestionHasItsAnswer(server: String) async throws {
        var extensionRequest = WireWriter()
        extensionRequest.append(1, bytes: "rollcall.v1.Device".utf8)
        extensionRequest.append(2, varint: 1_019)
        var byExtension = WireWriter()
        byExtension.append(5, bytes: extensionRequest.bytes)
        let answers = try await self.answers(
            [
                self.file("google/protobuf/any.proto"), self.symbol("ttrpc.Response"), byExtension.bytes,
                self.request(6, "rollcall.v1.Device"), self.request(7, ""), [],
            ], of: server)
        let expected: [Answer] = [
            .files(["google/protobuf/any.proto"]), .files(["ttrpc/ttrpc.proto", "google/rpc/status.proto"]),
            .error(.notFound), .error(.notFound),
            .services(["a.A"] + Self.servers + ["rollcall.v1.Devices"]), .error(.invalidArgument),
        ]
        #expect(answers == expected)
    }

    @Test func aFileComesFirstAndWhatItImportsOnceAStream() async throws {
        let devices = "rollcall/v1/devices.proto"
        let imports = [
            "google/protobuf/any.proto", "google/protobuf/duration.proto", "google/protobuf/field_mask.proto",
            "google/protobuf/timestamp.proto", "google/rpc/status.proto", "rollcall/v1/bulk.proto",
            "rollcall/v1/purge.proto", "rollcall/v1/resources.proto", "rollcall/v1/watch.proto",
        ]
        let answers = try await self.answers([
            self.symbol("rollcall.v1.Devices"), self.symbol("rollcall.v1.Devices"), self.file(devices),
            self.file("rollcall/v1/projects.proto"), self.file("google/protobuf/duration.proto"),
        ])
        guard case .files(let first) = answers[0], case .files(let projects) = answers[3] else {
            Issue.record("\(answers)")
            return
        }
        #expect(first.first == devices)
        #expect(first.dropFirst().sorted() == imports)
        // Asked for again it comes again, but nothing else does.
        #expect(answers[1] == .files([devices]))
        #expect(answers[2] == .files([devices]))
        #expect(projects.first == "rollcall/v1/projects.proto")
        #expect(Set(projects).isDisjoint(with: imports))
        #expect(answers[4] == .files(["google/protobuf/duration.proto"]))
        // Another stream has been sent nothing yet.
        #expect(try await self.answers([self.file(devices)]) == [.files(first)])
    }

    @Test func everySymbolLeadsToAFileThatDeclaresIt() async throws {
        let names = DescriptorPool.embedded.symbolNames.sorted()
        let answers = try await self.answers(names.map { self.symbol($0) })
        #expect(answers.count == names.count)
        for (name, answer) in zip(names, answers) {
            guard case .files(let files) = answer else {
                Issue.record("\(name): \(answer)")
                continue
            }
            #expect(files.first == DescriptorPool.embedded.file(containing: name)?.name)
        }
    }

    @Test func whatIsNotThereIsAnErrorAndTheStreamGoesOn() async throws {
        let answers = try await self.answers([
            self.file("rollcall/v2/devices.proto"), self.symbol("rollcall.v1.Devices/GetDevice"), self.symbol(""),
            self.symbol("rollcall.v1.Devices.GetDevice"),
        ])
        #expect(answers.prefix(3) == [.error(.notFound), .error(.notFound), .error(.notFound)])
        guard case .files(let files) = answers[3] else {
            Issue.record("\(answers)")
            return
        }
        #expect(files.first == "rollcall/v1/devices.proto")
    }

    @Test func hostAndRequestAreGivenBack() async throws {
        let request = self.request(7, "*", host: "here")
        let reply = try await self.ask([request])[0]
        // valid_host = 1, original_request = 2.
        var expected = WireWriter()
        expected.append(1, bytes: "here".utf8)
        expected.append(2, bytes: request)
        #expect(Array(reply.readableBytesView.prefix(expected.bytes.count)) == expected.bytes)
    }

    @Test func bytesThatAreNoRequestEndTheStream() async throws {
        let error = await #expect(throws: Status.self) {
            try await self.ask([self.request(7, ""), [0x3A, 0xFF]])
        }
        #expect(error?.code == .invalidArgument)
    }
}
