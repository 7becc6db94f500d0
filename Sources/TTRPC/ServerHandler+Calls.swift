// Frames of the client, and the methods that they call.

internal import CRollcallProto
internal import NIOCore
internal import ProtobufC
internal import RPC

// MARK: - Frames

extension ServerHandler {
    /// Acts on one frame of the client.
    func frameReceived(_ header: FrameHeader, data: UnsafeRawBufferPointer, _ arena: Arena) {
        switch header.kind {
        case .request:
            self.requestReceived(header, data: data, arena)
        case .data:
            self.dataReceived(header, data: data, arena)
        default:
            // A Response is the server's to send; a newer client may know further kinds.
            break
        }
    }

    /// Answers a frame whose data is skipped, because it is longer than a message may be.
    func oversizeFrameReceived(_ header: FrameHeader, _ arena: Arena) {
        guard header.kind == .request || header.kind == .data else {
            return
        }
        let isRequest = header.kind == .request
        let action = self.machine.oversizeMessageReceived(header.streamID, isRequest: isRequest)
        self.perform(action, header, message: nil, arena)
        if isRequest, case .refuse(let refusal) = action {
            self.meter.callAnswered(.unknown, self.status(of: refusal).code)
        }
    }

    private func requestReceived(_ header: FrameHeader, data: UnsafeRawBufferPointer, _ arena: Arena) {
        do {
            try arena.decode(Messages.ttrpcRequest, from: data) { request in
                self.dispatch(request.pointee, header, arena)
            }
        } catch let error as DecodingError {
            let problem = "The request's envelope cannot be read: \(error)"
            self.answer(
                header.streamID, with: error.code == .tooLarge ? .limitExceeded(problem) : .malformed(problem), arena
            )
        } catch {
            self.answer(header.streamID, with: .defect("The server failed to read the request."), arena)
        }
    }

    private func dispatch(_ request: Ttrpc__Request, _ header: FrameHeader, _ arena: Arena) {
        let lookup = self.methods.lookup(service: request.service.bytes, method: request.method.bytes)
        guard case .found(let method, let index) = lookup else {
            let status = Status.unknownMethod(service: request.service.string, method: request.method.string)
            return self.answer(header.streamID, with: status, arena)
        }
        guard let deadline = request.deadline(now: self.now) else {
            return self.answer(header.streamID, index, with: .deadlineExceeded, arena)
        }
        let call = CallContext(
            peer: self.peer, deadline: deadline, metadata: request.callMetadata, isCancellable: false)
        switch method.handler {
        case .immediate(let method):
            self.callImmediate(method, index, call, request.payload.bytes, header.streamID, arena)
        case .adaptive(let method):
            self.callAdaptive(method, index, call, request.payload.bytes, header.streamID, arena)
        case .deferred(let method):
            self.startDeferred(index, call, header.streamID, arena) { method(call, request.payload.bytes, $0) }
        case .stream(let kind, let method):
            self.callStream(method, index, kind, call, request.payload.bytes, header, arena)
        }
    }

    private func dataReceived(_ header: FrameHeader, data: UnsafeRawBufferPointer, _ arena: Arena) {
        let hasMessage = !header.flags.contains(.noData)
        let action = self.machine.dataReceived(
            header.streamID, hasMessage: hasMessage, isLast: header.flags.contains(.remoteClosed)
        )
        self.perform(action, header, message: hasMessage ? data : nil, arena)
    }

    private func perform(
        _ action: ConnectionStateMachine<RunningCall>.DataReceived, _ header: FrameHeader,
        message: UnsafeRawBufferPointer?,
        _ arena: Arena
    ) {
        switch action {
        case .deliver(let call, let isLast):
            guard case .stream(let stream) = call.work else {
                preconditionFailure("Messages are delivered to streams only.")
            }
            if let message {
                stream.receive(ByteBuffer(bytes: message))
            }
            if isLast {
                stream.finishInput()
            }
        case .end(let call, let refusal, let thenClose):
            let status = self.status(of: refusal)
            call.end(status)
            self.meter.callEnded(call.measured, status.code)
            self.writeError(status, header.streamID, arena)
            if thenClose {
                self.pass.closeAtEnd()
            }
        case .refuse(let refusal):
            self.writeError(self.status(of: refusal), header.streamID, arena)
        case .ignore:
            break
        }
    }
}

// MARK: - Methods

