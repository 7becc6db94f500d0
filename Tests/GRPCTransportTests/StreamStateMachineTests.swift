import RPC
import Testing

@testable import GRPCTransport

/// Every event in every state. A call is a letter; an action is written as a word with what it carries.
@Suite struct StreamStateMachineTests {
    private typealias Machine = StreamStateMachine<String>

    enum State: CaseIterable {
        /// Nothing has come.
        case waiting
        /// One message is waited for; it has come, but not the end.
        case empty, collected
        /// The method is being asked.
        case calling
        /// A call that takes many messages: open, half-closed, with its reply begun.
        case open, halfClosed, replying
        case ended
    }

    enum Event: CaseIterable {
        case callOfOne, callOfMany, message, inputEnd, inputEndInsideMessage, badInput, headSent, messageSent,
            callEnded, closed
    }

    private static func withMachine<Result>(_ state: State, _ body: (inout Machine) -> Result) -> Result {
        var machine = Machine()
        switch state {
        case .waiting: break
        case .empty: _ = machine.callReceived(.one)
        case .collected:
            _ = machine.callReceived(.one)
            _ = machine.messageReceived()
        case .calling: _ = machine.callReceived(.many)
        case .open, .halfClosed, .replying:
            _ = machine.callReceived(.many)
            machine.callStarted("c", isInputOpen: true)
            if state == .halfClosed { _ = machine.inputEnded(isInsideMessage: false) }
            if state == .replying { _ = machine.messageSent() }
        case .ended:
            _ = machine.callReceived(.one)
            _ = machine.callEnded()
        }
        return body(&machine)
    }

    private static func action(_ event: Event, _ machine: inout Machine) -> String {
        switch event {
        case .callOfOne: return "\(machine.callReceived(.one))"
        case .callOfMany: return "\(machine.callReceived(.many))"
        case .message:
            switch machine.messageReceived() {
            case .keep: return "keep"
            case .deliver(let call): return "deliver \(call)"
            case .refuse(let refusal, let ending): return "\(refusal) \(Self.describe(ending))"
            case .ignore: return "ignore"
            }
        case .inputEnd, .inputEndInsideMessage:
            switch machine.inputEnded(isInsideMessage: event == .inputEndInsideMessage) {
            case .call: return "call"
            case .finish(let call): return "finish \(call)"
            case .refuse(let refusal, let ending): return "\(refusal) \(Self.describe(ending))"
            case .ignore: return "ignore"
            }
        case .badInput:
            switch machine.inputFailed() {
            case .refuse(let ending): return Self.describe(ending)
            case .ignore: return "ignore"
            }
        case .headSent: return "\(machine.headSent())"
        case .messageSent:
            switch machine.messageSent() {
            case .send(let withHead): return withHead ? "send with head" : "send"
            case .drop: return "drop"
            }
        case .callEnded:
            switch machine.callEnded() {
            case .answer(let ending): return Self.describe(ending)
            case .drop: return "drop"
            }
        case .closed: return machine.streamClosed() ?? "-"
        }
    }

    /// What to tell: the call, and whether the head was sent and the input is open.
    private static func describe(_ ending: CallEnding<String>) -> String {
        "end \(ending.call ?? "-")\(ending.hasSentHead ? " head" : "")\(ending.isInputOpen ? " open" : "")"
    }

    private static let table: [State: [Event: String]] = [
        .waiting: [
            .callOfOne: "collect", .callOfMany: "start", .message: "ignore", .inputEnd: "ignore",
            .inputEndInsideMessage: "ignore", .badInput: "end - open", .headSent: "drop", .messageSent: "drop",
            .callEnded: "end - open",
            .closed: "-",
        ],
        .empty: [
            .callOfOne: "ignore", .callOfMany: "ignore", .message: "keep", .inputEnd: "noMessage end -",
            .inputEndInsideMessage: "partialMessage end -", .badInput: "end - open", .headSent: "drop",
            .messageSent: "drop",
            .callEnded: "end - open", .closed: "-",
        ],
        .collected: [
            .callOfOne: "ignore", .callOfMany: "ignore", .message: "secondMessage end - open", .inputEnd: "call",
            .inputEndInsideMessage: "partialMessage end -", .badInput: "end - open", .headSent: "drop",
            .messageSent: "drop",
            .callEnded: "end - open", .closed: "-",
        ],
        .calling: [
            .callOfOne: "ignore", .callOfMany: "ignore", .message: "ignore", .inputEnd: "ignore",
            .inputEndInsideMessage: "ignore", .badInput: "ignore", .headSent: "drop", .messageSent: "drop",
            .callEnded: "end -",
            .closed: "-",
        ],
        .open: [
            .callOfOne: "ignore", .callOfMany: "ignore", .message: "deliver c", .inputEnd: "finish c",
            .inputEndInsideMessage: "partialMessage end c", .badInput: "end c open", .headSent: "send",
            .messageSent: "send with head",
            .callEnded: "end c open", .closed: "c",
        ],
        .halfClosed: [
            .callOfOne: "ignore", .callOfMany: "ignore", .message: "ignore", .inputEnd: "ignore",
            .inputEndInsideMessage: "ignore", .badInput: "end c", .headSent: "send", .messageSent: "send with head",
            .callEnded: "end c",
            .closed: "c",
        ],
        .replying: [
            .callOfOne: "ignore", .callOfMany: "ignore", .message: "deliver c", .inputEnd: "finish c",
            .inputEndInsideMessage: "partialMessage end c head", .badInput: "end c head open", .headSent: "drop",
            .messageSent: "send",
            .callEnded: "end c head open", .closed: "c",
        ],
        .ended: [
            .callOfOne: "ignore", .callOfMany: "ignore", .message: "ignore", .inputEnd: "ignore",
            .inputEndInsideMessage: "ignore", .badInput: "ignore", .headSent: "drop", .messageSent: "drop",
            .callEnded: "drop",
            .closed: "-",
        ],
    ]

    @Test(arguments: State.allCases) func everyEventHasItsAction(state: State) throws {
        for event in Event.allCases {
            let expected = try #require(Self.table[state]?[event], "\(state) \(event)")
            let action = Self.withMachine(state) { Self.action(event, &$0) }
            #expect(action == expected, "\(event) while \(state)")
        }
    }

    @Test(arguments: State.allCases) func nothingFollowsAnEnd(state: State) {
        let actions = Self.withMachine(state) { machine -> [String] in
            _ = machine.callEnded()
            return [Event.message, .inputEnd, .messageSent, .callEnded, .closed].map { Self.action($0, &machine) }
        }
        #expect(actions == ["ignore", "ignore", "drop", "drop", "-"])
    }

    @Test func callAnsweredLaterEndsOnce() {
        var machine = Machine()
        _ = machine.callReceived(.one)
        _ = machine.messageReceived()
        _ = machine.inputEnded(isInsideMessage: false)
        machine.callStarted("d", isInputOpen: false)
        #expect(Self.action(.callEnded, &machine) == "end d")
        #expect(Self.action(.callEnded, &machine) == "drop")
    }
}
