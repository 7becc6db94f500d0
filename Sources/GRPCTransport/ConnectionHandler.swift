// A connection on its event loop, next to the socket: what its streams share, when it is read, and when it is flushed.

internal import Logging
internal import NIOCore
internal import RPC

/// Holds what the streams of one connection share, and stands between HTTP/2 and the socket.
///
/// Whatever the streams write within a read cycle, or while letters of other threads are opened, leaves in one flush.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData

    let methods: MethodTable
    let peer: Peer
    let limits: ConnectionLimits
    let mailbox: LoopMailbox<ServerItem>
    /// What all streams together may leave unread before the socket is left alone.
    let budget: InputBudget
    let logger: Logger
    private let startStream: AsyncStream<StreamCall>.Continuation

    /// The streams whose calls are answered later.
    private var running: [CallKey: StreamHandler] = [:]
    private var nextSequence: UInt64 = 0
    private(set) var isDraining = false
    /// Unfinished messages of all streams.
    private var partialInputByteCount = 0
    /// Messages that were written and have not left HTTP/2.
    private var queuedOutputByteCount = 0

    private var items: [ServerItem] = []
    private var context: ChannelHandlerContext?
    private var isReadWithheld = false
    private var isInPass = false
    private var isFlushHeld = false
    private var isClosing = false

    init(
        methods: MethodTable, peer: Peer, limits: ConnectionLimits, mailbox: LoopMailbox<ServerItem>, logger: Logger,
        startStream: AsyncStream<StreamCall>.Continuation
    ) {
        self.methods = methods
        self.peer = peer
        self.limits = limits
        self.mailbox = mailbox
        self.budget = InputBudget(byteCountMax: limits.undeliveredInputByteCountMax) {
            mailbox.post(.inputConsumed(nil))
        }
        self.logger = logger
        self.startStream = startStream
    }

    var metadata: Logger.Metadata {
        ["peer.pid": "\(self.peer.processID)", "peer.uid": "\(self.peer.userID)"]
    }
}

// MARK: - Channel events

extension ConnectionHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
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
        self.isInPass = true
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.isInPass = true
        context.fireChannelReadComplete()
        self.endPass(context)
    }

    /// Reading waits while streams have more input than they take.
    func read(context: ChannelHandlerContext) {
        if self.budget.isExceeded {
            self.isReadWithheld = true
        } else {
            context.read()
        }
    }

    func flush(context: ChannelHandlerContext) {
        if self.isInPass {
            self.isFlushHeld = true
        } else {
            context.flush()
        }
    }

    /// Once it is drained, the connection closes when everything has left; closing it again does not wait.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard self.isDraining, self.running.isEmpty, !self.isClosing, context.channel.isActive else {
            context.close(mode: mode, promise: promise)
            return
        }
        self.isClosing = true
        let isWritten = context.eventLoop.makePromise(of: Void.self)
        isWritten.futureResult.assumeIsolated().whenComplete { _ in
            context.close(mode: mode, promise: promise)
        }
        // Its turn comes after everything written before.
        context.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer())), promise: isWritten)
    }

    private func endPass(_ context: ChannelHandlerContext) {
        self.isInPass = false
        if self.isFlushHeld {
            self.isFlushHeld = false
            context.flush()
        }
    }

    private func connectionLost() {
        self.mailbox.close()
        self.startStream.finish()
        // Mostly gone by now: HTTP/2 closes the streams of a connection that it sees end.
        for handler in Array(self.running.values) {
            handler.streamClosed()
        }
    }
}

// MARK: - Letters from other threads

extension ConnectionHandler {
    /// What other threads have left for this connection: all of it in one pass with one flush.
    private func itemsArrived() {
        guard let context = self.context else {
            return
        }
        self.isInPass = true
        self.mailbox.take(&self.items)
        for item in self.items {
            switch item {
            case .replied(let key, let result):
                self.running[key]?.callReplied(result)
            case .message(let key, let message):
                self.running[key]?.messageSent(message)
            case .streamEnded(let key, let outcome):
                self.running[key]?.streamEnded(outcome)
            case .deadlinePassed(let key):
                self.running[key]?.callFailed(.deadlineExceeded)
            case .inputConsumed(.some(let key)):
                self.running[key]?.resumeReading()
            case .inputConsumed(nil):
                self.resumeReading(context)
            case .drainStarted:
                self.drainStarted(context)
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

    /// The rest is the connection management's: GOAWAY, and the end once no stream is open.
    private func drainStarted(_ context: ChannelHandlerContext) {
        self.isDraining = true
        context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
}

// MARK: - For the streams

extension ConnectionHandler {
    /// Names a call that is answered later, and sends what comes for it to `handler`.
    func register(_ handler: StreamHandler, streamID: StreamID) -> CallKey {
        let key = CallKey(streamID: streamID, sequence: self.nextSequence)
        self.nextSequence += 1
        self.running[key] = handler
        return key
    }

    /// Nothing more is wanted of a call.
    func unregister(_ key: CallKey) {
        self.running[key] = nil
    }

    /// Hands a stream to the connection's task group.
    func start(_ stream: StreamCall) {
        self.startStream.yield(stream)
    }

    /// Counts unfinished messages; false where they have become too many.
    func partialInputChanged(by byteCount: Int) -> Bool {
        self.partialInputByteCount += byteCount
        return byteCount <= 0 || self.partialInputByteCount <= self.limits.partialInputByteCountMax
    }

    /// What refusals may take beyond the bound: enough for one on every call that a connection can have open.
    private static let refusalByteCountReserve = 256 << 10

    /// Counts `byteCount` bytes of a message about to be written; false where it has to be refused instead.
    func mayQueueOutput(byteCount: Int) -> Bool {
        guard self.queuedOutputByteCount + self.socketByteCount + byteCount <= self.limits.queuedOutputByteCountMax
        else {
            return false
        }
        self.queuedOutputByteCount += byteCount
        return true
    }

    /// Bytes counted before have left HTTP/2, or never will.
    func outputLeft(byteCount: Int) {
        self.queuedOutputByteCount -= byteCount
    }

    /// A call was refused: closes the connection of a peer that does not even read refusals.
    func refusalWritten() {
        guard self.socketByteCount > self.limits.queuedOutputByteCountMax + Self.refusalByteCountReserve else {
            return
        }
        self.logger.debug("peer does not read its replies", metadata: self.metadata)
        self.context?.close(promise: nil)
    }

    /// Output that the channel has not handed to the socket.
    private var socketByteCount: Int {
        // A writable channel holds less than its high-water mark, a small part of the bound.
        guard let channel = self.context?.channel, !channel.isWritable else {
            return 0
        }
        return (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }
}
