// What the server's side of one call does next: an event in, one action out. No channel, clock or promise in here.

/// Why the transport itself turns a call's input down.
enum InputRefusal: Hashable, Sendable {
    /// A call that takes one message ended without it.
    case noMessage
    /// A call that takes one message got another.
    case secondMessage
    /// The input ended inside a message.
    case partialMessage
    case compressedMessage
    case badPrefix
    case messageTooLong
    /// The connection's unfinished messages take more memory than they may.
    case tooMuchPartialInput
}

/// How many messages a call takes.
enum InputShape: Hashable, Sendable {
    /// One, with which its method begins.
    case one
    /// Any number, while its method runs.
    case many
}

/// What is there to be told, and taken back, when a call ends.
struct CallEnding<Call> {
    /// What runs for the call, if anything does.
    let call: Call?
    /// Whether the reply has begun, so that its end is trailers alone.
    let hasSentHead: Bool
    /// Whether the client may still be sending.
    let isInputOpen: Bool

    /// Of a call whose method was not called, while the client may still be sending.
    fileprivate static var beforeTheCall: Self { Self(call: nil, hasSentHead: false, isInputOpen: true) }
}

/// The server's side of one stream of HTTP/2, which is one call.
///
/// `Call` is whatever the driver keeps for a call that is not answered at once; the machine stores it and hands it back.
struct StreamStateMachine<Call>: ~Copyable {
    private struct Running {
        let call: Call
        var isInputOpen: Bool
        var hasSentHead = false

        var ending: CallEnding<Call> {
            CallEnding(call: self.call, hasSentHead: self.hasSentHead, isInputOpen: self.isInputOpen)
        }
    }

    private enum State: ~Copyable {
        case waitingForHeaders
        /// Waits for the one message and the end of the input.
        case collecting(hasMessage: Bool)
        /// Has all of its input; its method is being asked.
        case calling
        case running(Running)
        /// The reply is complete.
        case ended
    }

    private var state: State

    init() {
        self = Self(.waitingForHeaders)
    }

    private init(_ state: consuming State) {
        self.state = state
    }

    private static func collecting(hasMessage: Bool) -> Self { Self(.collecting(hasMessage: hasMessage)) }
    private static func running(_ running: Running) -> Self { Self(.running(running)) }
    private static var waitingForHeaders: Self { Self(.waitingForHeaders) }
    private static var calling: Self { Self(.calling) }
    private static var ended: Self { Self(.ended) }
}

// MARK: - Input

extension StreamStateMachine {
    enum CallReceived: Equatable {
        /// Wait for its message.
        case collect
        /// Start the call, and say so with ``callStarted(_:isInputOpen:)``.
        case start
        case ignore
    }

    /// Headers opened a call.
    mutating func callReceived(_ shape: InputShape) -> CallReceived {
        switch consume self.state {
        case .waitingForHeaders:
            switch shape {
            case .one:
                self = .collecting(hasMessage: false)
                return .collect
            case .many:
                self = .calling
                return .start
            }
        case .collecting(let hasMessage):
            self = .collecting(hasMessage: hasMessage)
            return .ignore
        case .calling:
            self = .calling
            return .ignore
        case .running(let running):
            self = .running(running)
            return .ignore
        case .ended:
            self = .ended
            return .ignore
        }
    }

    enum MessageReceived {
        /// Keep it until the input ends.
        case keep
        case deliver(Call)
        case refuse(InputRefusal, CallEnding<Call>)
        case ignore
    }

    /// A whole message came in.
    mutating func messageReceived() -> MessageReceived {
        switch consume self.state {
        case .waitingForHeaders:
            self = .waitingForHeaders
            return .ignore
        case .collecting(hasMessage: false):
            self = .collecting(hasMessage: true)
            return .keep
        case .collecting(hasMessage: true):
            self = .ended
            return .refuse(.secondMessage, .beforeTheCall)
        case .calling:
            self = .calling
            return .ignore
        case .running(let running):
            self = .running(running)
            return running.isInputOpen ? .deliver(running.call) : .ignore
        case .ended:
            self = .ended
            return .ignore
        }
    }

    enum InputEnded {
        /// Call the method with the message that was kept.
        case call
        /// Tell the call that no message follows.
        case finish(Call)
        case refuse(InputRefusal, CallEnding<Call>)
        case ignore
    }

