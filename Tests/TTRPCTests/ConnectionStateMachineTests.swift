import RPC
import Testing

@testable import TTRPC

/// Every event in every state. Calls are named by letters; an action is written as a word with what it carries.
@Suite struct ConnectionStateMachineTests {
    private typealias Machine = ConnectionStateMachine<String>

    /// The states, each with the calls that are open in it: `d` deferred on 1, `b` a stream on 3 whose input is open,
    /// `s` a stream on 5 whose input has ended. Stream 7 has ended before.
    enum State: CaseIterable {
        case idle, serving, draining, finishing, closed
    }

    private static func withMachine<Result>(_ state: State, _ body: (inout Machine) -> Result) -> Result {
        var machine = Machine(callCountMax: 4, queuedOutputByteCountMax: 1_000)
        _ = machine.immediateRequestReceived(StreamID(7))
        if state != .idle {
            _ = machine.requestReceived(StreamID(1), .deferred, isInputOpen: false) { _ in "d" }
            _ = machine.requestReceived(StreamID(3), .stream(.bidirectional), isInputOpen: true) { _ in "b" }
            _ = machine.requestReceived(StreamID(5), .stream(.server), isInputOpen: false) { _ in "s" }
        }
        switch state {
        case .idle, .serving: break
        case .draining: _ = machine.drainStarted()
        case .finishing: _ = machine.inputClosed()
        case .closed: _ = machine.connectionClosed()
        }
        return body(&machine)
    }

    private static func key(_ id: UInt32, _ sequence: UInt64) -> CallKey {
        CallKey(streamID: StreamID(id), sequence: sequence)
    }

    // MARK: Events

    enum Event: Hashable, CaseIterable {
        case immediateOnNewID, immediateOnEvenID, immediateOnActiveID, immediateOnFinishedID
        case requestOnNewID, requestOnEvenID, requestOnActiveID
        case messageOnOpenStream, lastMessageOnOpenStream, messageOnClosedStream, noDataOnClosedStream
        case messageOnUnaryCall, messageOnFinishedStream, messageOnUnknownStream
        case oversizeMessageOnOpenStream, oversizeMessageOnFinishedStream, oversizeRequest, oversizeRequestOnActiveID
        case callEnded, callEndedWithOldKey, messageSentByOpenCall
        case littleOutput, muchOutput, muchRefusal, tooMuchRefusal
        case inputClosed, drainStarted, connectionClosed
    }

    private static func action(_ event: Event, _ machine: inout Machine) -> String {
        switch event {
        case .immediateOnNewID: Self.describe(machine.immediateRequestReceived(StreamID(9)))
        case .immediateOnEvenID: Self.describe(machine.immediateRequestReceived(StreamID(2)))
        case .immediateOnActiveID: Self.describe(machine.immediateRequestReceived(StreamID(3)))
        case .immediateOnFinishedID: Self.describe(machine.immediateRequestReceived(StreamID(7)))
        case .requestOnNewID: Self.request(9, &machine)
        case .requestOnEvenID: Self.request(2, &machine)
        case .requestOnActiveID: Self.request(3, &machine)
        case .messageOnOpenStream: Self.data(3, isLast: false, &machine)
        case .lastMessageOnOpenStream: Self.data(3, isLast: true, &machine)
        case .messageOnClosedStream: Self.data(5, isLast: false, &machine)
        case .noDataOnClosedStream: Self.data(5, hasMessage: false, isLast: true, &machine)
        case .messageOnUnaryCall: Self.data(1, isLast: false, &machine)
        case .messageOnFinishedStream: Self.data(7, isLast: false, &machine)
        case .messageOnUnknownStream: Self.data(11, isLast: false, &machine)
        case .oversizeMessageOnOpenStream: Self.oversize(3, isRequest: false, &machine)
        case .oversizeMessageOnFinishedStream: Self.oversize(7, isRequest: false, &machine)
        case .oversizeRequest: Self.oversize(9, isRequest: true, &machine)
        case .oversizeRequestOnActiveID: Self.oversize(3, isRequest: true, &machine)
        case .callEnded: Self.describe(machine.callEnded(Self.key(1, 0)))
        case .callEndedWithOldKey: Self.describe(machine.callEnded(Self.key(1, 99)))
        case .messageSentByOpenCall: machine.isOpen(Self.key(5, 2)) ? "send" : "drop"
        case .littleOutput: Self.output(1_000, isRefusal: false, &machine)
        case .muchOutput: Self.output(1_001, isRefusal: false, &machine)
        case .muchRefusal: Self.output(1_001, isRefusal: true, &machine)
        case .tooMuchRefusal: Self.output(1_001 + Machine.refusalByteCountReserve, isRefusal: true, &machine)
        case .inputClosed: Self.describe(machine.inputClosed())
        case .drainStarted: "\(machine.drainStarted())"
        case .connectionClosed: "abandon \(machine.connectionClosed().sorted())"
        }
    }

