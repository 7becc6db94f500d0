// One stream of HTTP/2, which is one call, as its connection keeps it.

internal import NIOCore
internal import RPC

/// What a connection knows of a call from its headers until its last frame.
///
/// A class, because frames, letters and windows all change it in place. On the event loop only.
final class CallStream {
    /// What a stream may receive before its method has taken it, or send before the client does.
    static let windowByteCount = FlowWindow.byteCountDefault

    /// What the headers said of the call.
    struct Request {
        let method: Method.Handler
        let context: CallContext
    }

    /// What ends a reply.
    enum Trailers {
        case ok(Metadata)
        /// - Parameter isAlone: Nothing of the reply was sent before.
        case failure(Status, isAlone: Bool)
        /// The request was none of gRPC's.
        case http(status: String, String)
    }

    let id: StreamID
    let key: CallKey
    var machine = StreamStateMachine<RunningCall>()
    /// Nil where the headers opened no call.
    var request: Request?
    var methodIndex = MethodIndex.unknown
    /// Whether its end was counted, or there is none to count.
    var isMeasured = false

    // MARK: Input

    var receiveWindow = ReceiveWindow(byteCount: CallStream.windowByteCount)
    var deframer: MessageDeframer
    /// The one message of a call that takes one, while its end is waited for.
    var message: ByteBuffer?
    /// What the connection has counted of this stream as unfinished input.
    var partialInputByteCount = 0
    /// Whether the client has half-closed the stream.
    var isInputOver = false

    // MARK: Output

    var sendWindow: FlowWindow
    /// Messages that wait for the client to open a window.
    var pending = ByteBuffer()
    /// How much is left of the message that has begun to leave.
    var cutByteCount = 0
    /// Whether they wait for the connection's window, among those of other streams.
    var isBlocked = false
    /// How much of them the gate has not been told to have left.
    var gatedByteCount = 0
    /// What follows the messages, once the call is over.
    var trailers: Trailers?
    /// Whether the client is to be told that its input is not wanted any more.
    var resetsInput = false
    /// The budget and the gate of a streaming call.
    var streaming: StreamConnection?

    init(key: CallKey, sendWindow: FlowWindow, messageByteCountMax: Int) {
        self.id = key.streamID
        self.key = key
        self.sendWindow = sendWindow
        self.deframer = MessageDeframer(messageByteCountMax: messageByteCountMax)
    }

    /// Lets go of what has come in and is not wanted any more.
    func dropInput() {
        self.deframer.removeAll()
        self.message = nil
    }
}

extension Method.Handler {
    /// How many messages a caller sends.
    var inputShape: InputShape {
        switch self {
        case .immediate, .adaptive, .deferred, .stream(.server, _): .one
        case .stream(.client, _), .stream(.bidirectional, _): .many
        }
    }
}
