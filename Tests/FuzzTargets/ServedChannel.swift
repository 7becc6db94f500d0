// A server's end of a connection in memory, on which everything happens when the input says so.

internal import Logging
internal import NIOCore
internal import NIOEmbedded
internal import RPC
internal import RollcallTesting

/// One connection that a fuzzer speaks to. Its bounds are low, so that short inputs reach them.
struct ServedChannel {
    private let channel = EmbeddedChannel()
    private let connection: ServerConnection
    private let held = EchoService.HeldCalls()

    static let limits = ConnectionLimits(
        messageByteCountMax: 1_024, callCountMax: 8, queuedOutputByteCountMax: 16 << 10,
        undeliveredInputByteCountMax: 2 << 10, partialInputByteCountMax: 2 << 10)
    /// Of these methods all keep to their bounds whatever they are asked.
    static let methodNames = [
        "Echo", "Fail", "Metadata", "EchoMetadata", "StreamMetadata", "ClientMetadata", "Adapt", "Hold", "Server",
        "Client", "Bidi", "Break", "Refuse", "Silent",
    ]

    init(
        _ serve: (any Channel, MethodTable, Peer, ConnectionLimits, Logger) throws -> ServerConnection
    ) throws {
        let methods = EchoService.methods(held: self.held).methods.filter { Self.methodNames.contains($0.name.method) }
        let logger = Logger(label: "fuzz", factory: { _ in SwiftLogNoOpLogHandler() })
        self.connection = try serve(self.channel, MethodTable(methods), LiveServer.peer, Self.limits, logger)
        try self.channel.connect(to: try SocketAddress(unixDomainSocketPath: "/fuzz")).wait()
    }

    /// Lets the server read these bytes, if it still would.
    func read(_ bytes: some Sequence<UInt8>) {
        guard self.channel.isActive else { return }
        self.channel.pipeline.fireChannelRead(ByteBuffer(bytes: bytes))
        self.channel.pipeline.fireChannelReadComplete()
        self.channel.embeddedEventLoop.run()
    }

    /// Something that a client has no part in.
    func happen(_ decision: UInt8) {
        guard self.channel.isActive else { return }
        switch decision % 6 {
        case 0: self.held.succeed("late")
        case 1: for call in self.held.take() { call.fail(EchoService.notFound) }
        case 2: self.channel.embeddedEventLoop.advanceTime(by: .milliseconds(Int64(decision) * 100))
        case 3: self.connection.drain()
        case 4: self.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        default:
            self.channel.isWritable.toggle()
            self.channel.pipeline.fireChannelWritabilityChanged()
        }
        self.channel.embeddedEventLoop.run()
    }

    /// Answers what is held, ends the connection, and gives all that the server wrote.
    func finish() throws -> [UInt8] {
        self.happen(0)
        var output: [UInt8] = []
        while let written = try self.channel.readOutbound(as: ByteBuffer.self) {
            output += written.readableBytesView
        }
        _ = try? self.channel.finish(acceptAlreadyClosed: true)
        return output
    }
}
