// Outcomes of calls, and the frames that tell them to the client.

internal import NIOCore
internal import RPC

// MARK: - Outcomes

extension ServerHandler {
    /// A deferred method has answered.
    func callReplied(_ stream: CallStream, _ result: Result<Reply, Status>) {
        switch result {
        case .success(let reply):
            self.writeReply(stream, head: reply.head, trailers: reply.trailers, reply.encode)
        case .failure(let status):
            self.callFailed(stream, status)
        }
    }

    /// A stream's method has written what goes before its messages.
    func headSent(_ stream: CallStream, _ metadata: Metadata) {
        guard case .send = stream.machine.headSent() else {
            return
        }
        self.writeHead(stream.id, metadata)
        self.closeIfOutputIsUnread()
    }

    /// A stream's method has written a message.
    func messageSent(_ stream: CallStream, _ message: ByteBuffer) {
        guard case .send(let withHead) = stream.machine.messageSent() else {
            return
        }
        if withHead {
            self.writeHead(stream.id)
        }
        if stream.pending.readerIndex > stream.pending.readableBytes {
            stream.pending.discardReadBytes()
        }
        MessagePrefix.append(to: &stream.pending) { $0.writeImmutableBuffer(message) }
        self.pendingByteCount += MessagePrefix.byteCount + message.readableBytes
        stream.gatedByteCount += message.readableBytes
        guard self.mayKeepOutput else {
            return self.callFailed(
                stream, .outputFull(byteCountMax: self.limits.queuedOutputByteCountMax), dropsPending: true)
        }
        self.send(stream)
    }

    /// A stream's method is through.
    func streamEnded(_ stream: CallStream, _ outcome: StreamOutcome) {
        switch outcome {
        case .closed(let trailers):
            guard case .answer(let ending) = stream.machine.callEnded() else {
                return
            }
            if !ending.hasSentHead {
                self.writeHead(stream.id)
            }
            self.finish(stream, ending, .ok(trailers))
        case .reply(let message, let trailers):
            self.writeReply(stream, trailers: trailers) { (output: inout ByteBuffer) throws(Status) in
                output.writeImmutableBuffer(message)
            }
        case .failed(let status):
            self.callFailed(stream, status)
        }
    }

    /// Ends the call with an error, whatever its method is doing.
    ///
    /// - Parameter dropsPending: Whether messages that wait for the client are not sent any more.
    func callFailed(_ stream: CallStream, _ status: Status, dropsPending: Bool = false) {
        guard case .answer(let ending) = stream.machine.callEnded() else {
            return
        }
        guard !dropsPending || stream.cutByteCount == 0 else {
            // No trailers can follow half of a message.
            ending.call?.end(status)
            self.measureEnd(of: stream, ending.call, status.code)
            self.lose(stream, status)
            self.output.writeReset(stream.id, status.code == .resourceExhausted ? .enhanceYourCalm : .cancel)
            self.closeIfOutputIsUnread()
            return self.closeIfDrained()
        }
        if dropsPending {
            self.dropPending(of: stream)
        }
        self.end(stream, ending, status)
    }

    /// Answers a request that never becomes a call.
    func answer(_ stream: CallStream, httpStatus: String, _ problem: String) {
        guard case .answer(let ending) = stream.machine.callEnded() else {
            return
        }
        self.finish(stream, ending, .http(status: httpStatus, problem))
    }

    /// Tells the client that the call failed, and what runs for it that nobody waits.
    func end(_ stream: CallStream, _ ending: CallEnding<RunningCall>, _ status: Status) {
        ending.call?.end(status)
        self.finish(stream, ending, .failure(status, isAlone: !ending.hasSentHead))
        self.closeIfOutputIsUnread()
    }

    /// Puts the last headers of the reply behind its messages, and lets go of everything else that the call held.
    private func finish(_ stream: CallStream, _ ending: CallEnding<RunningCall>, _ trailers: CallStream.Trailers) {
        ending.call?.stopTimer()
        switch trailers {
        case .ok: self.measureEnd(of: stream, ending.call, .ok)
        case .failure(let status, isAlone: _): self.measureEnd(of: stream, ending.call, status.code)
        case .http: break
        }
        self.dropInput(of: stream)
        stream.trailers = trailers
        stream.resetsInput = ending.isInputOpen && !stream.isInputOver
        self.send(stream)
    }

    /// The stream is gone: gives up what runs for its call. Nothing is sent.
    func lose(_ stream: CallStream, _ status: Status) {
        self.remove(stream)
        let call = stream.machine.streamClosed()
        call?.end(status)
        self.measureEnd(of: stream, call, status.code)
        stream.streaming?.gate.close(.cancelled("The call is over."))
        self.dropInput(of: stream)
        self.dropPending(of: stream)
    }

