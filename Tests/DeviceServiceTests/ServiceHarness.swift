// A service over a registry in this process, called as a transport calls it.

import Access
import CRollcallProto
import DeviceModel
import DeviceRegistry
import DeviceService
import DeviceStore
import DeviceWire
import FoundationEssentials
import Logging
import NIOCore
import ProtobufC
import RPC
import RollcallTesting
import Synchronization
import Testing

struct ServiceHarness {
    let store: FailingStore<MemoryStore>
    let clock: ManualClock
    let registry: Registry
    let drain = DrainSignal()
    let log = LogRecorder()
    let audit: AuditLog
    private let methods: [String: Method]

    /// - Parameter change: applied to the default limits.
    init(_ change: (inout Limits) -> Void = { _ in }) throws {
        var limits = Limits()
        change(&limits)
        let store = FailingStore(MemoryStore())
        let clock = ManualClock()
        self.store = store
        self.clock = clock
        self.registry = try Registry(
            store: store, limits: limits, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            now: { clock.now }, uptimeMicroseconds: { clock.uptimeMicroseconds })
        let audit = AuditLog(
            logger: self.log.logger, now: { .uptimeNanoseconds(UInt64(clock.now.microseconds) * 1_000) })
        self.audit = audit
        let methods = DeviceService(registry: self.registry, drain: self.drain, audit: audit).methods
        self.methods = Dictionary(
            uniqueKeysWithValues: methods.map { ($0.name.method, AccessGate($0.name, audit: audit).guarding($0)) })
    }

    /// Calls a method with an encoded request; gives the encoded reply.
    ///
    /// - Throws: ``Status``.
    func call(
        _ name: String, bytes: [UInt8], userID: UInt32 = 1_000, deadline: NIODeadline = .distantFuture,
        isLoopBusy: Bool = false
    ) async throws -> [UInt8] {
        try await self.call(name, bytes: bytes, by: .caller(userID), deadline: deadline, isLoopBusy: isLoopBusy)
    }

    func call(
        _ name: String, bytes: [UInt8], by peer: Peer, deadline: NIODeadline = .distantFuture,
        isLoopBusy: Bool = false
    ) async throws -> [UInt8] {
        guard let method = self.methods[name] else { throw Status.unknownMethod(service: "", method: name) }
        var context = CallContext(peer: peer, deadline: deadline, metadata: Metadata())
        context.isLoopBusy = isLoopBusy
        // What stands before a reply in a connection's buffer is none of the method's business.
        var buffer = ByteBuffer(string: "before")
        switch method.handler {
        case .immediate(let answer):
            try bytes.withUnsafeBytes { try answer(context, $0, &buffer) }
        case .adaptive(let answer):
            let startIndex = buffer.writerIndex
            guard let postponed = try bytes.withUnsafeBytes({ try answer(context, $0, &buffer) }) else { break }
            #expect(!isLoopBusy || buffer.writerIndex == startIndex, "Nothing is done on a loop that is busy.")
            buffer.moveWriterIndex(to: startIndex)
            try await Reply.outcome { postponed($0) }.encode(&buffer)
        case .deferred(let answer):
            let reply = try await Reply.outcome { reply in bytes.withUnsafeBytes { answer(context, $0, reply) } }
            try reply.encode(&buffer)
        case .stream:
            throw Status.defect("The method streams.")
        }
        return Array(buffer.readableBytesView.dropFirst("before".utf8.count))
    }

    /// Calls a streaming method; each of its messages is given to `receive` as it comes.
    ///
    /// - Throws: ``Status``.
    func stream(
        _ name: String, _ requests: AsyncStream<ByteBuffer>, by peer: Peer = .caller(),
        receive: @escaping @Sendable (ByteBuffer) async throws -> Void
    ) async throws {
        guard case .stream(_, let answer) = self.methods[name]?.handler else {
            throw Status.unknownMethod(service: "", method: name)
        }
        let context = CallContext(peer: peer, deadline: .distantFuture, metadata: Metadata())
        try await answer(
            context, RequestMessages(requests),
            ResponseWriter { part in
                if case .message(let message) = part { try await receive(message) }
            })
    }

