// The methods that a stream's call comes to, and the replies that go back.

internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import RPC

// MARK: - Methods

extension StreamHandler {
    /// Calls the method, with its message where it takes one.
    func callMethod(with message: ByteBuffer?) {
        guard let request = self.request else {
            preconditionFailure("Headers come before everything else on a stream.")
        }
        switch request.method {
        case .immediate(let run):
            self.callImmediate(message ?? ByteBuffer()) { bytes, reply throws(Status) in
                try run(request.context, bytes, &reply)
                return nil
            }
        case .adaptive(let run):
            self.callImmediate(message ?? ByteBuffer()) { bytes, reply throws(Status) in
                try run(request.context, bytes, &reply)
            }
        case .deferred(let run):
            self.startDeferred { sink in
                (message ?? ByteBuffer()).withUnsafeReadableBytes { run(request.context, $0, sink) }
            }
        case .stream(let kind, let run):
            self.startStream(kind, request.context, run, first: message)
        }
    }

    /// Runs a method that may answer at once; what it returns goes on with the call elsewhere.
    private func callImmediate(
        _ message: ByteBuffer,
        _ run: (UnsafeRawBufferPointer, inout ByteBuffer) throws(Status) -> Method.Postponed?
    ) {
        var postponed: Method.Postponed?
        do throws(Status) {
            var reply = try self.makeReply { (reply: inout ByteBuffer) throws(Status) in
                postponed = try self.ask(run, message, &reply)
            }
            guard let postponed else {
                return self.writeReply(&reply)
            }
            self.startDeferred(postponed)
        } catch {
            self.callFailed(error)
        }
    }