    /// Counts a call once, with the first of its ends.
    private func measureEnd(of stream: CallStream, _ call: RunningCall?, _ code: Status.Code) {
        guard !stream.isMeasured else { return }
        stream.isMeasured = true
        if let call {
            self.meter.callEnded(call.measured, code)
        } else {
            self.meter.callAnswered(stream.methodIndex, code)
        }
    }

    private func remove(_ stream: CallStream) {
        self.streams[stream.id] = nil
        // Now and then rather than each time: what waits for the connection's window is looked through for it.
        if stream.isBlocked, self.blocked.count > 2 * self.streams.count + Self.deadBlockedCountMax {
            self.blocked = CircularBuffer(self.blocked.filter { self.streams[$0] != nil })
        }
    }

    /// How many streams that are gone may be left among those that wait.
    private static let deadBlockedCountMax = 64

    private func dropPending(of stream: CallStream) {
        self.pendingByteCount -= stream.pending.readableBytes
        stream.pending = ByteBuffer()
        self.release(stream, byteCount: stream.gatedByteCount)
    }
}

// MARK: - Replies

extension ServerHandler {
    /// Answers a call with the one message that `encode` appends in place, or the error that stands for it.
    func writeReply(
        _ stream: CallStream, head: Metadata = Metadata(), trailers: Metadata = Metadata(),
        _ encode: (inout ByteBuffer) throws(Status) -> Void
    ) {
        _ = self.writeReplyUnlessPostponed(stream, head: head, trailers: trailers) {
            (output: inout ByteBuffer) throws(Status) -> Bool in
            try encode(&output)
            return true
        }
    }

    /// As ``writeReply(_:head:trailers:_:)``, unless `encode` returns false: then nothing is appended, and the call has no answer yet.
    func writeReplyUnlessPostponed(
        _ stream: CallStream, head: Metadata = Metadata(), trailers: Metadata = Metadata(),
        _ encode: (inout ByteBuffer) throws(Status) -> Bool
    ) -> Bool {
        let mark = OutputMark(index: self.output.writerIndex, isTableSizeToBeTold: self.isTableSizeToBeTold)
        if !stream.machine.hasSentHead {
            self.writeHead(stream.id, head)
        }
        let frameIndex = self.output.writerIndex
        self.output.writeFrameHeader(HTTP2FrameHeader(payloadByteCount: 0, kind: .data, streamID: stream.id))
        var isAnswered = true
        do throws(Status) {
            try MessagePrefix.append(to: &self.output) { (output: inout ByteBuffer) throws(Status) in
                isAnswered = try encode(&output)
            }
        } catch {
            self.takeBackOutput(to: mark)
            self.callFailed(stream, error)
            return true
        }
        guard isAnswered else {
            self.takeBackOutput(to: mark)
            return false
        }
        if let status = self.refusalOfReply(frameIndex) {
            self.takeBackOutput(to: mark)
            self.callFailed(stream, status)
            return true
        }
        guard case .answer(let ending) = stream.machine.callEnded() else {
            self.takeBackOutput(to: mark)
            return true
        }
        self.completeDataFrame(stream, frameIndex)
        self.finish(stream, ending, .ok(trailers))
        return true
    }

    /// A place in the output to go back to, with what the client had been told there.
    private struct OutputMark {
        let index: Int
        let isTableSizeToBeTold: Bool
    }

    private func takeBackOutput(to mark: OutputMark) {
        self.output.moveWriterIndex(to: mark.index)
        self.isTableSizeToBeTold = mark.isTableSizeToBeTold
    }

    /// Why the reply whose DATA frame is at `frameIndex` may not be sent, if it may not.
    private func refusalOfReply(_ frameIndex: Int) -> Status? {
        let messageByteCount =
            self.output.writerIndex - frameIndex - HTTP2FrameHeader.byteCount - MessagePrefix.byteCount
        guard messageByteCount <= self.limits.messageByteCountMax else {
            return .messageTooLong(byteCountMax: self.limits.messageByteCountMax)
        }
        return self.mayKeepOutput ? nil : .outputFull(byteCountMax: self.limits.queuedOutputByteCountMax)
    }

    /// Leaves the frame where it is, if it and the windows have room for all of it; where not, its bytes wait.
    private func completeDataFrame(_ stream: CallStream, _ frameIndex: Int) {
        let payloadIndex = frameIndex + HTTP2FrameHeader.byteCount
        let byteCount = self.output.writerIndex - payloadIndex
        let room = min(
            HTTP2FrameHeader.payloadByteCountMax, stream.sendWindow.byteCount, self.sendWindow.byteCount)
        if byteCount <= room, self.sendWindow.take(byteCount: byteCount), stream.sendWindow.take(byteCount: byteCount) {
            self.output.setPayloadByteCount(byteCount, ofFrameAt: frameIndex)
            return
        }
        self.output.withUnsafeReadableBytes { bytes in
            let start = payloadIndex - self.output.readerIndex
            stream.pending.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        }
        self.pendingByteCount += byteCount
        self.output.moveWriterIndex(to: frameIndex)
    }
}