    /// The client half-closed the stream.
    ///
    /// - Parameter isInsideMessage: Whether bytes of a message that never came to its end were left.
    mutating func inputEnded(isInsideMessage: Bool) -> InputEnded {
        switch consume self.state {
        case .waitingForHeaders:
            self = .waitingForHeaders
            return .ignore
        case .collecting(let hasMessage):
            guard hasMessage, !isInsideMessage else {
                self = .ended
                return .refuse(
                    isInsideMessage ? .partialMessage : .noMessage,
                    CallEnding(call: nil, hasSentHead: false, isInputOpen: false)
                )
            }
            self = .calling
            return .call
        case .calling:
            self = .calling
            return .ignore
        case .running(var running):
            guard running.isInputOpen else {
                self = .running(running)
                return .ignore
            }
            running.isInputOpen = false
            guard !isInsideMessage else {
                self = .ended
                return .refuse(.partialMessage, running.ending)
            }
            self = .running(running)
            return .finish(running.call)
        case .ended:
            self = .ended
            return .ignore
        }
    }

    enum InputFailed {
        case refuse(CallEnding<Call>)
        case ignore
    }

    /// What came in is no acceptable message; the call ends.
    mutating func inputFailed() -> InputFailed {
        switch consume self.state {
        case .waitingForHeaders:
            self = .ended
            return .refuse(.beforeTheCall)
        case .collecting:
            self = .ended
            return .refuse(.beforeTheCall)
        case .calling:
            self = .calling
            return .ignore
        case .running(let running):
            self = .ended
            return .refuse(running.ending)
        case .ended:
            self = .ended
            return .ignore
        }
    }
}

// MARK: - Calls and replies

extension StreamStateMachine {
    /// The method answers later; `call` is kept until it does.
    ///
    /// - Precondition: the machine has said that the method be called or started.
    mutating func callStarted(_ call: Call, isInputOpen: Bool) {
        switch consume self.state {
        case .calling:
            self = .running(Running(call: call, isInputOpen: isInputOpen))
        default:
            preconditionFailure("A call starts once, after its headers.")
        }
    }

    enum HeadSent: Equatable {
        case send
        /// The reply has begun, or is over.
        case drop
    }

    /// The method has written what goes before the messages of its stream.
    mutating func headSent() -> HeadSent {
        // A first message would send it, too.
        self.messageSent() == .send(withHead: true) ? .send : .drop
    }

    /// Whether the reply of a call that is not over has begun.
    var hasSentHead: Bool {
        switch self.state {
        case .running(let running): running.hasSentHead
        default: false
        }
    }

    enum MessageSent: Equatable {
        case send(withHead: Bool)
        /// The call is over.
        case drop
    }

    /// The method has written a message of its stream.
    mutating func messageSent() -> MessageSent {
        switch consume self.state {
        case .running(var running):
            let withHead = !running.hasSentHead
            running.hasSentHead = true
            self = .running(running)
            return .send(withHead: withHead)
        case .waitingForHeaders:
            self = .waitingForHeaders
            return .drop
        case .collecting(let hasMessage):
            self = .collecting(hasMessage: hasMessage)
            return .drop
        case .calling:
            self = .calling
            return .drop
        case .ended:
            self = .ended
            return .drop
        }
    }

    enum CallEnded {
        case answer(CallEnding<Call>)
        /// The call was over before.
        case drop
    }

    /// The call has its outcome: from its method, from its deadline, or because its headers are refused.
    mutating func callEnded() -> CallEnded {
        switch consume self.state {
        case .waitingForHeaders:
            self = .ended
            return .answer(.beforeTheCall)
        case .collecting:
            self = .ended
            return .answer(.beforeTheCall)
        case .calling:
            self = .ended
            return .answer(CallEnding(call: nil, hasSentHead: false, isInputOpen: false))
        case .running(let running):
            self = .ended
            return .answer(running.ending)
        case .ended:
            self = .ended
            return .drop
        }
    }

    /// The stream is gone: returns the call to give up, if one runs.
    mutating func streamClosed() -> Call? {
        switch consume self.state {
        case .running(let running):
            self = .ended
            return running.call
        default:
            self = .ended
            return nil
        }
    }
}
