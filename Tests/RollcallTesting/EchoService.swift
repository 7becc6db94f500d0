// The methods that the tests call: one of each kind, and some that misbehave.

internal import NIOCore
package import RPC
internal import Synchronization

package enum EchoService {
    package static let service = "test.v1.Echo"

    package static func name(_ method: String) -> MethodName {
        MethodName(service: Self.service, method: method)
    }

    package static let notFound = Status(
        .notFound, "There is no device with the serial ABCD1234.", reason: "DEVICE_NOT_FOUND",
        details: [Status.Detail(typeURL: "type.googleapis.com/test.Detail", value: [1, 2, 3])]
    )

    /// Calls that a test answers when it sees fit.
    package final class HeldCalls: Sendable {
        private let sinks = Mutex<[ReplySink]>([])

        package init() {}

        package var count: Int {
            self.sinks.withLock { $0.count }
        }

        package func hold(_ sink: ReplySink) {
            self.sinks.withLock { $0.append(sink) }
        }

        package func take() -> [ReplySink] {
            self.sinks.withLock { sinks in
                defer { sinks = [] }
                return sinks
            }
        }

        /// Answers what is held with `reply`.
        package func succeed(_ reply: String) {
            for sink in self.take() {
                sink.succeed { (output: inout ByteBuffer) throws(Status) in
                    output.writeString(reply)
                }
            }
        }
    }

    /// What the call wants back before its messages: the values of keys that begin with `head-`.
    private static func head(_ call: CallContext) -> Metadata {
        Self.metadata(call) { $0.hasPrefix("head-") }
    }

    /// What the call wants back after its messages: the values of keys that begin with `trailer-`.
    private static func trailers(_ call: CallContext) -> Metadata {
        Self.metadata(call) { $0.hasPrefix("trailer-") }
    }

    private static func metadata(_ call: CallContext, where isWanted: (String) -> Bool) -> Metadata {
        var metadata = Metadata()
        for pair in call.metadata.pairs where isWanted(pair.key) {
            metadata.append(key: pair.key, value: pair.value)
        }
        return metadata
    }

    package static func methods(held: HeldCalls = HeldCalls()) -> MethodTable {
        MethodTable([
            Method(Self.name("Echo"), .immediate { _, request, reply throws(Status) in reply.writeBytes(request) }),
            Method(
                Self.name("Fail"),
                .immediate { _, _, reply throws(Status) in
                    reply.writeString("to be taken back")
                    throw Self.notFound
                }
            ),
            Method(
                Self.name("Metadata"),
                .immediate { call, _, reply throws(Status) in
                    reply.writeString(call.metadata.pairs.map { "\($0.key)=\($0.value)" }.joined(separator: ","))
                }
            ),
            Method(
                Self.name("EchoMetadata"),
                .deferred { call, request, reply in
                    let request = ByteBuffer(bytes: request)
                    guard String(buffer: request) != "fail" else {
                        var status = Self.notFound
                        status.metadata = Self.trailers(call)
                        return reply.fail(status)
                    }
                    reply.succeed(head: Self.head(call), trailers: Self.trailers(call)) {
                        (output: inout ByteBuffer) throws(Status) in output.writeImmutableBuffer(request)
                    }
                }
            ),
            Method(
                Self.name("StreamMetadata"),
                .stream(.bidirectional) { call, requests, responses in
                    try await responses.writeHead(Self.head(call))
                    for try await request in requests {
                        guard String(buffer: request) != "late" else {
                            return try await responses.writeHead(Self.head(call))
                        }
                        try await responses.write(request)
                    }
                    try await responses.setTrailers(Self.trailers(call))
                }
            ),
            Method(
                Self.name("ClientMetadata"),
                .stream(.client) { call, requests, responses in
                    try await responses.writeHead(Self.head(call))
                    for try await _ in requests {}
                    try await responses.write(ByteBuffer(string: "done"))
                    try await responses.setTrailers(Self.trailers(call))
                }
            ),
            Method(
                Self.name("Zeros"),
                .immediate { _, request, reply throws(Status) in
                    reply.writeRepeatingByte(0, count: Int(String(decoding: request, as: UTF8.self)) ?? 0)
                }
            ),
            Method(
                Self.name("Adapt"),
                .adaptive { _, request, reply throws(Status) in
                    switch String(decoding: request, as: UTF8.self) {
                    case "fail": throw Self.notFound
                    case "later":
                        reply.writeString("to be taken back")
                        return { held.hold($0) }
                    default:
                        reply.writeBytes(request)
                        return nil
                    }
                }
            ),
            Method(Self.name("Hold"), .deferred { _, _, reply in held.hold(reply) }),
            Method(
                Self.name("Server"),
                .stream(.server) { _, requests, responses in
                    for try await request in requests {
                        for index in 0..<3 {
                            try await responses.write(ByteBuffer(string: "\(String(buffer: request))\(index)"))
                        }
                    }
                }
            ),
            Method(
                Self.name("Client"),
                .stream(.client) { _, requests, responses in
                    var texts: [String] = []
                    for try await request in requests {
                        texts.append("<\(String(buffer: request))>")
                    }
                    try await responses.write(ByteBuffer(string: texts.joined()))
                }
            ),
            Method(
                Self.name("Bidi"),
                .stream(.bidirectional) { _, requests, responses in
                    for try await request in requests {
                        guard String(buffer: request) != "fail" else {
                            throw Self.notFound
                        }
                        try await responses.write(request)
                    }
                }
            ),
            Method(
                Self.name("Break"),
                .stream(.server) { _, _, responses in
                    for text in ["a", "b"] {
                        try await responses.write(ByteBuffer(string: text))
                    }
                    throw Self.notFound
                }
            ),
            Method(
                Self.name("Refuse"),
                .stream(.client) { _, _, _ in throw Self.notFound }
            ),
            Method(
                Self.name("Silent"),
                .stream(.bidirectional) { _, requests, _ in
                    // Reads nothing and ends only when the call does.
                    for await _ in AsyncStream<Never>.makeStream().stream {}
                    _ = requests
                }
            ),
        ])
    }
}
