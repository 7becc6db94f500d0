// What a server's connection does next: an event in, one action out. No channel, clock or promise in here.

internal import RPC

/// Why the connection itself turns a frame or a call down.
enum Refusal: Hashable, Sendable {
    case evenStreamID
    case activeStreamID
    case tooManyCalls
    case draining
    case unknownStream
    case dataOnUnaryCall
    case dataAfterHalfClose
    case oversizeMessage
}

/// The server's side of one ttrpc connection.
///
/// `Call` is whatever the driver keeps for a call that is answered later; the machine stores it and hands it back.
/// Calls that are answered in the same breath (``immediateRequestReceived(_:)``) are never stored.
struct ConnectionStateMachine<Call>: ~Copyable {
    /// A call that is open.
    private struct OpenCall {
        let key: CallKey
        let kind: CallKind
        var isInputOpen: Bool
        let call: Call
    }

    private struct Calls {
        let countMax: Int
        let queuedOutputByteCountMax: Int
        var open: [StreamID: OpenCall] = [:]
        var recent = RecentStreams()
        var nextSequence: UInt64 = 0

        /// Why a new call may not have this id, if it may not.
        func refusal(of id: StreamID) -> Refusal? {
            guard id.isClientInitiated else {
                return .evenStreamID
            }
            guard !self.open.isEmpty else {
                return nil
            }
            if self.open[id] != nil {
                return .activeStreamID
            }
            return self.open.count < self.countMax ? nil : .tooManyCalls
        }

        /// Takes a call out, so that frames and replies that still come for it are dropped.
        mutating func end(_ id: StreamID) -> Call? {
            guard let ended = self.open.removeValue(forKey: id) else {
                return nil
            }
            self.recent.insert(id)
            return ended.call
        }

        func isOpen(_ key: CallKey) -> Bool {
            self.open[key.streamID]?.key == key
        }

        /// Takes a call out unless it is over.
        mutating func end(_ key: CallKey) -> Call? {
            self.isOpen(key) ? self.end(key.streamID) : nil
        }

        /// Ends the input of every stream.
        mutating func closeInput() -> [Call] {
            var halfClosed: [Call] = []
            for (id, open) in self.open where open.isInputOpen {
                self.open[id]?.isInputOpen = false
                halfClosed.append(open.call)
            }
            return halfClosed
        }

        /// Takes every call out.
        mutating func endAll() -> [Call] {
            defer { self.open = [:] }
            return self.open.values.map(\.call)
        }
    }

    private enum State: ~Copyable {
        case serving(Calls)
        /// No new calls; closes after the last one.
        case draining(Calls)
        /// The client sends no more at all; closes after the last call.
        case finishing(Calls)
        case closed
    }

    /// How a call that is not answered at once goes on.
    enum CallKind: Hashable, Sendable {
        case deferred
        case stream(StreamKind)
    }

    private var state: State

    init(callCountMax: Int, queuedOutputByteCountMax: Int) {
        self = .serving(Calls(countMax: callCountMax, queuedOutputByteCountMax: queuedOutputByteCountMax))
    }

    private init(_ state: consuming State) {
        self.state = state
    }

    private static func serving(_ calls: Calls) -> Self { Self(.serving(calls)) }
    private static func draining(_ calls: Calls) -> Self { Self(.draining(calls)) }
    private static func finishing(_ calls: Calls) -> Self { Self(.finishing(calls)) }
    private static var closed: Self { Self(.closed) }
}

// MARK: - Requests

extension ConnectionStateMachine {
    enum ImmediateRequestReceived: Equatable {
        /// Answer it now.
        case answer
        case refuse(Refusal)
        case ignore
    }

    /// A Request that is answered before the next event: an immediate method, or a fault of its own.
    mutating func immediateRequestReceived(_ id: StreamID) -> ImmediateRequestReceived {
        switch consume self.state {
        case .serving(var calls):
            let refusal = calls.refusal(of: id)
            if refusal != .activeStreamID {
                calls.recent.insert(id)
            }
            self = .serving(calls)
            return refusal.map { .refuse($0) } ?? .answer
        case .draining(var calls):
            calls.recent.insert(id)
            self = .draining(calls)
            return .refuse(.draining)
        case .finishing(let calls):
            self = .finishing(calls)
            return .ignore
        case .closed:
            self = .closed
            return .ignore
        }
    }

    enum RequestReceived {
        /// Start the call, which is stored under its key.
        case start(Call)
        case refuse(Refusal)
        case ignore
    }

