// A server connection on its event loop: frames in, methods called, frames out, one write for each read cycle.

internal import Logging
internal import NIOCore
internal import ProtobufC
internal import RPC

/// Serves one connection.
///
/// An immediate call is decoded, answered and encoded within the read that brought it, straight into the connection's
/// output: no task, promise, string or object is made for it.
final class ServerHandler: ChannelDuplexHandler, PassHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    let methods: MethodTable
    let peer: Peer
    let streams: StreamConnection
    private let startStream: AsyncStream<StreamCall>.Continuation

    var machine: ConnectionStateMachine<RunningCall>
    var output = ByteBuffer()
    private var decoder: FrameDecoder
    private var items: [ServerItem] = []
    private var context: ChannelHandlerContext?
    var pass: Pass
    var meter: CallMeter
    private var isReadWithheld = false

    init(
        methods: MethodTable, peer: Peer, streams: StreamConnection,
        startStream: AsyncStream<StreamCall>.Continuation, account: ByteAccount
    ) {
        self.methods = methods
        self.peer = peer
        self.streams = streams
        self.startStream = startStream
        self.pass = Pass(account: account)
        self.machine = ConnectionStateMachine(
            callCountMax: streams.limits.callCountMax,
            queuedOutputByteCountMax: streams.limits.queuedOutputByteCountMax
        )
        self.decoder = FrameDecoder(dataByteCountMax: streams.limits.messageByteCountMax)
        self.meter = CallMeter(methods.counters("ttrpc", on: streams.mailbox.eventLoop))
    }

    var limits: ConnectionLimits {
        self.streams.limits
    }

    /// Nothing: the protocol has no windows to wait for.
    var withheldByteCount: Int {
        0
    }

    var waitingInputByteCount: Int {
        self.decoder.cutByteCount + self.streams.budget.byteCount
    }

    /// The connection's clock.
    var now: NIODeadline {
        self.streams.mailbox.eventLoop.now
    }
}

// MARK: - Channel events

extension ServerHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.streams.mailbox.open { self.itemsArrived() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.connectionLost()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.pass.isServing else {
            return
        }
        self.beginPass(context)
        let bytes = Self.unwrapInboundIn(data)
        self.meter.received(byteCount: bytes.readableBytes)
        let arena = Arena.current
        self.decoder.decode(bytes) { event in
            switch event {
            case .frame(let header, let data):
                self.frameReceived(header, data: data, arena)
            case .oversizeFrame(let header):
                self.oversizeFrameReceived(header, arena)
            case .protocolMismatch:
                self.streams.logger.debug("peer does not speak ttrpc", metadata: self.metadata)
                self.abandon(self.machine.connectionClosed())
                self.pass.closeAtEnd()
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.endPass(context)
        context.fireChannelReadComplete()
    }

    /// Reading waits while streams have more input than they take.
    func read(context: ChannelHandlerContext) {
        if self.streams.budget.isExceeded {
            self.isReadWithheld = true
        } else {
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.streams.gate.setChannelWritable(context.channel.isWritable)
        if context.channel.isWritable {
            self.endPass(context)
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            switch self.machine.inputClosed() {
            case .halfClose(let calls):
                for case .stream(let stream) in calls.map(\.work) {
                    stream.finishInput()
                }
            case .close:
                self.pass.closeAtEnd()
                self.endPass(context)
            case .ignore:
                break
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.streams.logger.debug(
            "connection failed", metadata: self.metadata.merging(["error": "\(error)"]) { $1 }
        )
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.connectionLost()
        context.fireChannelInactive()
    }

    private func connectionLost() {
        self.pass.discard()
        self.abandon(self.machine.connectionClosed())
        self.meter.connectionClosed()
        self.streams.gate.close(.cancelled("The connection is closed."))
        self.streams.mailbox.close()
        self.startStream.finish()
    }

    private var metadata: Logger.Metadata {
        ["peer.pid": "\(self.peer.processID)", "peer.uid": "\(self.peer.userID)"]
    }
}

// MARK: - Passes

extension ServerHandler {
    /// What other threads have left for this connection: all of it in one pass with one write.
    private func itemsArrived() {
        guard let context = self.context else {
            return
        }
        self.beginPass(context)
        let arena = Arena.current
        self.streams.mailbox.take(&self.items)
        for item in self.items {
            switch item {
            case .replied(let key, let result):
                self.callReplied(key, result, arena)
            case .head:
                // The protocol has no place for metadata of the server.
                break
            case .message(let key, let message):
                self.messageSent(key, message, arena)
            case .streamEnded(let key, let outcome):
                self.streamEnded(key, outcome, arena)
            case .deadlinePassed(let key):
                self.deadlinePassed(key, arena)
            case .inputConsumed:
                self.resumeReading(context)
            case .overdrawn where self.isWaiting(context):
                self.closeUnread(self.machine.connectionClosed())
            case .overdrawn:
                // All of it has gone meanwhile.
                break
            case .drainStarted:
                self.drainStarted()
            }
        }
        self.items.removeAll(keepingCapacity: true)
        self.endPass(context)
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        if self.isReadWithheld {
            self.isReadWithheld = false
            context.read()
        }
    }

    private func drainStarted() {
        switch self.machine.drainStarted() {
        case .close:
            self.pass.closeAtEnd()
        case .wait:
            break
        }
    }

    /// Bounds what waits for the client; returns false where the frame just appended has to go.
    func mayKeepOutput(isRefusal: Bool) -> Bool {
        let queuedByteCount = self.output.readableBytes + self.pass.bufferedByteCount
        switch self.machine.outputAppended(queuedByteCount: queuedByteCount, isRefusal: isRefusal) {
        case .keep:
            return true
        case .replace:
            return false
        case .close(let calls):
            self.closeUnread(calls)
            return true
        }
    }

    /// Closes the connection of a peer that does not read, or leaves too much unfinished.
    private func closeUnread(_ calls: [RunningCall]) {
        self.streams.logger.debug("peer does not keep up", metadata: self.metadata)
        self.abandon(calls)
        self.pass.discard()
        self.context?.close(promise: nil)
    }

    /// Gives calls up whose client is gone.
    private func abandon(_ calls: [RunningCall]) {
        let status = Status.cancelled("The connection is closed.")
        for call in calls {
            call.end(status)
            self.meter.callEnded(call.measured, status.code)
        }
    }

    /// Hands a stream to the connection's task group.
    func start(_ stream: StreamCall) {
        self.startStream.yield(stream)
    }
}
