// A call's headers and messages, and the methods that they come to.

internal import NIOCore
internal import NIOHPACK
internal import RPC

// MARK: - Input

extension ServerHandler {
    /// Headers opened a stream.
    func callReceived(_ stream: CallStream, _ headers: HPACKHeaders) {
        do throws(RequestRefusal) {
            let request = try RequestHeaders(headers, methods: self.methods)
            stream.methodIndex = request.methodIndex
            let deadline = try self.deadline(of: request)
            guard case .none = self.drain else { throw .status(.draining) }
            let context = CallContext(peer: self.peer, deadline: deadline, metadata: request.metadata)
            let method = request.method.handler
            stream.request = CallStream.Request(method: method, context: context)
            if case .start = stream.machine.callReceived(method.inputShape), case .stream(let kind, let run) = method {
                self.startStream(stream, kind, context, run, first: nil)
            }
        } catch {
            switch error {
            case .status(let status):
                self.callFailed(stream, status)
            case .http(let status, let problem):
                stream.isMeasured = true
                self.answer(stream, httpStatus: status, problem)
            }
        }
    }

    private func deadline(of request: RequestHeaders) throws(RequestRefusal) -> NIODeadline {
        guard let timeout = request.timeout, timeout.nanoseconds < Int64.max / 2 else { return .distantFuture }
        guard timeout > .nanoseconds(0) else { throw .status(.deadlineExceeded) }
        return self.now + timeout
    }

    /// Bytes of messages came in.
    func bytesReceived(_ stream: CallStream, _ bytes: UnsafeRawBufferPointer, endsStream: Bool) {
        if endsStream, self.callInPlace(stream, bytes) {
            return
        }
        // Of a call that is over nothing is wanted any more, though its reply may wait for a window.
        if !bytes.isEmpty, stream.trailers == nil {
            stream.deframer.append(ByteBuffer(bytes: bytes))
            self.takeMessages(stream)
        }
        if endsStream {
            self.inputEnded(stream)
        } else {
            self.countPartialInput(stream)
            self.openWindow(of: stream)
        }
    }

    /// Calls the method of a call whose one message came whole in one frame; false where it did not.
    private func callInPlace(_ stream: CallStream, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard stream.deframer.byteCount == 0, stream.message == nil, let message = MessagePrefix.onlyMessage(in: bytes),
            message.count <= self.limits.messageByteCountMax,
            case .some(.one) = stream.request?.method.inputShape,
            case .keep = stream.machine.messageReceived()
        else {
            return false
        }
        guard case .call = stream.machine.inputEnded(isInsideMessage: false) else {
            preconditionFailure("A message and the end of the input are what the call waits for.")
        }
        self.callMethod(stream, message)
        return true
    }

    private func takeMessages(_ stream: CallStream) {
        do throws(MessageDeframer.Failure) {
            while let message = try stream.deframer.next() {
                switch stream.machine.messageReceived() {
                case .keep:
                    stream.message = message
                case .deliver(let call):
                    if case .stream(let streamCall) = call.work {
                        streamCall.receive(message)
                    }
                case .refuse(let refusal, let ending):
                    self.end(stream, ending, self.status(of: refusal))
                case .ignore:
                    break
                }
            }
        } catch {
            switch error {
            case .compressed: self.inputFailed(stream, .compressedMessage)
            case .badPrefix: self.inputFailed(stream, .badPrefix)
            case .tooLong: self.inputFailed(stream, .messageTooLong)
            }
        }
    }

    /// The client half-closed the stream.
    func inputEnded(_ stream: CallStream) {
        switch stream.machine.inputEnded(isInsideMessage: stream.deframer.byteCount > 0) {
        case .call:
            let message = stream.message ?? ByteBuffer()
            self.dropInput(of: stream)
            message.withUnsafeReadableBytes { self.callMethod(stream, $0) }
        case .finish(let call):
            self.dropInput(of: stream)
            if case .stream(let streamCall) = call.work {
                streamCall.finishInput()
            }
        case .refuse(let refusal, let ending):
            self.end(stream, ending, self.status(of: refusal))
        case .ignore:
            break
        }
        // The client's half is over; where ours is, too, only its messages may still wait.
        stream.resetsInput = false
    }

    private func inputFailed(_ stream: CallStream, _ refusal: InputRefusal) {
        self.dropInput(of: stream)
        switch stream.machine.inputFailed() {
        case .refuse(let ending):
            self.end(stream, ending, self.status(of: refusal))
        case .ignore:
            break
        }
    }

