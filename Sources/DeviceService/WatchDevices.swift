// rollcall.v1.Devices/WatchDevices

internal import CRollcallProto
internal import DeviceModel
internal import DeviceQuery
internal import DeviceRegistry
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC
internal import Synchronization

extension DeviceService {
    /// The devices that match, and then every change of that.
    var watchDevices: Method {
        let name = MethodName.devices("WatchDevices")
        let gate = self.gate(name)
        return Method(
            name,
            .stream(.bidirectional) { context, requests, responses in
                do {
                    try await self.watch(context, gate, requests, responses)
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    throw Status(reporting: error)
                }
            }
        )
    }

    private enum Ending {
        case input, watch, lost
    }

    private func watch(
        _ context: CallContext, _ gate: AccessGate, _ requests: RequestMessages, _ responses: ResponseWriter
    ) async throws {
        var messages = requests.makeAsyncIterator()
        guard let bytes = try await messages.next() else {
            throw Status.malformed("A watch begins with one message, and none was sent.")
        }
        let request = try self.watchRequest(bytes, of: context.peer, gate)
        let admission = Admission(gate: gate, peer: context.peer, project: request.project)
        let watch = try await self.registry.watch(
            request.filter, in: request.project, from: request.bookmark, withAttributes: request.view == .full)
        let (isLost, told) = (watch.isLost, ToldBookmark(watch.bookmark))
        try await withThrowingTaskGroup(of: Ending.self) { group in
            group.addTask {
                for try await _ in requests {
                    throw Status.malformed("A watch takes one message, and more were sent.")
                }
                return .input
            }
            group.addTask {
                try await self.send(watch, request.view, told, admission, responses)
                return .watch
            }
            group.addTask {
                await isLost()
                return .lost
            }
            defer { group.cancelAll() }
            while let ending = try await group.next() {
                // Who can cancel has only no more to ask; who cannot has had enough.
                switch ending {
                case .input where context.isCancellable: continue
                case .input, .watch: return
                case .lost: throw RegistryError.watcherTooSlow(told.bookmark, limits: self.registry.limits)
                }
            }
        }
    }

    /// - Throws: every bad field at once.
    private func watchRequest(
        _ bytes: ByteBuffer, of peer: Peer, _ gate: AccessGate
    ) throws -> WatchDevicesRequest {
        let request = try bytes.withUnsafeReadableBytes { bytes in
            try self.decode(Messages.watchDevicesRequest, bytes, of: peer, gate) { message, _ in
                WatchDevicesRequest(message)
            }
        }
        try self.check(request)
        return request
    }

    private func send(
        _ watch: DeviceWatch, _ view: DeviceView, _ told: ToldBookmark, _ admission: Admission,
        _ responses: ResponseWriter
    ) async throws {
        let revision = watch.bookmark.revision
        var isMore = true
        while isMore {
            try await responses.waitForRoom()
            var devices = ByteBuffer()
            isMore = try watch.advanceSnapshot { self.append($0, view: view, to: &devices) }
            guard devices.readableBytes > 0 else {
                // A filter that matches little would keep a thread to itself.
                await Task.yield()
                try Task.checkCancellation()
                continue
            }
            try admission.renew()
            try await responses.write(Arena.current.scope { $0.snapshot(devices, revision: revision) })
        }
        while true {
            switch try await watch.next() {
            case .events(let events):
                for event in events {
                    try admission.renew()
                    try await responses.write(Self.message(DeviceEvent(event, view: view)))
                    told.moved(to: event.revision.rawValue)
                }
            case .bookmark(let bookmark):
                try admission.renew()
                try await responses.write(Self.message(.bookmark(bookmark)))
                told.moved(to: bookmark.revision)
            }
        }
    }

    /// About how long a message of first devices gets.
    private static let snapshotByteCountMax = 256 << 10

    private func append(_ device: BorrowedDevice, view: DeviceView, to devices: inout ByteBuffer) -> Bool {
        // The first one is taken whatever its size.
        let byteCountMax = devices.readableBytes == 0 ? .max : Self.snapshotByteCountMax
        return devices.append(
            device, view, storeTag: self.registry.storeTag, asElementOf: 2, byteCountMax: byteCountMax)
    }

    private static func message(_ event: DeviceEvent) -> ByteBuffer {
        Arena.current.scope { arena in
            var message = ByteBuffer()
            message.append(arena.message(event))
            return message
        }
    }
}

/// Up to where a watcher was told everything.
///
/// ## Concurrency
/// The task that sends moves it, another one asks when that task does not get on.
private final class ToldBookmark: Sendable {
    private let state: Mutex<Bookmark>

    init(_ bookmark: Bookmark) {
        self.state = Mutex(bookmark)
    }

    var bookmark: Bookmark {
        self.state.withLock { $0 }
    }

    func moved(to revision: Int64) {
        self.state.withLock { $0.revision = revision }
    }
}

extension DeviceEvent {
    /// - Parameter view: A filter may ask for attributes that the caller does not.
    fileprivate init(_ event: WatchedEvent, view: DeviceView) {
        var device = event.device
        if view == .basic { device.attributes = [] }
        switch event.kind {
        case .entered: self = .entered(device, revision: event.revision.rawValue)
        case .changed: self = .changed(device, revision: event.revision.rawValue)
        case .left: self = .left(device, revision: event.revision.rawValue)
        }
    }
}

extension Arena {
    /// A message of first devices, which are encoded already.
    fileprivate func snapshot(_ devices: ByteBuffer, revision: Int64) -> ByteBuffer {
        let beginning = self.make(Messages.watchSnapshot)
        beginning.pointee.revision = revision
        var snapshot = ByteBuffer()
        snapshot.append(beginning)
        snapshot.writeImmutableBuffer(devices)
        var message = ByteBuffer()
        message.append(snapshot, asElementOf: 1)
        return message
    }
}

/// What a request asks for.
private struct WatchDevicesRequest: QueryRequest {
    let project: String
    let filter: DeviceFilter
    let view: DeviceView
    let bookmark: Bookmark?
    let violations: [FieldViolation]

    init(_ message: UnsafePointer<Rollcall__V1__WatchDevicesRequest>) {
        var check = FieldCheck()
        self.project = check.project(message.pointee.project)
        self.filter = check.watchFilter(message)
        self.view = check.view(message.pointee.view)
        self.bookmark = check.bookmark(message)
        self.violations = check.violations
    }

    func violations(in project: ProjectID, of index: borrowing RegistryIndex) -> [FieldViolation] {
        DeviceMatcher.violations(of: self.filter, in: project, of: index)
    }
}
