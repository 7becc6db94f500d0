// The daemon's methods over a registry in memory, called by numbers and judged by their answers.

internal import Access
internal import Descriptors
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceService
internal import DynamicMessage
internal import JSONText
internal import Logging
internal import NIOCore
internal import RPC
internal import Reflection
internal import RollcallTesting
internal import Synchronization

/// A service with a few devices, for one input: what another left behind decides nothing.
struct RequestService {
    let methods: [Method]
    private let registry: Registry
    private let codec = MessageCodec()

    /// On ttrpc a caller can do no more than end its messages, and then a watch ends.
    private static let context = CallContext(
        peer: Self.peer, deadline: .distantFuture, metadata: Metadata(), isCancellable: false)

    /// May do everything: what is refused to others is refused before it is looked at.
    private static let peer: Peer = {
        var peer = LiveServer.peer
        peer.rights = CallerRights(groupIDs: [], Grants(everywhere: .admin))
        return peer
    }()

    private static let logger = Logger(label: "fuzz", factory: { _ in SwiftLogNoOpLogHandler() })

    init() throws {
        let clock = ManualClock()
        self.registry = try Registry(
            store: MemoryStore(), limits: Limits(),
            logger: Self.logger, now: { clock.now }, uptimeMicroseconds: { clock.uptimeMicroseconds })
        self.methods =
            (DeviceService(registry: self.registry, audit: AuditLog(logger: Self.logger)).methods
            + ReflectionService(services: DeviceService.serviceNames).methods).sorted { $0.tag < $1.tag }
    }

    func close() {
        self.registry.close()
    }

    /// The method whose tag is this or the next one, so that most inputs keep their meaning when methods come or go.
    func method(tag: UInt16) -> Method {
        self.methods.first { $0.tag >= tag } ?? self.methods[0]
    }

    // MARK: Requests

    /// The input that makes these calls.
    func input(_ calls: [(method: String, messages: [String?])]) throws -> [UInt8] {
        try calls.flatMap { name, messages in
            guard let method = self.methods.first(where: { $0.name.method == name }) else {
                throw FuzzFinding("There is no method \(name).")
            }
            let packed = try messages.map { message -> [UInt8] in
                let bytes = try self.encoded(message, method)
                return Self.number(bytes.count) + bytes
            }
            let moreCount = method.takesSeveralMessages ? [UInt8(messages.count - 1)] : []
            return Self.number(Int(method.tag)) + moreCount + packed.joined()
        }
    }

    private static func number(_ number: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
    }

    private func encoded(_ text: String?, _ method: Method) throws -> [UInt8] {
        let pool = DescriptorPool.embedded
        let type = pool.messages(of: try pool.method(path: method.name.description)).input
        let text = text ?? self.codec.example(of: type).text(.line)
        return try self.codec.encode(try JSONReader.read(text.utf8), as: type)
    }

    // MARK: Calls

    /// Two devices, with a cohort, a release and attributes.
    func prepare() async throws {
        for (method, request) in try Self.preparation.get() {
            guard let method = self.methods.first(where: { $0.name == method }) else { continue }
            try await self.call(method, [request])
        }
    }

    private static let preparation = Result {
        let service = try RequestService()
        defer { service.close() }
        let calls = [
            ("CreateCohort", #"{"cohort": {"slug": "beta", "name": "Beta"}}"#),
            (
                "BatchCreateDevices",
                #"{"requests": [{"device": {"device_serial": "A1", "owner_ref": "owner", "hardware_version": "hw1", "cohort": {"slug": "beta"}}}, {"device": {"device_serial": "A2", "owner_ref": "owner", "hardware_version": "hw1"}}]}"#
            ),
            (
                "CheckIn",
                #"{"device_serial": "A1", "release": {"version": "1.2.3"}, "attributes": [{"string_key": "battery", "value": {"int_value": 20}}, {"string_key": "zone", "value": {"string_value": "x"}}]}"#
            ),
        ]
        return try calls.map { name, text -> (MethodName, [UInt8]) in
            guard let method = service.methods.first(where: { $0.name.method == name }) else {
                throw FuzzFinding("There is no method \(name).")
            }
            return (method.name, try service.encoded(text, method))
        }
    }

    /// Makes a call with these messages, and judges every message and the status that it is answered with.
    func call(_ method: Method, _ messages: [[UInt8]]) async throws {
        do {
            switch method.handler {
            case .stream(_, let run): try await self.stream(method.name, run, messages)
            case .immediate, .adaptive, .deferred: try await self.unary(method, messages[0])
            }
        } catch let status as Status {
            guard status.code != .internal, status.code != .unknown else {
                throw FuzzFinding("\(method.name) answers \(status.code) to \(messages): \(status.message)")
            }
        }
    }

    private func unary(_ method: Method, _ request: [UInt8]) async throws {
        var reply = ByteBuffer()
        switch method.handler {
        case .immediate(let answer):
            try request.withUnsafeBytes { try answer(Self.context, $0, &reply) }
        case .adaptive(let answer):
            let postponed = try request.withUnsafeBytes { try answer(Self.context, $0, &reply) }
            guard let postponed else { break }
            reply.clear()
            try await Reply.outcome { postponed($0) }.encode(&reply)
        case .deferred(let answer):
            try await Reply.outcome { sink in request.withUnsafeBytes { answer(Self.context, $0, sink) } }.encode(
                &reply)
        case .stream:
            preconditionFailure("A method that streams is not called for one reply.")
        }
        try self.check(reply, of: method.name)
    }

    private func stream(_ name: MethodName, _ run: Method.Stream, _ messages: [[UInt8]]) async throws {
        let (requests, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        for message in messages { continuation.yield(ByteBuffer(bytes: message)) }
        continuation.finish()
        try await run(
            Self.context, RequestMessages(requests),
            ResponseWriter { part in
                if case .message(let message) = part { try self.check(message, of: name) }
            })
    }

    private func check(_ reply: ByteBuffer, of method: MethodName) throws {
        let pool = DescriptorPool.embedded
        let type = pool.messages(of: try pool.method(path: method.description)).output
        do throws(MessageError) {
            _ = try self.codec.json(of: Array(reply.readableBytesView)[...], as: type)
        } catch {
            throw FuzzFinding("\(method) answers what is no \(type.fullName): \(error)")
        }
    }
}