    /// Counts how much of an unfinished message waits, and refuses a call that goes over the connection's bound.
    private func countPartialInput(_ stream: CallStream) {
        let byteCount = stream.deframer.byteCount + (stream.message?.readableBytes ?? 0)
        let change = byteCount - stream.partialInputByteCount
        stream.partialInputByteCount = byteCount
        self.partialInputByteCount += change
        if change > 0, self.partialInputByteCount > self.limits.partialInputByteCountMax {
            self.inputFailed(stream, .tooMuchPartialInput)
        }
    }

    func dropInput(of stream: CallStream) {
        stream.dropInput()
        self.partialInputByteCount -= stream.partialInputByteCount
        stream.partialInputByteCount = 0
    }

    private func status(of refusal: InputRefusal) -> Status {
        switch refusal {
        case .noMessage:
            Status(.unimplemented, "The method takes one message, and none was sent.", reason: "MESSAGE_MALFORMED")
        case .secondMessage:
            Status(.unimplemented, "The method takes one message, and more were sent.", reason: "MESSAGE_MALFORMED")
        case .partialMessage:
            .malformed("The call's input ended inside a message.")
        case .compressedMessage:
            Status(.unimplemented, "The server takes no compressed messages.", reason: "MESSAGE_MALFORMED")
        case .badPrefix:
            .malformed("A message begins with 0, or with 1 where it is compressed.")
        case .messageTooLong:
            .messageTooLong(byteCountMax: self.limits.messageByteCountMax)
        case .tooMuchPartialInput:
            .limitExceeded(
                "The connection's unfinished messages take more than \(self.limits.partialInputByteCountMax) bytes."
            )
        }
    }
}

// MARK: - Methods

extension ServerHandler {
    /// Calls the method of a call that takes one message.
    private func callMethod(_ stream: CallStream, _ message: UnsafeRawBufferPointer) {
        guard let request = stream.request else {
            preconditionFailure("Headers come before everything else on a stream.")
        }
        switch request.method {
        case .immediate(let run):
            self.writeReply(stream) { (output: inout ByteBuffer) throws(Status) in
                try run(request.context, message, &output)
            }
        case .adaptive(let run):
            let turn = LoopTurn.current
            let start = NIODeadline.now()
            var context = request.context
            context.isLoopBusy = turn.isOver(self.limits.loopTurnNanosecondsMax)
            var postponed: Method.Postponed?
            let isAnswered = self.writeReplyUnlessPostponed(stream) {
                (output: inout ByteBuffer) throws(Status) -> Bool in
                postponed = try run(context, message, &output)
                return postponed == nil
            }
            turn.called(since: start, on: self.mailbox.eventLoop)
            if !isAnswered, let postponed {
                self.startDeferred(stream, request.context, postponed)
            }
        case .deferred(let run):
            self.startDeferred(stream, request.context) { run(request.context, message, $0) }
        case .stream(let kind, let run):
            self.startStream(stream, kind, request.context, run, first: ByteBuffer(bytes: message))
        }
    }

    /// Lets `begin` begin a call that is answered later.
    private func startDeferred(_ stream: CallStream, _ context: CallContext, _ begin: (ReplySink) -> Void) {
        let claim = CallClaim()
        let key = stream.key
        let mailbox = self.mailbox
        stream.machine.callStarted(
            RunningCall(
                key, .deferred(claim), deadline: context.deadline, mailbox: mailbox,
                measured: self.meter.callStarted(stream.methodIndex)),
            isInputOpen: false)
        begin(ReplySink(claim: claim) { mailbox.post(.replied(key, $0)) })
    }

    private func startStream(
        _ stream: CallStream, _ kind: StreamKind, _ context: CallContext, _ run: @escaping Method.Stream,
        first message: ByteBuffer?
    ) {
        let key = stream.key
        let mailbox = self.mailbox
        let streaming = StreamConnection(
            mailbox: mailbox,
            gate: OutputGate(byteCountMax: CallStream.windowByteCount),
            budget: InputBudget(byteCountMax: CallStream.windowByteCount, partOf: self.budget) {
                mailbox.post(.inputConsumed(key))
            },
            limits: self.limits,
            logger: self.logger
        )
        streaming.gate.setChannelWritable(self.isChannelWritable)
        stream.streaming = streaming
        let call = StreamCall(key, kind, context: context, method: run, connection: streaming)
        stream.machine.callStarted(
            RunningCall(
                key, .stream(call), deadline: context.deadline, mailbox: mailbox,
                measured: self.meter.callStarted(stream.methodIndex)),
            isInputOpen: kind != .server
        )
        if let message {
            call.receive(message)
            call.finishInput()
        }
        self.start(call)
    }
}