extension ServerHandler {
    private func callImmediate(
        _ method: Method.Immediate, _ index: MethodIndex, _ call: borrowing CallContext,
        _ request: UnsafeRawBufferPointer, _ streamID: StreamID, _ arena: Arena
    ) {
        switch self.machine.immediateRequestReceived(streamID) {
        case .answer:
            let code = self.writeReply(streamID, arena) { (output: inout ByteBuffer) throws(Status) in
                try method(call, request, &output)
            }
            self.meter.callAnswered(index, code)
        case .refuse(let refusal):
            self.refuse(streamID, index, refusal, arena)
        case .ignore:
            break
        }
    }

    /// Answers a Request that never comes to its method, if there is one.
    private func answer(_ streamID: StreamID, _ index: MethodIndex = .unknown, with status: Status, _ arena: Arena) {
        switch self.machine.immediateRequestReceived(streamID) {
        case .answer:
            self.writeError(status, streamID, arena)
            self.meter.callAnswered(index, status.code)
        case .refuse(let refusal):
            self.refuse(streamID, index, refusal, arena)
        case .ignore:
            break
        }
    }

    private func refuse(_ streamID: StreamID, _ index: MethodIndex, _ refusal: Refusal, _ arena: Arena) {
        let status = self.status(of: refusal)
        self.writeError(status, streamID, arena)
        self.meter.callAnswered(index, status.code)
    }

    private func callAdaptive(
        _ method: Method.Adaptive, _ index: MethodIndex, _ call: CallContext, _ request: UnsafeRawBufferPointer,
        _ streamID: StreamID, _ arena: Arena
    ) {
        switch self.machine.immediateRequestReceived(streamID) {
        case .answer:
            let turn = LoopTurn.current
            let start = NIODeadline.now()
            var call = call
            call.isLoopBusy = turn.isOver(self.limits.loopTurnNanosecondsMax)
            var postponed: Method.Postponed?
            let code = self.writeReplyUnlessPostponed(streamID, arena) {
                (output: inout ByteBuffer) throws(Status) -> Bool in
                postponed = try method(call, request, &output)
                return postponed == nil
            }
            turn.called(since: start, on: self.streams.mailbox.eventLoop)
            if let code {
                self.meter.callAnswered(index, code)
            } else if let postponed {
                self.startDeferred(index, call, streamID, arena, postponed)
            }
        case .refuse(let refusal):
            self.refuse(streamID, index, refusal, arena)
        case .ignore:
            break
        }
    }

    /// Opens a call that is answered later, and lets `begin` begin it.
    private func startDeferred(
        _ index: MethodIndex, _ call: CallContext, _ streamID: StreamID, _ arena: Arena, _ begin: (ReplySink) -> Void
    ) {
        let action = self.machine.requestReceived(streamID, .deferred, isInputOpen: false) { key in
            RunningCall(
                key, .deferred(CallClaim()), deadline: call.deadline, mailbox: self.streams.mailbox,
                measured: self.meter.callStarted(index))
        }
        switch action {
        case .start(let started):
            guard case .deferred(let claim) = started.work else {
                preconditionFailure("The call that was made is the one that starts.")
            }
            let mailbox = self.streams.mailbox
            let key = started.key
            begin(ReplySink(claim: claim) { mailbox.post(.replied(key, $0)) })
        case .refuse(let refusal):
            self.refuse(streamID, index, refusal, arena)
        case .ignore:
            break
        }
    }

    private func callStream(
        _ method: @escaping Method.Stream, _ index: MethodIndex, _ kind: StreamKind, _ call: CallContext,
        _ request: UnsafeRawBufferPointer, _ header: FrameHeader, _ arena: Arena
    ) {
        let isInputOpen = kind != .server && !header.flags.contains(.remoteClosed)
        let action = self.machine.requestReceived(header.streamID, .stream(kind), isInputOpen: isInputOpen) { key in
            let stream = StreamCall(key, kind, context: call, method: method, connection: self.streams)
            return RunningCall(
                key, .stream(stream), deadline: call.deadline, mailbox: self.streams.mailbox,
                measured: self.meter.callStarted(index))
        }
        switch action {
        case .start(let started):
            guard case .stream(let stream) = started.work else {
                preconditionFailure("The call that was made is the one that starts.")
            }
            // The one message of a server stream may be empty; where more may follow, only bytes make a message.
            if kind == .server || request.count > 0 {
                stream.receive(ByteBuffer(bytes: request))
            }
            if !isInputOpen {
                stream.finishInput()
            }
            self.start(stream)
        case .refuse(let refusal):
            self.refuse(header.streamID, index, refusal, arena)
        case .ignore:
            break
        }
    }
}