    private func ask(
        _ run: (UnsafeRawBufferPointer, inout ByteBuffer) throws(Status) -> Method.Postponed?,
        _ message: ByteBuffer, _ reply: inout ByteBuffer
    ) throws(Status) -> Method.Postponed? {
        // The buffer's own accessor throws untyped errors.
        let result = message.withUnsafeReadableBytes { bytes -> Result<Method.Postponed?, Status> in
            do throws(Status) {
                return .success(try run(bytes, &reply))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func startDeferred(_ begin: (ReplySink) -> Void) {
        let claim = CallClaim()
        let key = self.startCall(.deferred(claim))
        let mailbox = self.connection.mailbox
        begin(ReplySink(claim: claim) { mailbox.post(.replied(key, $0)) })
    }

    private func startStream(
        _ kind: StreamKind, _ call: CallContext, _ run: @escaping Method.Stream, first message: ByteBuffer?
    ) {
        let key = self.nextKey()
        let mailbox = self.connection.mailbox
        let stream = StreamConnection(
            mailbox: mailbox,
            gate: OutputGate(byteCountMax: Self.markByteCount),
            budget: InputBudget(byteCountMax: Self.markByteCount, partOf: self.connection.budget) {
                mailbox.post(.inputConsumed(key))
            },
            limits: self.connection.limits,
            logger: self.connection.logger
        )
        self.stream = stream
        let streamCall = StreamCall(key, kind, context: call, method: run, connection: stream)
        self.startCall(key, .stream(streamCall), isInputOpen: kind != .server)
        if let message {
            streamCall.receive(message)
            streamCall.finishInput()
        }
        self.connection.start(streamCall)
    }

    private func startCall(_ work: RunningCall.Work) -> CallKey {
        let key = self.nextKey()
        self.startCall(key, work, isInputOpen: false)
        return key
    }

    private func startCall(_ key: CallKey, _ work: RunningCall.Work, isInputOpen: Bool) {
        let deadline = self.request?.context.deadline ?? .distantFuture
        let call = RunningCall(key, work, deadline: deadline, mailbox: self.connection.mailbox)
        self.machine.callStarted(call, isInputOpen: isInputOpen)
    }

    private func nextKey() -> CallKey {
        let id = try? self.context?.channel.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID)
        return self.connection.register(self, streamID: StreamID(UInt32(Int(id ?? .rootStream))))
    }
}

// MARK: - Outcomes

extension StreamHandler {
    /// A deferred method has answered.
    func callReplied(_ result: Result<ReplySink.Encode, Status>) {
        switch result {
        case .success(let encode):
            self.reply(encode)
        case .failure(let status):
            self.callFailed(status)
        }
    }

    private func reply(_ encode: (inout ByteBuffer) throws(Status) -> Void) {
        do throws(Status) {
            var reply = try self.makeReply(encode)
            self.writeReply(&reply)
        } catch {
            self.callFailed(error)
        }
    }

    /// A stream's method has written a message.
    func messageSent(_ message: ByteBuffer) {
        guard let context = self.context, let gate = self.stream?.gate else {
            return
        }
        let byteCount = message.readableBytes
        guard self.connection.mayQueueOutput(byteCount: byteCount) else {
            gate.release(byteCount: byteCount)
            return self.callFailed(.outputFull(byteCountMax: self.connection.limits.queuedOutputByteCountMax))
        }
        let isWritten = context.eventLoop.makePromise(of: Void.self)
        isWritten.futureResult.assumeIsolated().whenComplete { [connection = self.connection] _ in
            connection.outputLeft(byteCount: byteCount)
            gate.release(byteCount: byteCount)
        }
        switch self.machine.messageSent() {
        case .send(let withHead):
            if withHead {
                context.write(Self.wrapOutboundOut(.head), promise: nil)
            }
            var framed = ByteBuffer()
            framed.reserveCapacity(MessagePrefix.byteCount + byteCount)
            MessagePrefix.append(to: &framed) { $0.writeImmutableBuffer(message) }
            context.writeAndFlush(Self.wrapOutboundOut(.message(framed)), promise: isWritten)
        case .drop:
            isWritten.succeed()
        }
    }

    /// A stream's method is through.
    func streamEnded(_ outcome: StreamOutcome) {
        switch outcome {
        case .closed:
            self.succeed()
        case .reply(let message):
            self.reply { (reply: inout ByteBuffer) throws(Status) in reply.writeImmutableBuffer(message) }
        case .failed(let status):
            self.callFailed(status)
        }
    }

    /// Ends the call with an error, whatever its method is doing.
    func callFailed(_ status: Status) {
        switch self.machine.callEnded() {
        case .answer(let ending):
            self.end(ending, status)
        case .drop:
            break
        }
    }

    /// Ends a stream of messages well.
    private func succeed() {
        switch self.machine.callEnded() {
        case .answer(let ending):
            if !ending.hasSentHead {
                self.context?.write(Self.wrapOutboundOut(.head), promise: nil)
            }
            self.finish(ending, .okTrailers, nil)
        case .drop:
            break
        }
    }

    /// Answers a request that never becomes a call.
    func answer(with headers: HPACKHeaders) {
        switch self.machine.callEnded() {
        case .answer(let ending):
            self.finish(ending, headers, nil)
        case .drop:
            break
        }
    }

    /// Tells the client that the call failed, and what runs for it that nobody waits.
    func end(_ ending: CallEnding<RunningCall>, _ status: Status) {
        self.finish(ending, HPACKHeaders(failure: status, isAlone: !ending.hasSentHead), status)
        self.connection.refusalWritten()
    }
}

// MARK: - Replies

extension StreamHandler {
    /// The one message of a reply with its prefix.
    ///
    /// - Throws: what `encode` throws; RESOURCE_EXHAUSTED when the message is too long.
    private func makeReply(_ encode: (inout ByteBuffer) throws(Status) -> Void) throws(Status) -> ByteBuffer {
        var reply = ByteBuffer()
        reply.reserveCapacity(Self.replyByteCountMin)
        try MessagePrefix.append(to: &reply, encode)
        let byteCountMax = self.connection.limits.messageByteCountMax
        guard reply.readableBytes - MessagePrefix.byteCount <= byteCountMax else {
            throw .messageTooLong(byteCountMax: byteCountMax)
        }
        return reply
    }

    /// Room that is made for a reply at first.
    private static let replyByteCountMin = 512

    /// Answers the call with its one message.
    private func writeReply(_ reply: inout ByteBuffer) {
        guard self.connection.mayQueueOutput(byteCount: reply.readableBytes) else {
            return self.callFailed(.outputFull(byteCountMax: self.connection.limits.queuedOutputByteCountMax))
        }
        self.replyByteCount = reply.readableBytes
        switch self.machine.callEnded() {
        case .answer(let ending):
            self.context?.write(Self.wrapOutboundOut(.head), promise: nil)
            self.context?.write(Self.wrapOutboundOut(.message(reply)), promise: nil)
            self.finish(ending, .okTrailers, nil)
        case .drop:
            break
        }
    }

    /// Writes the last headers of the reply, and lets go of everything that the call held.
    private func finish(_ ending: CallEnding<RunningCall>, _ trailers: HPACKHeaders, _ status: Status?) {
        if let call = ending.call {
            self.connection.unregister(call.key)
            if let status {
                call.end(status)
            } else {
                call.stopTimer()
            }
        }
        self.dropInput()
        guard let context = self.context else {
            return
        }
        let isWritten = ending.isInputOpen ? context.eventLoop.makePromise(of: Void.self) : nil
        isWritten?.futureResult.assumeIsolated().whenSuccess {
            // The client may stop sending. Before the trailers are written a reset would overtake them.
            context.writeAndFlush(Self.wrapOutboundOut(.rstStream(.noError)), promise: nil)
        }
        context.writeAndFlush(
            Self.wrapOutboundOut(.headers(.init(headers: trailers, endStream: true))), promise: isWritten)
    }
}

extension HTTP2Frame.FramePayload {
    /// Opens a reply that has messages.
    fileprivate static let head = Self.headers(.init(headers: .responseHead))

    fileprivate static func message(_ bytes: ByteBuffer) -> Self {
        .data(.init(data: .byteBuffer(bytes)))
    }
}