// MARK: - Frames

extension ServerHandler {
    /// Sends what windows allow of a stream's messages and, behind the last of them, its trailers.
    func send(_ stream: CallStream) {
        while stream.pending.readableBytes > 0 {
            guard self.sendWindow.byteCount > 0 else {
                if !stream.isBlocked {
                    stream.isBlocked = true
                    self.blocked.append(stream.id)
                }
                return
            }
            let byteCount = min(
                stream.pending.readableBytes, HTTP2FrameHeader.payloadByteCountMax, stream.sendWindow.byteCount,
                self.sendWindow.byteCount
            )
            self.countCut(stream, byteCount: byteCount)
            guard byteCount > 0, self.sendWindow.take(byteCount: byteCount),
                stream.sendWindow.take(byteCount: byteCount), let piece = stream.pending.readSlice(length: byteCount)
            else {
                // Until the client opens the stream's own window.
                return
            }
            self.output.writeFrameHeader(
                HTTP2FrameHeader(payloadByteCount: byteCount, kind: .data, streamID: stream.id))
            self.output.writeImmutableBuffer(piece)
            self.pendingByteCount -= byteCount
            self.release(stream, byteCount: min(byteCount, stream.gatedByteCount))
        }
        stream.pending = ByteBuffer()
        guard let trailers = stream.trailers else {
            return
        }
        self.writeTrailers(trailers, stream.id)
        if stream.resetsInput {
            self.output.writeReset(stream.id, .noError)
        }
        self.remove(stream)
        stream.streaming?.gate.close(.cancelled("The call is over."))
        self.closeIfDrained()
    }

    /// Notes how much of a message is left when `byteCount` bytes more of what waits are sent.
    private func countCut(_ stream: CallStream, byteCount: Int) {
        var offset = 0
        while offset < byteCount {
            if stream.cutByteCount == 0 {
                let length = stream.pending.getInteger(at: stream.pending.readerIndex + offset + 1, as: UInt32.self)
                stream.cutByteCount = MessagePrefix.byteCount + Int(length ?? 0)
            }
            let taken = min(stream.cutByteCount, byteCount - offset)
            stream.cutByteCount -= taken
            offset += taken
        }
    }

    /// Sends what waited for the connection's window, in turn, for as long as it is open.
    func sendBlocked() {
        while self.sendWindow.byteCount > 0, let id = self.blocked.popFirst() {
            if let stream = self.streams[id] {
                stream.isBlocked = false
                self.send(stream)
            }
        }
    }

    /// Tells the method's side that bytes have left.
    private func release(_ stream: CallStream, byteCount: Int) {
        guard byteCount > 0 else {
            return
        }
        stream.gatedByteCount -= byteCount
        stream.streaming?.gate.release(byteCount: byteCount)
    }

    private func writeHead(_ id: StreamID, _ metadata: Metadata = Metadata()) {
        self.writeHeaders(id, flags: .endHeaders) { ResponseHeaders.appendHead(metadata, to: &$0) }
    }

    private func writeTrailers(_ trailers: CallStream.Trailers, _ id: StreamID) {
        self.writeHeaders(id, flags: [.endHeaders, .endStream]) { output in
            switch trailers {
            case .ok(let metadata):
                ResponseHeaders.appendOK(metadata, to: &output)
            case .failure(let status, let isAlone):
                if isAlone {
                    ResponseHeaders.appendHead(to: &output)
                }
                ResponseHeaders.append(status, to: &output)
            case .http(let status, let problem):
                ResponseHeaders.append(httpStatus: status, problem, to: &output)
            }
        }
    }

    private func writeHeaders(_ id: StreamID, flags: HTTP2FrameHeader.Flags, _ write: (inout ByteBuffer) -> Void) {
        let index = self.output.writerIndex
        self.output.writeFrameHeader(
            HTTP2FrameHeader(payloadByteCount: 0, kind: .headers, flags: flags, streamID: id))
        if self.isTableSizeToBeTold {
            self.isTableSizeToBeTold = false
            self.output.writeInteger(HPACKLiteral.tableSizeZero)
        }
        write(&self.output)
        self.output.setPayloadByteCount(
            self.output.writerIndex - index - HTTP2FrameHeader.byteCount, ofFrameAt: index)
    }
}
