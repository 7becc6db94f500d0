// Outcomes of calls, and the frames that tell them to the client.

internal import NIOCore
internal import ProtobufC
internal import RPC

// MARK: - Outcomes

extension ServerHandler {
    /// A deferred method has answered.
    func callReplied(_ key: CallKey, _ result: Result<Reply, Status>, _ arena: Arena) {
        self.callEnded(key) {
            switch result {
            case .success(let reply):
                return self.writeReply(key.streamID, arena, reply.encode)
            case .failure(let status):
                self.writeError(status, key.streamID, arena)
                return status.code
            }
        }
    }

    /// A stream's method is through.
    func streamEnded(_ key: CallKey, _ outcome: StreamOutcome, _ arena: Arena) {
        self.callEnded(key) {
            switch outcome {
            case .closed(trailers: _):
                // Never a Response: clients would take it for one more message.
                self.output.writeFrameHeader(
                    FrameHeader(
                        dataByteCount: 0, streamID: key.streamID, kind: .data, flags: [.remoteClosed, .noData]
                    )
                )
                _ = self.mayKeepOutput(isRefusal: true)
                return .ok
            case .reply(let message, trailers: _):
                return self.writeReply(key.streamID, arena) { (output: inout ByteBuffer) throws(Status) in
                    output.writeImmutableBuffer(message)
                }
            case .failed(let status):
                self.writeError(status, key.streamID, arena)
                return status.code
            }
        }
    }

    /// A stream's method has written a message.
    func messageSent(_ key: CallKey, _ message: ByteBuffer, _ arena: Arena) {
        defer { self.streams.gate.release(byteCount: message.readableBytes) }
        guard self.machine.isOpen(key) else {
            return
        }
        let startIndex = self.output.writerIndex
        self.output.writeFrameHeader(
            FrameHeader(dataByteCount: message.readableBytes, streamID: key.streamID, kind: .data)
        )
        self.output.writeImmutableBuffer(message)
        guard !self.mayKeepOutput(isRefusal: false) else {
            return
        }
        self.output.moveWriterIndex(to: startIndex)
        self.callFailed(key, .outputFull(byteCountMax: self.limits.queuedOutputByteCountMax), arena)
    }

    /// The time that the caller gave is over.
    func deadlinePassed(_ key: CallKey, _ arena: Arena) {
        self.callFailed(key, .deadlineExceeded, arena)
    }

    /// Ends a call on our side, whatever its method is doing.
    private func callFailed(_ key: CallKey, _ status: Status, _ arena: Arena) {
        switch self.machine.callEnded(key) {
        case .answer(let call, let thenClose):
            call.end(status)
            self.meter.callEnded(call.measured, status.code)
            self.writeError(status, key.streamID, arena)
            if thenClose {
                self.pass.closeAtEnd()
            }
        case .drop:
            break
        }
    }

    /// Lets `writeLastFrame` answer a call, and say with which code, unless it is over already.
    private func callEnded(_ key: CallKey, _ writeLastFrame: () -> Status.Code) {
        switch self.machine.callEnded(key) {
        case .answer(let call, let thenClose):
            call.stopTimer()
            let code = writeLastFrame()
            self.meter.callEnded(call.measured, code)
            if thenClose {
                self.pass.closeAtEnd()
            }
        case .drop:
            break
        }
    }
}

// MARK: - Last frames

extension ServerHandler {
    /// Appends a Response whose payload `encode` appends in place, or the error that stands for it.
    ///
    /// - Returns: the code that the client is told.
    func writeReply(
        _ streamID: StreamID, _ arena: Arena, _ encode: (inout ByteBuffer) throws(Status) -> Void
    ) -> Status.Code {
        let code = self.writeReplyUnlessPostponed(streamID, arena) {
            (output: inout ByteBuffer) throws(Status) -> Bool in
            try encode(&output)
            return true
        }
        guard let code else {
            preconditionFailure("What is never postponed is answered.")
        }
        return code
    }

    /// As ``writeReply(_:_:_:)``, unless `encode` returns false: then nothing is appended, and the call has no answer yet.
    ///
    /// - Returns: the code that the client is told; nil where that is left open.
    func writeReplyUnlessPostponed(
        _ streamID: StreamID, _ arena: Arena, _ encode: (inout ByteBuffer) throws(Status) -> Bool
    ) -> Status.Code? {
        let startIndex = self.output.writerIndex
        var isAnswered = true
        do throws(Status) {
            try ReplyFrame.append(
                to: &self.output, streamID: streamID, byteCountMax: self.limits.messageByteCountMax
            ) { (output: inout ByteBuffer) throws(Status) in
                isAnswered = try encode(&output)
            }
        } catch {
            self.writeError(error, streamID, arena)
            return error.code
        }
        guard isAnswered else {
            self.output.moveWriterIndex(to: startIndex)
            return nil
        }
        guard self.mayKeepOutput(isRefusal: false) else {
            let status = Status.outputFull(byteCountMax: self.limits.queuedOutputByteCountMax)
            self.output.moveWriterIndex(to: startIndex)
            self.writeError(status, streamID, arena)
            return status.code
        }
        return .ok
    }

    /// Appends the Response of a call that failed.
    func writeError(_ status: Status, _ streamID: StreamID, _ arena: Arena) {
        self.output.writeErrorFrame(
            status, streamID: streamID, byteCountMax: self.limits.messageByteCountMax, arena: arena
        )
        _ = self.mayKeepOutput(isRefusal: true)
    }

    /// What a client is told when the connection itself turns it down.
    func status(of refusal: Refusal) -> Status {
        switch refusal {
        case .evenStreamID:
            .malformed("A stream id chosen by a client is odd.")
        case .activeStreamID:
            .malformed("A call with this stream id is open on the connection.")
        case .tooManyCalls:
            .tooManyCalls(countMax: self.limits.callCountMax)
        case .draining:
            .draining
        case .unknownStream:
            .malformed("There is no call with this stream id.")
        case .dataOnUnaryCall:
            .malformed("A unary call takes no further message.")
        case .dataAfterHalfClose:
            .malformed("A message came after the end of the stream's input.")
        case .oversizeMessage:
            .messageTooLong(byteCountMax: self.limits.messageByteCountMax)
        }
    }
}