    /// How a call of whichever method ends, its only message being `bytes`; a refused part of a stream counts as well.
    func end(of name: String, bytes: [UInt8], by peer: Peer) async throws -> Status.Code {
        guard case .stream(_, let run) = self.methods[name]?.handler else {
            do {
                _ = try await self.call(name, bytes: bytes, by: peer)
                return .ok
            } catch let status as Status {
                return status.code
            }
        }
        let (requests, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        continuation.yield(ByteBuffer(bytes: bytes))
        continuation.finish()
        let refusal = Mutex<Status.Code?>(nil)
        // Of a caller that cannot cancel, the end of its messages ends a watch.
        let context = CallContext(
            peer: peer, deadline: .distantFuture, metadata: Metadata(), isCancellable: false)
        do {
            try await run(
                context, RequestMessages(requests),
                ResponseWriter { part in
                    guard name == "CheckInStream", case .message(let message) = part else { return }
                    let code = try decoded(Messages.checkInStreamResponse, Array(message.readableBytesView)) {
                        $0.status?.pointee.code
                    }
                    refusal.withLock { $0 = code.map { Status.Code(rawValue: $0) } }
                })
        } catch let status as Status {
            return status.code
        }
        return refusal.withLock { $0 } ?? .ok
    }

    /// A method both of whose sides stream.
    func stream(_ name: String) throws -> Method.Stream {
        guard case .stream(.bidirectional, let run)? = self.methods[name]?.handler else {
            throw Status.unknownMethod(service: "", method: name)
        }
        return run
    }

    /// Calls a deferred method whose answer nobody waits for; it must not come.
    func callWithoutAnswer(_ name: String, bytes: [UInt8], claim: CallClaim) {
        guard case .deferred(let answer) = self.methods[name]?.handler else { return }
        let context = CallContext(peer: .caller(), deadline: .distantFuture, metadata: Metadata())
        let reply = ReplySink(claim: claim) { _ in Issue.record("A call that was given up is not answered.") }
        bytes.withUnsafeBytes { answer(context, $0, reply) }
    }

    /// Calls a method with the request that `build` fills in.
    @discardableResult
    func call<Message>(
        _ name: String,
        _ type: MessageType<Message>,
        userID: UInt32 = 1_000,
        _ build: (inout Message, Arena) -> Void = { _, _ in }
    ) async throws -> [UInt8] {
        let bytes = encoded(type, build)
        return try await self.call(name, bytes: bytes, userID: userID)
    }

    /// The refusal of a call that must not succeed.
    func refusal<Message>(
        _ name: String, _ type: MessageType<Message>, _ build: (inout Message, Arena) -> Void = { _, _ in }
    ) async throws -> Refusal {
        let bytes = encoded(type, build)
        return try await self.refusal(name, bytes: bytes)
    }

    func refusal(_ name: String, bytes: [UInt8]) async throws -> Refusal {
        do {
            _ = try await self.call(name, bytes: bytes)
        } catch let status as Status {
            return try Refusal(status)
        }
        throw UnexpectedSuccess(name: name)
    }
}

extension Peer {
    /// Somebody who may do everything, or what `grants` say.
    static func caller(_ userID: UInt32 = 1_000, _ grants: Grants = Grants(everywhere: .admin)) -> Peer {
        Peer(userID: userID, groupID: 100, processID: 42, rights: CallerRights(groupIDs: [4, 24], grants))
    }
}

struct UnexpectedSuccess: Error {
    let name: String
}

/// A status with its details taken apart.
struct Refusal {
    var code: Status.Code
    var reason: String?
    var message: String
    var violations: [FieldViolation] = []
    /// The resource's type and name.
    var resource: [String] = []

