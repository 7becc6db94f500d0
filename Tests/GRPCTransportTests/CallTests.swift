import NIOCore
import NIOHPACK
import RPC
import RollcallTesting
import Testing

@testable import GRPCTransport

/// The rules of gRPC over a real socket, one test each.
@Suite(.timeLimit(.minutes(1))) struct CallTests {
    private static func unary(
        _ client: GRPCTestClient, _ method: String, _ text: String = ""
    ) async throws
        -> GRPCTestOutcome
    {
        try await client.unary(EchoService.name(method), ByteBuffer(string: text))
    }

    private static func serve(
        _ methods: MethodTable = EchoService.methods(), limits: ConnectionLimits = LiveServer.limits,
        _ body: (GRPCTestClient, LiveServer) async throws -> Void
    ) async throws {
        try await LiveServer.serve(.grpc, methods, limits: limits) { server in
            try await GRPCTestClient.with(server.path) { try await body($0, server) }
        }
    }

    // MARK: Kinds of calls

    @Test(arguments: ["Echo", "Adapt"], ["hello", ""])
    func unaryCallIsAnsweredWithHeadMessageAndTrailers(method: String, text: String) async throws {
        try await Self.serve { client, _ in
            let outcome = try await Self.unary(client, method, text)
            #expect(outcome.head == [":status": "200", "content-type": "application/grpc"])
            #expect(outcome.texts == [text])
            #expect(outcome.trailers == ["grpc-status": "0"])
            #expect(!outcome.isReset)
        }
    }

    @Test(arguments: ["Hold", "Adapt"]) func callIsAnsweredLater(method: String) async throws {
        let held = EchoService.HeldCalls()
        try await Self.serve(EchoService.methods(held: held)) { client, _ in
            let call = try await client.open(GRPCTestClient.headers(EchoService.name(method)))
            call.send(ByteBuffer(string: "later"), endStream: true)
            try await poll { held.count == 1 }
            held.succeed("late")
            let outcome = await call.outcome()
            #expect(outcome.texts == ["late"] && outcome.status == .ok)
        }
    }

    @Test(arguments: ["Fail", "Adapt", "Refuse"]) func errorComesAloneWithItsDetails(method: String) async throws {
        try await Self.serve { client, _ in
            let outcome = try await Self.unary(client, method, "fail")
            #expect(outcome.status == EchoService.notFound)
            #expect(outcome.head == nil && outcome.messages.isEmpty)
        }
    }

    @Test func messagesGoEitherWayInStreams() async throws {
        try await Self.serve { client, _ in
            let server = try await Self.unary(client, "Server", "m")
            #expect(server.texts == ["m0", "m1", "m2"] && server.status == .ok)
            let messages = ["a", "", "c"].map { ByteBuffer(string: $0) }
            let reply = try await client.call(GRPCTestClient.headers(EchoService.name("Client")), messages)
            #expect(reply.texts == ["<a><><c>"] && reply.status == .ok)
            let both = try await client.call(GRPCTestClient.headers(EchoService.name("Bidi")), messages)
            #expect(both.texts == ["a", "", "c"] && both.status == .ok)
            let none = try await client.call(GRPCTestClient.headers(EchoService.name("Bidi")), [])
            #expect(none.head != nil && none.messages.isEmpty && none.status == .ok)
        }
    }

    @Test func errorAfterMessagesComesInTrailers() async throws {
        try await Self.serve { client, _ in
            let outcome = try await Self.unary(client, "Break")
            #expect(outcome.head != nil && outcome.texts == ["a", "b"] && outcome.status == EchoService.notFound)
        }
    }

    @Test func bidirectionalStreamAnswersWhileItsInputIsOpen() async throws {
        try await Self.serve { client, _ in
            let call = try await client.open(GRPCTestClient.headers(EchoService.name("Bidi")))
            for text in ["a", "", "c"] {
                call.send(ByteBuffer(string: text))
                #expect(await call.nextMessage().map { String(buffer: $0) } == text)
            }
            call.send(ByteBuffer(string: "fail"))
            let outcome = await call.outcome()
            #expect(outcome.status == EchoService.notFound)
        }
    }

    @Test func manyCallsShareAConnection() async throws {
        try await Self.serve { client, _ in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let text = String(repeating: "\(number),", count: number)
                        return try await Self.unary(client, "Echo", text).texts == [text]
                    }
                }
                for try await isEqual in group {
                    #expect(isEqual)
                }
            }
        }
    }

    @Test func metadataReachesTheMethod() async throws {
        try await Self.serve { client, _ in
            var headers = GRPCTestClient.headers(EchoService.name("Metadata"))
            headers.add(name: "trace-id", value: "1")
            headers.add(name: "trace-id", value: "2")
            let outcome = try await client.call(headers, [ByteBuffer()])
            #expect(outcome.texts == ["user-agent=test,trace-id=1,trace-id=2"])
        }
    }

    @Test(arguments: ["EchoMetadata", "StreamMetadata", "ClientMetadata"])
    func metadataOfTheMethodReachesTheCaller(method: String) async throws {
        try await Self.serve { client, _ in
            let outcome = try await client.call(Self.metadataHeaders(method), [ByteBuffer(string: "a")])
            #expect(outcome.status?.code == .ok)
            #expect(outcome.texts == [method == "ClientMetadata" ? "done" : "a"])
            #expect(outcome.head?["head-text"] == ["1", "2"] && outcome.head?["head-bytes-bin"] == ["AAE="])
            #expect(outcome.trailers?["trailer-text"] == ["3"])
            #expect(outcome.head?["trailer-text"] == [] && outcome.trailers?["head-text"] == [])
        }
    }

    @Test func metadataOfAFailureComesWithItsStatus() async throws {
        try await Self.serve { client, _ in
            let outcome = try await client.call(Self.metadataHeaders("EchoMetadata"), [ByteBuffer(string: "fail")])
            #expect(outcome.status == EchoService.notFound)
            #expect(outcome.trailers?["trailer-text"] == ["3"])
        }
    }

    @Test func metadataAfterAMessageIsADefect() async throws {
        try await Self.serve { client, _ in
            let outcome = try await client.call(Self.metadataHeaders("StreamMetadata"), [ByteBuffer(string: "late")])
            #expect(outcome.status?.code == .internal)
        }
    }

    private static func metadataHeaders(_ method: String) -> HPACKHeaders {
        var headers = GRPCTestClient.headers(EchoService.name(method))
        headers.add(name: "head-text", value: "1")
        headers.add(name: "head-text", value: "2")
        headers.add(name: "head-bytes-bin", value: "AAE=")
        headers.add(name: "trailer-text", value: "3")
        return headers
    }

    // MARK: What is refused

    @Test func unknownMethodIsNamed() async throws {
        try await Self.serve { client, _ in
            let status = try #require(try await Self.unary(client, "Nope").status)
            #expect(status.code == .unimplemented && status.reason == "METHOD_UNKNOWN")
            #expect(status.message.contains("Nope") && status.message.contains(EchoService.service))
        }
    }

    @Test func requestOfAnotherKindIsAnsweredInTermsOfHTTP() async throws {
        try await Self.serve { client, _ in
            var headers = GRPCTestClient.headers(EchoService.name("Echo"))
            headers.replaceOrAdd(name: "content-type", value: "application/json")
            let other = try await client.call(headers, [])
            #expect(other.trailers?.first(name: ":status") == "415")
            let getHeaders: HPACKHeaders = [
                ":method": "GET", ":scheme": "http", ":path": "/\(EchoService.name("Echo"))", ":authority": "localhost",
            ]
            let get = try await client.open(getHeaders, endStream: true).outcome()
            #expect(get.trailers?.first(name: ":status") == "405")
        }
    }

    @Test func unaryCallTakesOneMessage() async throws {
        try await Self.serve { client, _ in
            let headers = GRPCTestClient.headers(EchoService.name("Echo"))
            let none = try await client.call(headers, [])
            let two = try await client.call(headers, [ByteBuffer(), ByteBuffer()])
            #expect(none.status?.code == .unimplemented && two.status?.code == .unimplemented)
            let last = try await client.open(headers)
            last.send(ByteBuffer())
            last.send(ByteBuffer(), endStream: true)
            #expect(await last.outcome().status?.code == .unimplemented)
        }
    }

    @Test(arguments: ["Echo", "Bidi"]) func inputThatIsNoMessageEndsItsCallAlone(method: String) async throws {
        try await Self.serve { client, _ in
            let headers = GRPCTestClient.headers(EchoService.name(method))
            let compressed = try await client.open(headers)
            compressed.send(ByteBuffer(string: "x"), flag: 1)
            let refusal = await compressed.outcome()
            #expect(refusal.status?.code == .unimplemented)
            #expect(refusal.trailers?.first(name: "grpc-accept-encoding") == "identity")

            let bad = try await client.open(headers)
            bad.send(ByteBuffer(string: "x"), flag: 7)
            #expect(await bad.outcome().status?.code == .invalidArgument)

            let partial = try await client.open(headers)
            partial.send(bytes: ByteBuffer(bytes: [0, 0, 0, 0, 9, 1]), endStream: true)
            #expect(await partial.outcome().status?.code == .invalidArgument)

            let long = try await client.open(headers)
            long.send(bytes: ByteBuffer(bytes: [0, 0xff, 0xff, 0xff, 0xff]))
            #expect(await long.outcome().status?.code == .resourceExhausted)

            #expect(try await Self.unary(client, "Echo", "alive").texts == ["alive"])
        }
    }

    @Test func messagesUpToTheLimitPassEitherWayAndNoneBeyond() async throws {
        var limits = LiveServer.limits
        limits.messageByteCountMax = 100_000
        try await Self.serve(limits: limits) { client, _ in
            let text = String(repeating: "x", count: 100_000)
            let (most, tooMuch) = try await (
                Self.unary(client, "Echo", text), Self.unary(client, "Echo", text + "x")
            )
            #expect(most.texts == [text] && tooMuch.status?.code == .resourceExhausted)
            let (longest, tooLong) = try await (
                Self.unary(client, "Zeros", "100000"), Self.unary(client, "Zeros", "100001")
            )
            #expect(longest.messages.map(\.readableBytes) == [100_000] && tooLong.status?.code == .resourceExhausted)
        }
    }

    // MARK: Deadlines and cancellation

    @Test(arguments: ["Hold", "Silent"]) func deadlineEndsTheCall(method: String) async throws {
        let held = EchoService.HeldCalls()
        try await Self.serve(EchoService.methods(held: held)) { client, _ in
            let outcome = try await client.unary(EchoService.name(method), ByteBuffer(), timeout: "30m")
            #expect(outcome.status == .deadlineExceeded)
            let abandoned = held.take().map(\.claim.isAbandoned)
            #expect(abandoned == (method == "Hold" ? [true] : []))
        }
    }

    @Test func callWhoseTimeIsOverIsNotMade() async throws {
        try await Self.serve { client, _ in
            let outcome = try await client.unary(EchoService.name("Echo"), ByteBuffer(), timeout: "0n")
            #expect(outcome.status == .deadlineExceeded)
        }
    }

    @Test func resetAbandonsTheCall() async throws {
        let held = EchoService.HeldCalls()
        try await Self.serve(EchoService.methods(held: held)) { client, _ in
            let call = try await client.open(GRPCTestClient.headers(EchoService.name("Hold")))
            call.send(ByteBuffer(), endStream: true)
            try await poll { held.count == 1 }
            call.cancel()
            let sink = try #require(held.take().first)
            try await poll { sink.claim.isAbandoned }
            // Too late, and dropped.
            sink.succeed { (reply: inout ByteBuffer) throws(Status) in reply.writeString("late") }
            #expect(try await Self.unary(client, "Echo", "alive").texts == ["alive"])
        }
    }

    @Test func closedConnectionAbandonsItsCalls() async throws {
        let held = EchoService.HeldCalls()
        try await Self.serve(EchoService.methods(held: held)) { client, _ in
            let call = try await client.open(GRPCTestClient.headers(EchoService.name("Hold")))
            call.send(ByteBuffer(), endStream: true)
            try await poll { held.count == 1 }
            client.close()
            let sink = try #require(held.take().first)
            try await poll { sink.claim.isAbandoned }
        }
    }

    @Test func resetEndsTheMethodOfAStream() async throws {
        let ended = EchoService.HeldCalls()
        let method = Method(
            EchoService.name("Wait"),
            .stream(.bidirectional) { _, requests, _ in
                defer { ended.hold(ReplySink(claim: CallClaim()) { _ in }) }
                for try await _ in requests {}
            }
        )
        try await Self.serve(MethodTable([method])) { client, _ in
            for _ in 0..<10 {
                let call = try await client.open(GRPCTestClient.headers(method.name))
                call.send(ByteBuffer())
                call.cancel()
            }
            try await poll { ended.count == 10 }
        }
    }

    // MARK: Drain

    @Test func drainFinishesWhatRunsAndRefusesTheRest() async throws {
        let held = EchoService.HeldCalls()
        try await Self.serve(EchoService.methods(held: held)) { client, server in
            let call = try await client.open(GRPCTestClient.headers(EchoService.name("Hold")))
            call.send(ByteBuffer(), endStream: true)
            try await poll { held.count == 1 }
            server.drain()
            // Whether the client knows of the drain or not, no call is made any more.
            let late = try? await Self.unary(client, "Echo", "late")
            #expect(late?.status.map { $0 == .draining } ?? true && late?.texts.isEmpty ?? true)
            held.succeed("done")
            let outcome = await call.outcome()
            #expect(outcome.texts == ["done"] && outcome.status == .ok)
            try await client.closed()
        }
    }

    @Test func idleConnectionIsClosedByADrain() async throws {
        try await Self.serve { client, server in
            #expect(try await Self.unary(client, "Echo", "a").texts == ["a"])
            server.drain()
            try await client.closed()
        }
    }
}
