// A server connection on its event loop: frames in, methods called, frames out, one write for each read cycle.

internal import Logging
internal import NIOCore
internal import NIOHPACK
internal import RPC

/// Serves one connection.
///
/// A call that is answered at once is decoded, answered and encoded within the read that brought it, straight into the
/// connection's output: no task, promise or channel is made for it.
final class ServerHandler: ChannelInboundHandler, PassHandler {
    typealias InboundIn = ByteBuffer

    /// How far the connection is in going away.
    enum Drain {
        case none
        /// The client was told, and asked to answer a PING: it may have opened calls meanwhile.
        case announced
        /// The client knows. Once the last call is over, the connection closes.
        case known
    }

    /// Headers of one request, unpacked and as HTTP/2 counts them, in bytes: what gRPC's own servers take.
    static let headerListByteCountMax = 16 << 10

    let methods: MethodTable
    let peer: Peer
    let limits: ConnectionLimits
    let mailbox: LoopMailbox<ServerItem>
    /// What all streams together may leave unread before the connection's window is left closed.
    let budget: InputBudget
    let logger: Logger
    private let startStream: AsyncStream<StreamCall>.Continuation

    // MARK: Input

    private var decoder = HTTP2FrameDecoder()
    var hpack: HPACKDecoder
    /// The headers that CONTINUATION frames are still to complete.
    var headerBlock: HTTP2HeaderBlock?
    var hasSettings = false
    var receiveWindow: ReceiveWindow
    var frameRate = FrameRate()
    /// Unfinished messages of all streams.
    var partialInputByteCount = 0

    // MARK: Streams

    var streams: [StreamID: CallStream] = [:]
    /// The newest stream that the client has opened.
    var lastStreamID = StreamID.connection
    var drain = Drain.none

    // MARK: Output

    var output = ByteBuffer()
    var sendWindow = FlowWindow()
    /// The window that a new stream has.
    var streamWindowByteCount = FlowWindow.byteCountDefault
    /// Whether the client's decoder is still to be told that no table is used.
    var isTableSizeToBeTold = true
    /// Streams whose messages wait for the connection's window, in the order in which they began to.
    var blocked = CircularBuffer<StreamID>(initialCapacity: 0)
    /// What messages take that wait for a window, their stream's or the connection's.
    var pendingByteCount = 0
    private var items: [ServerItem] = []
    private var context: ChannelHandlerContext?
    var pass: Pass
    var meter: CallMeter

    init(
        methods: MethodTable, peer: Peer, limits: ConnectionLimits, mailbox: LoopMailbox<ServerItem>, logger: Logger,
        startStream: AsyncStream<StreamCall>.Continuation, account: ByteAccount
    ) {
        self.pass = Pass(account: account)
        self.methods = methods
        self.peer = peer
        self.limits = limits
        self.mailbox = mailbox
        self.budget = InputBudget(byteCountMax: limits.undeliveredInputByteCountMax) {
            mailbox.post(.inputConsumed(nil))
        }
        self.logger = logger
        self.startStream = startStream
        self.meter = CallMeter(methods.counters("grpc", on: mailbox.eventLoop))
        self.hpack = HPACKDecoder(
            allocator: ByteBufferAllocator(), maxDynamicTableSize: HPACKDecoder.maxDynamicTableSize,
            maxHeaderListSize: Self.headerListByteCountMax
        )
        self.receiveWindow = ReceiveWindow(
            byteCount: max(FlowWindow.byteCountDefault, limits.undeliveredInputByteCountMax))
    }

    private var metadata: Logger.Metadata {
        ["peer.pid": "\(self.peer.processID)", "peer.uid": "\(self.peer.userID)"]
    }
}

// MARK: - Channel events

