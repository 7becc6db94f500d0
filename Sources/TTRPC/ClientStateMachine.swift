// What a client's connection does next: an event in, one action out. No channel, clock or promise in here.

internal import RPC

/// How many messages go each way in a call that a client makes.
enum ClientCallKind: Hashable, Sendable {
    case unary
    case stream(StreamKind)

    /// Whether messages may follow the Request.
    var sendsMessages: Bool {
        self == .stream(.client) || self == .stream(.bidirectional)
    }

    /// Whether the server answers with Data frames.
    var receivesMessages: Bool {
        self == .stream(.server) || self == .stream(.bidirectional)
    }
}

/// The client's side of one ttrpc connection. `Call` is whatever the driver keeps for a call.
struct ClientStateMachine<Call>: ~Copyable {
    private struct OpenCall {
        let kind: ClientCallKind
        var isOutputOpen: Bool
        let call: Call
    }

    private struct Calls {
        var open: [StreamID: OpenCall] = [:]
        var nextID = StreamID(1)

        /// The next odd id that no open call has; they come round again after two thousand million calls.
        mutating func takeID() -> StreamID {
            var id = self.nextID
            while self.open[id] != nil {
                id = StreamID(id.rawValue &+ 2)
            }
            self.nextID = StreamID(id.rawValue &+ 2)
            return id
        }
    }

    private enum State: ~Copyable {
        case connected(Calls)
        case closed
    }

    private var state: State

    init() {
        self.state = .connected(Calls())
    }

    private init(_ state: consuming State) {
        self.state = state
    }

    private static func connected(_ calls: Calls) -> Self { Self(.connected(calls)) }
    private static var closed: Self { Self(.closed) }
}

extension ClientStateMachine {
    enum CallStarted {
        case send(StreamID)
        case refuse
    }

    /// A caller starts a call. `makeCall` is asked for it once it has its id.
    mutating func callStarted(_ kind: ClientCallKind, _ makeCall: (StreamID) -> Call) -> CallStarted {
        switch consume self.state {
        case .connected(var calls):
            let id = calls.takeID()
            calls.open[id] = OpenCall(kind: kind, isOutputOpen: kind.sendsMessages, call: makeCall(id))
            self = .connected(calls)
            return .send(id)
        case .closed:
            self = .closed
            return .refuse
        }
    }

    enum OutputWritten: Equatable {
        case send
        case drop
    }

    /// A caller sends a message, or half-closes its stream with `isLast`.
    mutating func outputWritten(_ id: StreamID, isLast: Bool) -> OutputWritten {
        switch consume self.state {
        case .connected(var calls):
            let isOpen = calls.open[id]?.isOutputOpen == true
            if isOpen, isLast {
                calls.open[id]?.isOutputOpen = false
            }
            self = .connected(calls)
            return isOpen ? .send : .drop
        case .closed:
            self = .closed
            return .drop
        }
    }

    enum CallAbandoned {
        /// Nobody waits any more; the server is told by a half-close, the only sign that ttrpc has.
        case halfClose(Call)
        case forget(Call)
        case ignore
    }

    /// A caller gives its call up.
    mutating func callAbandoned(_ id: StreamID) -> CallAbandoned {
        switch consume self.state {
        case .connected(var calls):
            let ended = calls.open.removeValue(forKey: id)
            self = .connected(calls)
            return ended.map { $0.isOutputOpen ? .halfClose($0.call) : .forget($0.call) } ?? .ignore
        case .closed:
            self = .closed
            return .ignore
        }
    }

    enum ResponseReceived {
        case finish(Call)
        case ignore
    }

    /// A Response: the end of its call.
    mutating func responseReceived(_ id: StreamID) -> ResponseReceived {
        switch consume self.state {
        case .connected(var calls):
            let ended = calls.open.removeValue(forKey: id)
            self = .connected(calls)
            return ended.map { .finish($0.call) } ?? .ignore
        case .closed:
            self = .closed
            return .ignore
        }
    }

    enum DataReceived {
        case deliver(Call, isLast: Bool)
        /// The server sends messages on a call that has a single reply.
        case fail(Call)
        case ignore
    }

    /// A Data frame of the server.
    mutating func dataReceived(_ id: StreamID, isLast: Bool) -> DataReceived {
        switch consume self.state {
        case .connected(var calls):
            guard let open = calls.open[id] else {
                self = .connected(calls)
                return .ignore
            }
            if isLast || !open.kind.receivesMessages {
                calls.open[id] = nil
            }
            self = .connected(calls)
            return open.kind.receivesMessages ? .deliver(open.call, isLast: isLast) : .fail(open.call)
        case .closed:
            self = .closed
            return .ignore
        }
    }

    /// The connection is gone: returns the calls that will not be answered.
    mutating func connectionClosed() -> [Call] {
        switch consume self.state {
        case .connected(let calls):
            self = .closed
            return calls.open.values.map(\.call)
        case .closed:
            self = .closed
            return []
        }
    }
}
