// One stream of HTTP/2 on its event loop, which is one call: headers and messages in, a method called, a reply out.

internal import Logging
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import ProtobufC
internal import RPC

/// Serves one call.
///
/// A method that answers at once is called within the read that brought the end of its request: no task is made for it.
final class StreamHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// What a stream may have read, or written, and not passed on before it waits.
    static let markByteCount = 64 << 10

    /// What the headers said of the call.
    struct Request {
        let method: Method.Handler
        let context: CallContext
    }

    let connection: ConnectionHandler
    var machine = StreamStateMachine<RunningCall>()
    var context: ChannelHandlerContext?
    var request: Request?
    /// Room that the reply of a unary call takes until the stream is closed.
    var replyByteCount = 0
    /// The budget and the gate of a streaming call.
    var stream: StreamConnection?
    private var deframer: MessageDeframer
    /// The one message of a call that takes one, while its end is waited for.
    private var message: ByteBuffer?
    /// What was counted of this stream as unfinished input.
    private var partialInputByteCount = 0
    private var isReadWithheld = false

    init(_ connection: ConnectionHandler) {
        self.connection = connection
        self.deframer = MessageDeframer(messageByteCountMax: connection.limits.messageByteCountMax)
    }
}

// MARK: - Channel events

extension StreamHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.streamClosed()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.streamClosed()
        context.fireChannelInactive()
    }

    /// The client reset the stream, or the connection ended: ``channelInactive(context:)`` follows.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.connection.logger.trace("stream failed", metadata: ["error": "\(error)"])
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.stream?.gate.setChannelWritable(context.channel.isWritable)
        context.fireChannelWritabilityChanged()
    }

    /// Reading waits while the method has more input than it takes: the client's window then closes.
    func read(context: ChannelHandlerContext) {
        if self.stream?.budget.isExceeded == true {
            self.isReadWithheld = true
        } else {
            context.read()
        }
    }

    /// The method has taken enough for reading to go on.
    func resumeReading() {
        if self.isReadWithheld {
            self.isReadWithheld = false
            self.context?.read()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .headers(let frame):
            if self.request == nil {
                self.headersReceived(frame.headers)
            }
            if frame.endStream {
                self.inputEnded()
            }
        case .data(let frame):
            if case .byteBuffer(let bytes) = frame.data {
                self.bytesReceived(bytes)
            }
            if frame.endStream {
                self.inputEnded()
            }
            self.countPartialInput()
        default:
            break
        }
    }

    /// The stream, or its connection, is gone: gives up what runs for the call.
    func streamClosed() {
        if let call = self.machine.streamClosed() {
            self.connection.unregister(call.key)
            call.end(.cancelled("The caller cancelled the call or closed its connection."))
        }
        self.stream?.gate.close(.cancelled("The call is over."))
        self.dropInput()
        self.connection.outputLeft(byteCount: self.replyByteCount)
        self.replyByteCount = 0
    }
}

// MARK: - Input

extension StreamHandler {
    private func headersReceived(_ headers: HPACKHeaders) {
        do throws(RequestRefusal) {
            let request = try RequestHeaders(headers, methods: self.connection.methods)
            let deadline = try self.deadline(of: request)
            guard !self.connection.isDraining else { throw .status(.draining) }
            let call = CallContext(peer: self.connection.peer, deadline: deadline, metadata: request.metadata)
            self.request = Request(method: request.method.handler, context: call)
            switch self.machine.callReceived(request.method.handler.inputShape) {
            case .start:
                self.callMethod(with: nil)
            case .collect, .ignore:
                break
            }
        } catch {
            switch error {
            case .status(let status):
                self.callFailed(status)
            case .http(let status, let problem):
                self.answer(with: HPACKHeaders(httpStatus: status, problem))
            }
        }
    }

    private func deadline(of request: RequestHeaders) throws(RequestRefusal) -> NIODeadline {
        guard let timeout = request.timeout, timeout.nanoseconds < Int64.max / 2 else { return .distantFuture }
        guard timeout > .nanoseconds(0) else { throw .status(.deadlineExceeded) }
        return self.connection.mailbox.eventLoop.now + timeout
    }

    private func bytesReceived(_ bytes: ByteBuffer) {
        self.deframer.append(bytes)
        do throws(MessageDeframer.Failure) {
            while let message = try self.deframer.next() {
                switch self.machine.messageReceived() {
                case .keep:
                    self.message = message
                case .deliver(let call):
                    if case .stream(let stream) = call.work {
                        stream.receive(message)
                    }
                case .refuse(let refusal, let ending):
                    self.end(ending, self.status(of: refusal))
                case .ignore:
                    break
                }
            }
        } catch {
            switch error {
            case .compressed: self.inputFailed(.compressedMessage)
            case .badPrefix: self.inputFailed(.badPrefix)
            case .tooLong: self.inputFailed(.messageTooLong)
            }
        }
    }

    private func inputEnded() {
        switch self.machine.inputEnded(isInsideMessage: self.deframer.byteCount > 0) {
        case .call:
            let message = self.message
            self.message = nil
            self.callMethod(with: message)
        case .finish(let call):
            if case .stream(let stream) = call.work {
                stream.finishInput()
            }
        case .refuse(let refusal, let ending):
            self.end(ending, self.status(of: refusal))
        case .ignore:
            break
        }
    }

    private func inputFailed(_ refusal: InputRefusal) {
        self.dropInput()
        switch self.machine.inputFailed() {
        case .refuse(let ending):
            self.end(ending, self.status(of: refusal))
        case .ignore:
            break
        }
    }

    /// Lets the connection know how much of an unfinished message waits here.
    private func countPartialInput() {
        let byteCount = self.deframer.byteCount + (self.message?.readableBytes ?? 0)
        guard byteCount != self.partialInputByteCount else {
            return
        }
        let change = byteCount - self.partialInputByteCount
        self.partialInputByteCount = byteCount
        if !self.connection.partialInputChanged(by: change) {
            self.inputFailed(.tooMuchPartialInput)
        }
    }

    /// Forgets what has come in and is not wanted any more.
    func dropInput() {
        self.deframer.removeAll()
        self.message = nil
        _ = self.connection.partialInputChanged(by: -self.partialInputByteCount)
        self.partialInputByteCount = 0
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
            .messageTooLong(byteCountMax: self.connection.limits.messageByteCountMax)
        case .tooMuchPartialInput:
            .limitExceeded(
                "The connection's unfinished messages take more than \(self.connection.limits.partialInputByteCountMax) bytes."
            )
        }
    }
}

extension Method.Handler {
    /// How many messages a caller sends.
    fileprivate var inputShape: InputShape {
        switch self {
        case .immediate, .adaptive, .deferred, .stream(.server, _): .one
        case .stream(.client, _), .stream(.bidirectional, _): .many
        }
    }
}
