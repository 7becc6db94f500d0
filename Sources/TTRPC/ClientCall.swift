// A call as the client sees it: a caller's task on one side, the event loop on the other.

internal import NIOCore
internal import RPC
internal import Synchronization

/// One call of a client, unary or streaming: what it is told waits in its queue.
///
/// ## Concurrency
/// The event loop numbers it and fills its queue; the caller's task reads that.
final class ClientCall: Sendable {
    let kind: ClientCallKind
    let deadline: NIODeadline
    let replies: MessageQueue
    /// Set and read on the event loop; 0 until the call is sent.
    private let number = Atomic<UInt32>(0)

    init(_ kind: ClientCallKind, deadline: NIODeadline, budget: InputBudget) {
        self.kind = kind
        self.deadline = deadline
        self.replies = MessageQueue(budget: budget)
    }

    var streamID: StreamID {
        get { StreamID(self.number.load(ordering: .relaxed)) }
        set { self.number.store(newValue.rawValue, ordering: .relaxed) }
    }
}

/// What reaches a client connection's event loop from its callers.
enum ClientItem: Sendable {
    case started(ClientCall, RequestFrame)
    case message(ClientCall, ByteBuffer)
    case halfClosed(ClientCall)
    /// Its caller is gone, or has what it wanted.
    case abandoned(ClientCall)
    case deadlinePassed(ClientCall)
    /// Enough was taken out of the queues for reading to go on.
    case inputConsumed
}

/// Reports that a call's deadline has passed.
struct ClientDeadlineTimer: NIOScheduledCallbackHandler, Sendable {
    let call: ClientCall
    let mailbox: LoopMailbox<ClientItem>

    func handleScheduledCallback(eventLoop: some EventLoop) {
        self.mailbox.post(.deadlinePassed(self.call))
    }
}

/// What the calls of a client connection share.
struct ClientConnection: Sendable {
    let mailbox: LoopMailbox<ClientItem>
    let gate: OutputGate
    let budget: InputBudget
    let messageByteCountMax: Int
}