    private static func request(_ id: UInt32, _ machine: inout Machine) -> String {
        let action = machine.requestReceived(StreamID(id), .deferred, isInputOpen: false) { "n\($0.sequence)" }
        return switch action {
        case .start(let call): "start \(call)"
        case .refuse(let refusal): "refuse \(refusal)"
        case .ignore: "ignore"
        }
    }

    private static func data(
        _ id: UInt32, hasMessage: Bool = true, isLast: Bool, _ machine: inout Machine
    ) -> String {
        Self.describe(machine.dataReceived(StreamID(id), hasMessage: hasMessage, isLast: isLast))
    }

    private static func oversize(_ id: UInt32, isRequest: Bool, _ machine: inout Machine) -> String {
        Self.describe(machine.oversizeMessageReceived(StreamID(id), isRequest: isRequest))
    }

    private static func output(_ byteCount: Int, isRefusal: Bool, _ machine: inout Machine) -> String {
        switch machine.outputAppended(queuedByteCount: byteCount, isRefusal: isRefusal) {
        case .keep: "keep"
        case .replace: "replace"
        case .close(let calls): "close \(calls.sorted())"
        }
    }

    private static func describe(_ action: Machine.ImmediateRequestReceived) -> String {
        switch action {
        case .answer: "answer"
        case .refuse(let refusal): "refuse \(refusal)"
        case .ignore: "ignore"
        }
    }

    private static func describe(_ action: Machine.DataReceived) -> String {
        switch action {
        case .deliver(let call, let isLast): isLast ? "deliver last \(call)" : "deliver \(call)"
        case .end(let call, let refusal, let thenClose): "end \(call) \(refusal)\(thenClose ? " close" : "")"
        case .refuse(let refusal): "refuse \(refusal)"
        case .ignore: "ignore"
        }
    }

    private static func describe(_ action: Machine.CallEnded) -> String {
        switch action {
        case .answer(let call, let thenClose): "answer \(call)\(thenClose ? " close" : "")"
        case .drop: "drop"
        }
    }

    private static func describe(_ action: Machine.InputClosed) -> String {
        switch action {
        case .halfClose(let calls): "halfClose \(calls.sorted())"
        case .close: "close"
        case .ignore: "ignore"
        }
    }

    // MARK: The table