    var fields: [String] { self.violations.map(\.field) }

    init(_ status: Status) throws {
        self.code = status.code
        self.reason = status.reason
        self.message = status.message
        for detail in status.details {
            switch detail.typeURL {
            case "type.googleapis.com/google.rpc.BadRequest":
                self.violations = try decoded(Messages.googleRpcBadRequest, detail.value) { message in
                    (0..<message.n_field_violations).compactMap { message.field_violations[$0]?.pointee }.map {
                        FieldViolation(field: $0.field.string, description: $0.description.string)
                    }
                }
            case "type.googleapis.com/google.rpc.ResourceInfo":
                self.resource = try decoded(Messages.googleRpcResourceInfo, detail.value) {
                    [$0.resource_type.string, $0.resource_name.string]
                }
            default:
                throw Status.defect("No detail of type \(detail.typeURL) is expected.")
            }
        }
    }
}

/// The bytes of the message that `build` fills in.
func encoded<Message>(_ type: MessageType<Message>, _ build: (inout Message, Arena) -> Void = { _, _ in }) -> [UInt8] {
    Arena().scope { arena in
        let message = arena.make(type)
        build(&message.pointee, arena)
        return arena.bytes(of: message)
    }
}

extension Arena {
    /// A message's bytes.
    func bytes<Message>(of message: UnsafeMutablePointer<Message>) -> [UInt8] {
        let message = UnsafePointer(message)
        return [UInt8](unsafeUninitializedCapacity: Encoding.packedByteCount(of: message)) { buffer, count in
            count = Encoding.pack(message, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}

/// What `body` makes of the message that `bytes` are.
func decoded<Message, R>(
    _ type: MessageType<Message>, _ bytes: [UInt8], _ body: (Message) throws -> R
) throws -> R {
    try bytes.withUnsafeBytes { bytes in
        try Arena().decode(type, from: bytes) { try body($0.pointee) }
    }
}

func device(from bytes: [UInt8]) throws -> Device {
    try bytes.withUnsafeBytes { bytes in
        try Arena().decode(Messages.device, from: bytes) { try Device(from: $0) }
    }
}

extension Arena {
    /// The fields of a device that a caller sets; nil leaves one out.
    func device(
        _ serial: String, owner: String? = nil, hardware: String? = nil, cohort: String? = nil, etag: String? = nil
    ) -> UnsafeMutablePointer<Rollcall__V1__Device> {
        let message = self.make(Messages.device)
        message.pointee.device_serial = self.text(serial)
        message.pointee.owner_ref = self.text(owner ?? "")
        message.pointee.hardware_version = self.text(hardware ?? "")
        if let cohort {
            message.pointee.cohort = self.message(Cohort(id: 0, name: "", slug: cohort))
        }
        message.pointee.etag = self.text(etag ?? "")
        return message
    }

    /// The values of a repeated text field.
    func texts(_ values: [String]) -> UnsafeMutablePointer<ProtobufCBinaryData> {
        let texts = self.makeTextArray(count: values.count)
        for (index, value) in values.enumerated() {
            texts[index] = self.text(value)
        }
        return texts
    }

    /// An update mask with these paths.
    func mask(_ paths: [String]) -> UnsafeMutablePointer<Google__Protobuf__FieldMask> {
        let mask = self.make(Messages.googleProtobufFieldMask)
        mask.pointee.paths = self.texts(paths)
        mask.pointee.n_paths = paths.count
        return mask
    }
}

// MARK: - Calls that most tests begin with

extension ServiceHarness {
    @discardableResult
    func create(
        _ serial: String, owner: String = "owner", hardware: String = "hw1", cohort: String? = nil, project: String = ""
    ) async throws -> Device {
        try device(
            from: await self.call("CreateDevice", Messages.createDeviceRequest) { request, arena in
                request.project = arena.text(project)
                request.device = arena.device(serial, owner: owner, hardware: hardware, cohort: cohort)
            })
    }

    func get(_ serial: String, view: DeviceView = .basic, project: String = "") async throws -> Device {
        try device(
            from: await self.call("GetDevice", Messages.getDeviceRequest) { request, arena in
                request.project = arena.text(project)
                request.device_serial = arena.text(serial)
                request.view = view.wire
            })
    }

    @discardableResult
    func checkIn(
        _ serial: String, at time: Timestamp? = nil, release: String? = nil, attributes: [AttributeUpdate] = []
    ) async throws -> Device {
        try device(
            from: await self.call("CheckIn", Messages.checkInRequest) { request, arena in
                request.device_serial = arena.text(serial)
                request.time = time.map { arena.message($0) }
                request.release = release.map { arena.message(Release(id: 0, version: $0, revision: "")) }
                request.attributes = arena.messages(attributes)
                request.n_attributes = attributes.count
            })
    }

    @discardableResult
    func setAttributes(
        _ serial: String, _ writes: [AttributeUpdate], replaces: Bool = false
    ) async throws -> DeviceAttributes {
        let bytes = try await self.call("UpdateDeviceAttributes", Messages.updateDeviceAttributesRequest) {
            request, arena in
            request.device_serial = arena.text(serial)
            request.attributes = arena.messages(writes)
            request.n_attributes = writes.count
            request.mode =
                replaces ? ROLLCALL__V1__UPDATE_MODE__UPDATE_MODE_REPLACE : ROLLCALL__V1__UPDATE_MODE__UPDATE_MODE_MERGE
        }
        return try bytes.withUnsafeBytes { bytes in
            try Arena().decode(Messages.updateDeviceAttributesResponse, from: bytes) { try DeviceAttributes(from: $0) }
        }
    }

    func attributes(_ serial: String, pattern: String = "") async throws -> DeviceAttributes {
        let bytes = try await self.call("GetDeviceAttributes", Messages.getDeviceAttributesRequest) { request, arena in
            request.device_serial = arena.text(serial)
            request.key_pattern = arena.text(pattern)
        }
        return try bytes.withUnsafeBytes { bytes in
            try Arena().decode(Messages.getDeviceAttributesResponse, from: bytes) { try DeviceAttributes(from: $0) }
        }
    }

    func list(
        _ build: (inout Rollcall__V1__ListDevicesRequest, Arena) -> Void = { _, _ in }
    ) async throws -> Page<Device> {
        let bytes = try await self.call("ListDevices", Messages.listDevicesRequest, build)
        return try bytes.withUnsafeBytes { bytes in
            try Arena().decode(Messages.listDevicesResponse, from: bytes) { try Page<Device>(from: $0) }
        }
    }

    @discardableResult
    func createCohort(_ slug: String, name: String = "", project: String = "") async throws -> Cohort {
        let bytes = try await self.call("CreateCohort", Messages.createCohortRequest) { request, arena in
            request.project = arena.text(project)
            request.cohort = arena.message(Cohort(id: 0, name: name, slug: slug))
        }
        return try cohort(from: bytes)
    }

    @discardableResult
    func createProject(_ slug: String, name: String = "") async throws -> Project {
        let bytes = try await self.call("CreateProject", Messages.createProjectRequest) { request, arena in
            let project = arena.make(Messages.project)
            project.pointee.slug = arena.text(slug)
            project.pointee.name = arena.text(name)
            request.project = project
        }
        return try project(from: bytes)
    }
}

func cohort(from bytes: [UInt8]) throws -> Cohort {
    try bytes.withUnsafeBytes { bytes in
        try Arena().decode(Messages.cohort, from: bytes) { Cohort(from: $0) }
    }
}

func project(from bytes: [UInt8]) throws -> Project {
    try bytes.withUnsafeBytes { bytes in
        try Arena().decode(Messages.project, from: bytes) { try Project(from: $0) }
    }
}
