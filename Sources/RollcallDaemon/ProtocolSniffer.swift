// Finds out by its first byte which protocol a connection speaks.

internal import NIOCore

/// What a client of this server may speak.
enum WireProtocol: Hashable, Sendable {
    case ttrpc
    /// gRPC, which is HTTP/2 underneath.
    case grpc

    /// - Parameter byte: The first byte of a connection. A length of ttrpc is below 2^24, so its first byte is 0; HTTP/2 begins
    ///   with `PRI * HTTP/2.0`.
    init?(firstByte byte: UInt8) {
        switch byte {
        case 0: self = .ttrpc
        case UInt8(ascii: "P"): self = .grpc
        default: return nil
        }
    }
}

/// Waits for a connection's first byte, lets the rest of the pipeline be made, and makes way for it.
final class ProtocolSniffer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let configure: (WireProtocol?) throws -> Void

    /// - Parameter configure: Adds the handlers of a protocol to the pipeline; nil stands for one that nobody knows. Called once,
    ///   on the event loop; a throw closes the connection.
    init(_ configure: @escaping (WireProtocol?) throws -> Void) {
        self.configure = configure
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        guard let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) else {
            return
        }
        do {
            try self.configure(WireProtocol(firstByte: first))
        } catch {
            context.close(promise: nil)
            return
        }
        context.fireChannelRead(data)
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}