    /// What each event brings in the states idle, serving, draining, finishing and closed.
    private static let table: [Event: [String]] = [
        .immediateOnNewID: ["answer", "answer", "refuse draining", "ignore", "ignore"],
        .immediateOnEvenID: ["refuse evenStreamID", "refuse evenStreamID", "refuse draining", "ignore", "ignore"],
        .immediateOnActiveID: ["answer", "refuse activeStreamID", "refuse draining", "ignore", "ignore"],
        .immediateOnFinishedID: ["answer", "answer", "refuse draining", "ignore", "ignore"],
        .requestOnNewID: ["start n0", "start n3", "refuse draining", "ignore", "ignore"],
        .requestOnEvenID: ["refuse evenStreamID", "refuse evenStreamID", "refuse draining", "ignore", "ignore"],
        .requestOnActiveID: ["start n0", "refuse activeStreamID", "refuse draining", "ignore", "ignore"],
        .messageOnOpenStream: ["refuse unknownStream", "deliver b", "deliver b", "ignore", "ignore"],
        .lastMessageOnOpenStream: ["refuse unknownStream", "deliver last b", "deliver last b", "ignore", "ignore"],
        .messageOnClosedStream: [
            "refuse unknownStream", "end s dataAfterHalfClose", "end s dataAfterHalfClose", "ignore", "ignore",
        ],
        .noDataOnClosedStream: ["refuse unknownStream", "ignore", "ignore", "ignore", "ignore"],
        .messageOnUnaryCall: [
            "refuse unknownStream", "end d dataOnUnaryCall", "end d dataOnUnaryCall", "ignore", "ignore",
        ],
        .messageOnFinishedStream: ["ignore", "ignore", "ignore", "ignore", "ignore"],
        .messageOnUnknownStream: [
            "refuse unknownStream", "refuse unknownStream", "refuse unknownStream", "ignore", "ignore",
        ],
        .oversizeMessageOnOpenStream: [
            "refuse oversizeMessage", "end b oversizeMessage", "end b oversizeMessage", "ignore", "ignore",
        ],
        .oversizeMessageOnFinishedStream: ["ignore", "ignore", "ignore", "ignore", "ignore"],
        .oversizeRequest: [
            "refuse oversizeMessage", "refuse oversizeMessage", "refuse oversizeMessage", "ignore", "ignore",
        ],
        .oversizeRequestOnActiveID: [
            "refuse oversizeMessage", "refuse activeStreamID", "refuse activeStreamID", "ignore", "ignore",
        ],
        .callEnded: ["drop", "answer d", "answer d", "answer d", "drop"],
        .callEndedWithOldKey: ["drop", "drop", "drop", "drop", "drop"],
        .messageSentByOpenCall: ["drop", "send", "send", "send", "drop"],
        .littleOutput: ["keep", "keep", "keep", "keep", "keep"],
        .muchOutput: ["replace", "replace", "replace", "replace", "keep"],
        .muchRefusal: ["keep", "keep", "keep", "keep", "keep"],
        .tooMuchRefusal: [
            "close []", #"close ["b", "d", "s"]"#, #"close ["b", "d", "s"]"#, #"close ["b", "d", "s"]"#, "keep",
        ],
        .inputClosed: ["close", #"halfClose ["b"]"#, #"halfClose ["b"]"#, "ignore", "ignore"],
        .drainStarted: ["close", "wait", "wait", "wait", "wait"],
        .connectionClosed: [
            "abandon []", #"abandon ["b", "d", "s"]"#, #"abandon ["b", "d", "s"]"#, #"abandon ["b", "d", "s"]"#,
            "abandon []",
        ],
    ]

    @Test(arguments: Event.allCases) func everyEventHasItsActionInEveryState(event: Event) throws {
        let expected = try #require(Self.table[event], "The table has no row for \(event).")
        let actions = State.allCases.map { state in
            Self.withMachine(state) { Self.action(event, &$0) }
        }
        #expect(actions == expected)
    }

    // MARK: Walks

    @Test(arguments: [State.draining, .finishing]) func connectionClosesWithItsLastCall(state: State) {
        Self.withMachine(state) { machine in
            #expect(Self.describe(machine.callEnded(Self.key(1, 0))) == "answer d")
            #expect(Self.describe(machine.callEnded(Self.key(1, 0))) == "drop")
            #expect(Self.describe(machine.callEnded(Self.key(5, 2))) == "answer s")
            #expect(Self.describe(machine.callEnded(Self.key(3, 1))) == "answer b close")
            #expect(Self.action(.immediateOnNewID, &machine) == "ignore")
        }
    }

    @Test func refusedLastCallClosesADrainingConnection() {
        for event in [Event.messageOnUnaryCall, .oversizeMessageOnOpenStream] {
            Self.withMachine(.draining) { machine in
                _ = machine.callEnded(Self.key(5, 2))
                _ = machine.callEnded(event == .messageOnUnaryCall ? Self.key(3, 1) : Self.key(1, 0))
                #expect(Self.action(event, &machine).hasSuffix(" close"))
                #expect(Self.action(.drainStarted, &machine) == "wait")
            }
        }
    }

    @Test func streamIsHalfClosedOnce() {
        Self.withMachine(.serving) { machine in
            #expect(Self.data(3, isLast: true, &machine) == "deliver last b")
            #expect(Self.data(3, hasMessage: false, isLast: true, &machine) == "ignore")
            #expect(Self.describe(machine.inputClosed()) == "halfClose []")
        }
    }

    @Test func callsAreCountedWhileTheyAreOpen() {
        Self.withMachine(.serving) { machine in
            #expect(Self.request(9, &machine) == "start n3")
            #expect(Self.request(11, &machine) == "refuse tooManyCalls")
            #expect(Self.describe(machine.immediateRequestReceived(StreamID(13))) == "refuse tooManyCalls")
            #expect(Self.data(11, isLast: false, &machine) == "ignore")
            _ = machine.callEnded(Self.key(9, 3))
            #expect(Self.request(11, &machine) == "start n4")
        }
    }

    @Test func lateOutcomeDoesNotAnswerTheNextCallOfItsStream() {
        Self.withMachine(.serving) { machine in
            #expect(Self.data(1, isLast: false, &machine) == "end d dataOnUnaryCall")
            #expect(Self.request(1, &machine) == "start n3")
            #expect(Self.describe(machine.callEnded(Self.key(1, 0))) == "drop")
            #expect(Self.describe(machine.callEnded(Self.key(1, 3))) == "answer n3")
        }
    }

    @Test func unknownStreamIsRefusedOnce() {
        Self.withMachine(.idle) { machine in
            #expect(Self.data(11, isLast: false, &machine) == "refuse unknownStream")
            #expect(Self.data(11, isLast: false, &machine) == "ignore")
        }
    }
}
