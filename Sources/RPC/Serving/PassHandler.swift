// How a connection's handler writes: what a pass over its input or its mailbox appends leaves in one write at its end.

package import NIOCore

/// A channel handler that appends to one buffer during a pass, and writes that at the end.
///
/// On the event loop only. The buffer is the handler's own, because every call appends to it.
package protocol PassHandler: AnyObject {
    /// What was appended and is not written.
    var output: ByteBuffer { get set }
    var pass: Pass { get set }
    /// What waits for the reader elsewhere than in the output and the channel.
    var withheldByteCount: Int { get }
    /// What came in and waits: for the rest of it, or for the method of its stream.
    var waitingInputByteCount: Int { get }
    var meter: CallMeter { get set }
}

/// What a handler keeps from one pass to the next.
package struct Pass {
    /// What is left to do at the end.
    fileprivate enum End {
        case flush
        case flushAndClose
        case close
    }

    fileprivate var end = End.flush
    fileprivate var isWriting = false
    /// Output that the channel has not handed to the socket, as of the start of the pass.
    package fileprivate(set) var bufferedByteCount = 0

    private let account: ByteAccount
    /// What of the account waits for the reader.
    private var unreadByteCount = 0

    /// - Parameter account: What the connection has in the ledger of all that waits.
    package init(account: ByteAccount) {
        self.account = account
    }

    /// Whether the connection is served: nothing has asked for its end.
    package var isServing: Bool {
        if case .flush = self.end { true } else { false }
    }

    /// Whether something waits for the peer, as of the last look.
    fileprivate var isWaiting: Bool {
        self.account.byteCount > 0
    }

    /// Closes, once what has been appended is written.
    package mutating func closeAtEnd() {
        if case .flush = self.end {
            self.end = .flushAndClose
        }
    }

    /// The connection is gone, or about to be closed: nothing more is written.
    package mutating func discard() {
        self.end = .close
        self.account.set(byteCount: 0)
    }

    /// Notes what waits at the end of a pass.
    ///
    /// - Parameters:
    ///   - unread: What waits while the channel is full. Buffers are let go of whole, so it counts at its most until all
    ///     of it has left.
    ///   - input: What came in and waits. Little does not count: most reads end inside a frame.
    fileprivate mutating func note(withheld: Int, unread: Int?, input: Int) {
        self.unreadByteCount = unread.map { max($0 + withheld, self.unreadByteCount) } ?? withheld
        self.account.set(byteCount: self.unreadByteCount + input / inputGrainByteCount * inputGrainByteCount)
    }
}

/// What the output buffer starts with.
private let outputByteCountMin = 4 << 10
/// A larger output buffer is not kept for the next pass.
private let retainedOutputByteCountMax = 256 << 10
/// In steps of how much input that waits is counted.
private let inputGrainByteCount = 16 << 10

extension PassHandler {
    package func beginPass(_ context: ChannelHandlerContext) {
        self.meter.passStarted()
        // A writable channel holds less than its high-water mark, a small part of the bound; asking costs more than
        // the answer is worth then.
        self.pass.bufferedByteCount = context.channel.isWritable ? 0 : Self.bufferedByteCount(context)
    }

    private static func bufferedByteCount(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Writes what was appended; to be called too when the channel has become writable.
    package func endPass(_ context: ChannelHandlerContext) {
        self.meter.countEnded()
        defer { self.meter.passEnded() }
        switch self.pass.end {
        case .flush:
            // While the socket is full all of it waits in one buffer, rather than each pass in its own.
            defer { self.noteWaiting(context) }
            guard self.output.readableBytes > 0, context.channel.isWritable, !self.pass.isWriting else {
                return
            }
            // The channel may say within the write that it has become writable again.
            self.pass.isWriting = true
            self.meter.sent(byteCount: self.output.readableBytes)
            context.writeAndFlush(NIOAny(self.output), promise: nil)
            self.pass.isWriting = false
            self.recycleOutput()
        case .flushAndClose:
            self.pass.end = .close
            let isWritten = context.eventLoop.makePromise(of: Void.self)
            isWritten.futureResult.assumeIsolated().whenComplete { _ in
                context.close(promise: nil)
            }
            self.meter.sent(byteCount: self.output.readableBytes)
            // Empty or not: its turn comes after everything written before.
            context.writeAndFlush(NIOAny(self.output), promise: isWritten)
            self.output = ByteBuffer()
            self.noteWaiting(context)
        case .close:
            self.output = ByteBuffer()
        }
    }

    /// Whether something waits for the peer now.
    package func isWaiting(_ context: ChannelHandlerContext) -> Bool {
        self.noteWaiting(context)
        return self.pass.isWaiting
    }

    private func noteWaiting(_ context: ChannelHandlerContext) {
        let unread =
            context.channel.isWritable ? nil : self.output.readableBytes + Self.bufferedByteCount(context)
        self.pass.note(withheld: self.withheldByteCount, unread: unread, input: self.waitingInputByteCount)
    }

    /// Uses the buffer again where the socket has taken all of it, which is the rule.
    private func recycleOutput() {
        if self.output.capacity > retainedOutputByteCountMax {
            self.output = ByteBuffer()
        } else {
            self.output.clear(minimumCapacity: outputByteCountMin)
        }
    }
}