extension ServerHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.writePreface()
        self.mailbox.open { self.itemsArrived() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.connectionLost()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.connectionLost()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.pass.isServing else {
            return
        }
        self.beginPass(context)
        let bytes = Self.unwrapInboundIn(data)
        self.meter.received(byteCount: bytes.readableBytes)
        do throws(HTTP2ConnectionError) {
            try self.decoder.decode(bytes) { header, payload throws(HTTP2ConnectionError) in
                try self.frameReceived(header, payload)
            }
        } catch {
            self.logger.debug(
                "connection failed", metadata: self.metadata.merging(["error": "\(error.description)"]) { $1 }
            )
            self.output.writeGoAway(lastStreamID: self.lastStreamID, error.code)
            self.loseStreams("The connection broke the rules of HTTP/2.")
            // A peer that reads nothing is not waited for.
            if context.channel.isWritable {
                self.pass.closeAtEnd()
            } else {
                self.pass.discard()
                context.close(promise: nil)
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.endPass(context)
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        for stream in self.streams.values {
            stream.streaming?.gate.setChannelWritable(context.channel.isWritable)
        }
        if context.channel.isWritable {
            self.endPass(context)
        }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.logger.debug("connection failed", metadata: self.metadata.merging(["error": "\(error)"]) { $1 })
        context.close(promise: nil)
    }

    private func connectionLost() {
        self.pass.discard()
        self.loseStreams("The connection is closed.")
        self.meter.connectionClosed()
        self.mailbox.close()
        self.startStream.finish()
    }

    private func loseStreams(_ why: String) {
        for stream in Array(self.streams.values) {
            self.lose(stream, .cancelled(why))
        }
    }

    /// What the server says of itself before anything else.
    private func writePreface() {
        self.output.writeSettings([
            (.maxConcurrentStreams, UInt32(self.limits.callCountMax)),
            (.maxHeaderListSize, UInt32(Self.headerListByteCountMax)),
        ])
        let more = self.limits.undeliveredInputByteCountMax - FlowWindow.byteCountDefault
        if more > 0 {
            self.output.writeWindowUpdate(.connection, byteCount: more)
        }
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
        self.mailbox.take(&self.items)
        for item in self.items {
            switch item {
            case .replied(let key, let result):
                self.withStream(key) { self.callReplied($0, result) }
            case .head(let key, let metadata):
                self.withStream(key) { self.headSent($0, metadata) }
            case .message(let key, let message):
                self.withStream(key) { self.messageSent($0, message) }
            case .streamEnded(let key, let outcome):
                self.withStream(key) { self.streamEnded($0, outcome) }
            case .deadlinePassed(let key):
                self.withStream(key) { self.callFailed($0, .deadlineExceeded, dropsPending: true) }
            case .inputConsumed(.some(let key)):
                self.withStream(key) { self.openWindow(of: $0) }
            case .inputConsumed(nil):
                self.openConnectionWindow()
            case .overdrawn where self.isWaiting(context):
                self.closeUnread()
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

    private func withStream(_ key: CallKey, _ body: (CallStream) -> Void) {
        if let stream = self.streams[key.streamID] {
            body(stream)
        }
    }

    /// What waits for the client to open a window.
    var withheldByteCount: Int {
        self.pendingByteCount
    }

    var waitingInputByteCount: Int {
        self.partialInputByteCount + self.budget.byteCount
    }

    /// What waits for the client to read it, or to open a window for it.
    private var queuedByteCount: Int {
        self.output.readableBytes + self.pass.bufferedByteCount + self.pendingByteCount
    }

    /// Whether what was just appended may stay; where not, it has to be taken back and its call refused.
    var mayKeepOutput: Bool {
        self.queuedByteCount <= self.limits.queuedOutputByteCountMax
    }

    /// What refusals may take beyond the bound: enough for one on every call that a connection can have open.
    private static let refusalByteCountReserve = 256 << 10

    /// Closes the connection of a peer that does not even read what it must be told.
    func closeIfOutputIsUnread() {
        guard self.queuedByteCount > self.limits.queuedOutputByteCountMax + Self.refusalByteCountReserve else {
            return
        }
        self.closeUnread()
    }

    private func closeUnread() {
        self.logger.debug("peer does not keep up", metadata: self.metadata)
        self.pass.discard()
        self.loseStreams("The connection is closed.")
        self.context?.close(promise: nil)
    }

    /// Hands a stream to the connection's task group.
    func start(_ stream: StreamCall) {
        self.startStream.yield(stream)
    }

    var now: NIODeadline {
        self.mailbox.eventLoop.now
    }

    var isChannelWritable: Bool {
        self.context?.channel.isWritable ?? false
    }
}
