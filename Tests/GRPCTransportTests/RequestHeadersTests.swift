import NIOCore
import NIOHPACK
import RPC
import RollcallTesting
import Testing

@testable import GRPCTransport

@Suite struct RequestHeadersTests {
    private static func refusal(_ headers: HPACKHeaders) throws -> RequestRefusal {
        try #require(throws: RequestRefusal.self) {
            try RequestHeaders(headers, methods: EchoService.methods())
        }
    }

    private static func changed(_ name: String, _ value: String?) -> HPACKHeaders {
        var headers = GRPCTestClient.headers(EchoService.name("Echo"))
        headers.remove(name: name)
        if let value {
            headers.add(name: name, value: value)
        }
        return headers
    }

    @Test func methodAndMetadataAreRead() throws {
        var headers = GRPCTestClient.headers(EchoService.name("Echo"), timeout: "5S")
        headers.add(name: "trace-id", value: "1")
        headers.add(name: "trace-id", value: "2")
        headers.add(name: "blob-bin", value: "AAE")
        headers.add(name: "grpc-encoding", value: "identity")
        headers.add(name: "grpc-accept-encoding", value: "gzip")
        let request = try RequestHeaders(headers, methods: EchoService.methods())
        #expect(request.method.name == EchoService.name("Echo"))
        #expect(request.timeout == .seconds(5))
        #expect(
            request.metadata.pairs.map { "\($0.key)=\($0.value)" }
                == ["user-agent=test", "trace-id=1", "trace-id=2", "blob-bin=AAE"]
        )
        #expect(request.metadata.bytes("blob-bin") == [[0, 1]])
    }

    @Test(arguments: ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"])
    func contentTypeBeginsAsItHasTo(contentType: String) throws {
        _ = try RequestHeaders(Self.changed("content-type", contentType), methods: EchoService.methods())
    }

    @Test(arguments: [nil, "", "text/plain", "application/grpc-web", "application/grpcx", "application/json"])
    func otherContentTypeIsHTTPStatus415(contentType: String?) throws {
        guard case .http("415", _) = try Self.refusal(Self.changed("content-type", contentType)) else {
            Issue.record("\(contentType ?? "none")")
            return
        }
    }

    @Test func otherVerbIsHTTPStatus405() throws {
        guard case .http("405", _) = try Self.refusal(Self.changed(":method", "GET")) else {
            Issue.record("GET")
            return
        }
    }

    @Test(arguments: [
        "/test.v1.Echo/Nope", "/test.v1.Nope/Echo", "/Echo", "test.v1.Echo/Echo", "", "/", "//", "/test.v1.Echo/",
        "/test.v1.Echo/Echo/",
    ])
    func unknownPathIsNamed(path: String) throws {
        guard case .status(let status) = try Self.refusal(Self.changed(":path", path)) else {
            Issue.record("\(path)")
            return
        }
        #expect(status.code == .unimplemented && status.reason == "METHOD_UNKNOWN")
    }

    @Test(
        arguments: [
            ("1H", 3_600_000_000_000), ("2M", 120_000_000_000), ("3S", 3_000_000_000), ("4m", 4_000_000), ("5u", 5_000),
            ("6n", 6), ("0n", 0), ("00000007S", 7_000_000_000), ("99999999H", .max), ("123456789u", 123_456_789_000),
            ("9999999999999999999n", .max),
        ] as [(String, Int64)])
    func timeoutHasAllItsForms(text: String, nanoseconds: Int64) {
        #expect(TimeAmount(grpcTimeout: text)?.nanoseconds == nanoseconds)
    }

    @Test(arguments: ["", "S", "5", "5s", "-1S", "+1S", "1.5S", " 1S", "1 S", "12345678901234567890S", "１S"])
    func badTimeoutIsRefused(text: String) throws {
        #expect(TimeAmount(grpcTimeout: text) == nil)
        guard case .status(let status) = try Self.refusal(Self.changed("grpc-timeout", text)) else {
            Issue.record("\(text)")
            return
        }
        #expect(status.code == .invalidArgument && status.message.contains("timeout"))
    }
}