    /// A Request of a method that answers later. `makeCall` is asked for the call once it is accepted.
    ///
    /// - Parameter isInputOpen: whether the client may send further messages on this stream.
    mutating func requestReceived(
        _ id: StreamID, _ kind: CallKind, isInputOpen: Bool, _ makeCall: (CallKey) -> Call
    ) -> RequestReceived {
        switch consume self.state {
        case .serving(var calls):
            if let refusal = calls.refusal(of: id) {
                if refusal != .activeStreamID {
                    calls.recent.insert(id)
                }
                self = .serving(calls)
                return .refuse(refusal)
            }
            let key = CallKey(streamID: id, sequence: calls.nextSequence)
            let call = makeCall(key)
            calls.nextSequence += 1
            calls.open[id] = OpenCall(key: key, kind: kind, isInputOpen: isInputOpen, call: call)
            self = .serving(calls)
            return .start(call)
        case .draining(var calls):
            if calls.open[id] == nil {
                calls.recent.insert(id)
            }
            self = .draining(calls)
            return .refuse(.draining)
        case .finishing(let calls):
            self = .finishing(calls)
            return .ignore
        case .closed:
            self = .closed
            return .ignore
        }
    }
}

// MARK: - Messages

extension ConnectionStateMachine {
    enum DataReceived {
        /// Give the stream its message, if there is one, and end its input with the last.
        case deliver(Call, isLast: Bool)
        /// End the call with a refusal.
        case end(Call, Refusal, thenClose: Bool)
        case refuse(Refusal)
        case ignore
    }

    /// A Data frame.
    mutating func dataReceived(_ id: StreamID, hasMessage: Bool, isLast: Bool) -> DataReceived {
        switch consume self.state {
        case .serving(var calls):
            let action = Self.data(id, hasMessage: hasMessage, isLast: isLast, &calls, closesWhenIdle: false)
            self = .serving(calls)
            return action
        case .draining(var calls):
            let action = Self.data(id, hasMessage: hasMessage, isLast: isLast, &calls, closesWhenIdle: true)
            if case .end(_, _, thenClose: true) = action {
                self = .closed
            } else {
                self = .draining(calls)
            }
            return action
        case .finishing(let calls):
            self = .finishing(calls)
            return .ignore
        case .closed:
            self = .closed
            return .ignore
        }
    }

    private static func data(
        _ id: StreamID, hasMessage: Bool, isLast: Bool, _ calls: inout Calls, closesWhenIdle: Bool
    ) -> DataReceived {
        guard let open = calls.open[id] else {
            guard !calls.recent.contains(id) else {
                return .ignore
            }
            // Said once: what follows on this id is no news to the client.
            calls.recent.insert(id)
            return .refuse(.unknownStream)
        }
        let refusal: Refusal
        switch open.kind {
        case .stream where open.isInputOpen:
            calls.open[id]?.isInputOpen = !isLast
            return .deliver(open.call, isLast: isLast)
        case .stream where !hasMessage:
            return .ignore
        case .stream:
            refusal = .dataAfterHalfClose
        case .deferred:
            refusal = .dataOnUnaryCall
        }
        _ = calls.end(id)
        return .end(open.call, refusal, thenClose: closesWhenIdle && calls.open.isEmpty)
    }

    /// A Request or Data frame over the limit, whose bytes are skipped.
    mutating func oversizeMessageReceived(_ id: StreamID, isRequest: Bool) -> DataReceived {
        switch consume self.state {
        case .serving(var calls):
            let action = Self.oversize(id, isRequest: isRequest, &calls, closesWhenIdle: false)
            self = .serving(calls)
            return action
        case .draining(var calls):
            let action = Self.oversize(id, isRequest: isRequest, &calls, closesWhenIdle: true)
            if case .end(_, _, thenClose: true) = action {
                self = .closed
            } else {
                self = .draining(calls)
            }
            return action
        case .finishing(let calls):
            self = .finishing(calls)
            return .ignore
        case .closed:
            self = .closed
            return .ignore
        }
    }

    private static func oversize(
        _ id: StreamID, isRequest: Bool, _ calls: inout Calls, closesWhenIdle: Bool
    ) -> DataReceived {
        if let open = calls.open[id] {
            guard !isRequest else {
                return .refuse(.activeStreamID)
            }
            _ = calls.end(id)
            return .end(open.call, .oversizeMessage, thenClose: closesWhenIdle && calls.open.isEmpty)
        }
        guard isRequest || !calls.recent.contains(id) else {
            return .ignore
        }
        calls.recent.insert(id)
        return .refuse(.oversizeMessage)
    }
}

