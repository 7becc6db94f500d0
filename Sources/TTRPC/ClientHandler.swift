// A client connection on its event loop: calls out, frames in, one write for all calls that wait.

internal import NIOCore
internal import ProtobufC
internal import RPC

/// Carries the calls of any number of tasks over one connection.
final class ClientHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct OpenCall {
        let call: ClientCall
        let timer: NIOScheduledCallback?
    }

    private let connection: ClientConnection
    /// Where the connection leads, for people.
    private let path: String

    private var machine = ClientStateMachine<OpenCall>()
    private var decoder: FrameDecoder
    private var output = ByteBuffer()
    private var items: [ClientItem] = []
    private var context: ChannelHandlerContext?
    private var isReadWithheld = false
    private var failure: (any Error)?

    init(_ connection: ClientConnection, path: String) {
        self.connection = connection
        self.path = path
        self.decoder = FrameDecoder(dataByteCountMax: connection.messageByteCountMax)
    }
}

// MARK: - Channel events

extension ClientHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.connection.mailbox.open { self.itemsArrived() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.connectionLost()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let arena = Arena.current
        var isMismatched = false
        self.decoder.decode(Self.unwrapInboundIn(data)) { event in
            switch event {
            case .frame(let header, let data) where header.kind == .response:
                self.responseReceived(header.streamID, data, arena)
            case .frame(let header, let data) where header.kind == .data:
                self.dataReceived(header, data)
            case .frame:
                break
            case .oversizeFrame(let header):
                self.endCall(
                    header.streamID, .messageTooLong(byteCountMax: self.connection.messageByteCountMax)
                )
            case .protocolMismatch:
                isMismatched = true
            }
        }
        if isMismatched {
            context.close(promise: nil)
        }
    }

    /// Reading waits while streams have more input than they take.
    func read(context: ChannelHandlerContext) {
        if self.connection.budget.isExceeded {
            self.isReadWithheld = true
        } else {
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.connection.gate.setChannelWritable(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.failure = self.failure ?? error
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.connectionLost()
        context.fireChannelInactive()
    }

    private func connectionLost() {
        let cause = self.failure.map { ": \($0)" } ?? "."
        let status = Status(
            .unavailable, "The connection to \(self.path) was lost before the call was answered\(cause)")
        for open in self.machine.connectionClosed() {
            self.end(open, status)
        }
        self.connection.gate.close(status)
        for case .started(let call, _) in self.connection.mailbox.close() {
            call.replies.fail(status)
        }
    }
}

// MARK: - Frames from the server

extension ClientHandler {
    private func responseReceived(_ id: StreamID, _ data: UnsafeRawBufferPointer, _ arena: Arena) {
        guard case .finish(let open) = self.machine.responseReceived(id) else {
            return
        }
        open.timer?.cancel()
        do throws(Status) {
            let response = try ResponseEnvelope(data, arena)
            guard response.status.code == .ok else {
                throw response.status
            }
            // A server that ends a stream with a Response gives it one more message, unless there is nothing in it.
            if !open.call.kind.receivesMessages || response.payload.readableBytes > 0 {
                open.call.replies.append(response.payload)
            }
            open.call.replies.finish()
        } catch {
            open.call.replies.finish(error)
        }
    }

    private func dataReceived(_ header: FrameHeader, _ data: UnsafeRawBufferPointer) {
        let isLast = header.flags.contains(.remoteClosed)
        switch self.machine.dataReceived(header.streamID, isLast: isLast) {
        case .deliver(let open, let isLast):
            if !header.flags.contains(.noData) {
                open.call.replies.append(ByteBuffer(bytes: data))
            }
            if isLast {
                open.timer?.cancel()
                open.call.replies.finish()
            }
        case .fail(let open):
            self.end(open, .defect("The server sent a message where a reply was due."))
        case .ignore:
            break
        }
    }
}

// MARK: - Calls

extension ClientHandler {
    private func itemsArrived() {
        guard let context = self.context else {
            return
        }
        self.connection.mailbox.take(&self.items)
        for item in self.items {
            switch item {
            case .started(let call, let frame):
                self.start(call, frame)
            case .message(let call, let message):
                self.send(message, call)
                self.connection.gate.release(byteCount: message.readableBytes)
            case .halfClosed(let call):
                self.halfClose(call)
            case .abandoned(let call):
                self.endCall(call.streamID, .cancelled("The call was cancelled."))
            case .deadlinePassed(let call):
                self.endCall(call.streamID, .deadlineExceeded)
            case .inputConsumed where self.isReadWithheld:
                self.isReadWithheld = false
                context.read()
            case .inputConsumed:
                break
            }
        }
        self.items.removeAll(keepingCapacity: true)
        guard self.output.readableBytes > 0 else {
            return
        }
        context.writeAndFlush(Self.wrapOutboundOut(self.output), promise: nil)
        self.output.clear(minimumCapacity: 0)
    }

    private func start(_ call: ClientCall, _ frame: RequestFrame) {
        let action = self.machine.callStarted(call.kind) { id in
            call.streamID = id
            return OpenCall(call: call, timer: self.startTimer(call))
        }
        switch action {
        case .send(let id):
            frame.write(to: &self.output, streamID: id)
        case .refuse:
            call.replies.fail(Status(.unavailable, "The connection to \(self.path) is closed."))
        }
    }

    private func startTimer(_ call: ClientCall) -> NIOScheduledCallback? {
        guard call.deadline != .distantFuture else {
            return nil
        }
        let mailbox = self.connection.mailbox
        // An event loop that takes no timers any more is about to end the connection, and the call with it.
        return try? mailbox.eventLoop.scheduleCallback(
            at: call.deadline, handler: ClientDeadlineTimer(call: call, mailbox: mailbox)
        )
    }

    private func send(_ message: ByteBuffer, _ call: ClientCall) {
        switch self.machine.outputWritten(call.streamID, isLast: false) {
        case .send:
            self.output.writeFrameHeader(
                FrameHeader(dataByteCount: message.readableBytes, streamID: call.streamID, kind: .data)
            )
            self.output.writeImmutableBuffer(message)
        case .drop:
            break
        }
    }

    private func halfClose(_ call: ClientCall) {
        switch self.machine.outputWritten(call.streamID, isLast: true) {
        case .send:
            self.writeHalfClose(call.streamID)
        case .drop:
            break
        }
    }

    private func writeHalfClose(_ id: StreamID) {
        self.output.writeFrameHeader(
            FrameHeader(dataByteCount: 0, streamID: id, kind: .data, flags: [.remoteClosed, .noData])
        )
    }

    /// Ends a call on our side; what the server still sends for it is dropped.
    private func endCall(_ id: StreamID, _ status: Status) {
        switch self.machine.callAbandoned(id) {
        case .halfClose(let open):
            self.writeHalfClose(id)
            self.end(open, status)
        case .forget(let open):
            self.end(open, status)
        case .ignore:
            break
        }
    }

    private func end(_ open: OpenCall, _ status: Status) {
        open.timer?.cancel()
        open.call.replies.fail(status)
    }
}