// MARK: - Replies

extension ConnectionStateMachine {
    enum CallEnded {
        /// Write the call's last frame.
        case answer(Call, thenClose: Bool)
        /// The call was over before.
        case drop
    }

    /// A call has its outcome, from its method or from its deadline; the first of the two counts.
    mutating func callEnded(_ key: CallKey) -> CallEnded {
        switch consume self.state {
        case .serving(var calls):
            let call = calls.end(key)
            self = .serving(calls)
            return call.map { .answer($0, thenClose: false) } ?? .drop
        case .draining(var calls):
            let call = calls.end(key)
            let isIdle = calls.open.isEmpty
            self = isIdle ? .closed : .draining(calls)
            return call.map { .answer($0, thenClose: isIdle) } ?? .drop
        case .finishing(var calls):
            let call = calls.end(key)
            let isIdle = calls.open.isEmpty
            self = isIdle ? .closed : .finishing(calls)
            return call.map { .answer($0, thenClose: isIdle) } ?? .drop
        case .closed:
            self = .closed
            return .drop
        }
    }

    /// Whether a message of a stream may still be sent: its call is open.
    func isOpen(_ key: CallKey) -> Bool {
        switch self.state {
        case .serving(let calls): calls.isOpen(key)
        case .draining(let calls): calls.isOpen(key)
        case .finishing(let calls): calls.isOpen(key)
        case .closed: false
        }
    }

    enum OutputAppended {
        case keep
        /// Take it back and end its call with RESOURCE_EXHAUSTED.
        case replace
        /// Close at once and give up these calls.
        case close([Call])
    }

    /// What refusals may take beyond the bound: enough for one on every call that a connection can have open.
    static var refusalByteCountReserve: Int { 256 << 10 }

    /// A frame was appended, so that `queuedByteCount` bytes now wait for the client to read.
    ///
    /// - Parameter isRefusal: whether the frame ends its call with an error, the least that a call must be told.
    mutating func outputAppended(queuedByteCount: Int, isRefusal: Bool) -> OutputAppended {
        let byteCountMax: Int
        switch self.state {
        case .serving(let calls): byteCountMax = calls.queuedOutputByteCountMax
        case .draining(let calls): byteCountMax = calls.queuedOutputByteCountMax
        case .finishing(let calls): byteCountMax = calls.queuedOutputByteCountMax
        case .closed: return .keep
        }
        guard queuedByteCount > byteCountMax else {
            return .keep
        }
        guard isRefusal else {
            return .replace
        }
        guard queuedByteCount > byteCountMax + Self.refusalByteCountReserve else {
            return .keep
        }
        return .close(self.connectionClosed())
    }
}

// MARK: - The connection

extension ConnectionStateMachine {
    enum InputClosed {
        /// End the input of these streams.
        case halfClose([Call])
        case close
        case ignore
    }

    /// The client half-closed its socket.
    mutating func inputClosed() -> InputClosed {
        switch consume self.state {
        case .serving(var calls):
            let isIdle = calls.open.isEmpty
            let halfClosed = calls.closeInput()
            self = isIdle ? .closed : .finishing(calls)
            return isIdle ? .close : .halfClose(halfClosed)
        case .draining(var calls):
            let halfClosed = calls.closeInput()
            self = .finishing(calls)
            return .halfClose(halfClosed)
        case .finishing(let calls):
            self = .finishing(calls)
            return .ignore
        case .closed:
            self = .closed
            return .ignore
        }
    }

    enum DrainStarted: Equatable {
        case close
        case wait
    }

    /// The server is going away.
    mutating func drainStarted() -> DrainStarted {
        switch consume self.state {
        case .serving(let calls):
            let isIdle = calls.open.isEmpty
            self = isIdle ? .closed : .draining(calls)
            return isIdle ? .close : .wait
        case .draining(let calls):
            self = .draining(calls)
            return .wait
        case .finishing(let calls):
            self = .finishing(calls)
            return .wait
        case .closed:
            self = .closed
            return .wait
        }
    }

    /// The connection is gone, or is not worth keeping: returns the calls to give up.
    mutating func connectionClosed() -> [Call] {
        switch consume self.state {
        case .serving(var calls):
            self = .closed
            return calls.endAll()
        case .draining(var calls):
            self = .closed
            return calls.endAll()
        case .finishing(var calls):
            self = .closed
            return calls.endAll()
        case .closed:
            self = .closed
            return []
        }
    }
}
