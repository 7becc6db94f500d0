import RPC
import Testing

@testable import TTRPC

/// Every event in every state of the client's side. Calls are named by letters.
@Suite struct ClientStateMachineTests {
    private typealias Machine = ClientStateMachine<String>

    enum State: CaseIterable {
        case idle, connected, closed
    }

    /// Open calls: `u` unary on 1, `b` bidirectional on 3 and `s` a server stream on 5.
    private static func withMachine<Result>(_ state: State, _ body: (inout Machine) -> Result) -> Result {
        var machine = Machine()
        if state != .idle {
            _ = machine.callStarted(.unary) { _ in "u" }
            _ = machine.callStarted(.stream(.bidirectional)) { _ in "b" }
            _ = machine.callStarted(.stream(.server)) { _ in "s" }
        }
        if state == .closed {
            _ = machine.connectionClosed()
        }
        return body(&machine)
    }

    enum Event: Hashable, CaseIterable {
        case callStarted
        case messageWrittenOnBidi, messageWrittenOnUnary, lastWrittenOnBidi
        case unaryAbandoned, bidiAbandoned, unknownAbandoned
        case responseOnUnary, responseOnUnknown
        case dataOnBidi, lastDataOnServerStream, dataOnUnary, dataOnUnknown
        case connectionClosed
    }

    private static func action(_ event: Event, _ machine: inout Machine) -> String {
        switch event {
        case .callStarted:
            switch machine.callStarted(.unary, { "n\($0)" }) {
            case .send(let id): "send \(id)"
            case .refuse: "refuse"
            }
        case .messageWrittenOnBidi: "\(machine.outputWritten(StreamID(3), isLast: false))"
        case .messageWrittenOnUnary: "\(machine.outputWritten(StreamID(1), isLast: false))"
        case .lastWrittenOnBidi: "\(machine.outputWritten(StreamID(3), isLast: true))"
        case .unaryAbandoned: Self.describe(machine.callAbandoned(StreamID(1)))
        case .bidiAbandoned: Self.describe(machine.callAbandoned(StreamID(3)))
        case .unknownAbandoned: Self.describe(machine.callAbandoned(StreamID(0)))
        case .responseOnUnary: Self.describe(machine.responseReceived(StreamID(1)))
        case .responseOnUnknown: Self.describe(machine.responseReceived(StreamID(99)))
        case .dataOnBidi: Self.describe(machine.dataReceived(StreamID(3), isLast: false))
        case .lastDataOnServerStream: Self.describe(machine.dataReceived(StreamID(5), isLast: true))
        case .dataOnUnary: Self.describe(machine.dataReceived(StreamID(1), isLast: false))
        case .dataOnUnknown: Self.describe(machine.dataReceived(StreamID(99), isLast: true))
        case .connectionClosed: "\(machine.connectionClosed().sorted())"
        }
    }

    private static func describe(_ action: Machine.CallAbandoned) -> String {
        switch action {
        case .halfClose(let call): "halfClose \(call)"
        case .forget(let call): "forget \(call)"
        case .ignore: "ignore"
        }
    }

    private static func describe(_ action: Machine.ResponseReceived) -> String {
        switch action {
        case .finish(let call): "finish \(call)"
        case .ignore: "ignore"
        }
    }

    private static func describe(_ action: Machine.DataReceived) -> String {
        switch action {
        case .deliver(let call, let isLast): isLast ? "deliver last \(call)" : "deliver \(call)"
        case .fail(let call): "fail \(call)"
        case .ignore: "ignore"
        }
    }

    /// What each event brings in the states idle, connected and closed.
    private static let table: [Event: [String]] = [
        .callStarted: ["send 1", "send 7", "refuse"],
        .messageWrittenOnBidi: ["drop", "send", "drop"],
        .messageWrittenOnUnary: ["drop", "drop", "drop"],
        .lastWrittenOnBidi: ["drop", "send", "drop"],
        .unaryAbandoned: ["ignore", "forget u", "ignore"],
        .bidiAbandoned: ["ignore", "halfClose b", "ignore"],
        .unknownAbandoned: ["ignore", "ignore", "ignore"],
        .responseOnUnary: ["ignore", "finish u", "ignore"],
        .responseOnUnknown: ["ignore", "ignore", "ignore"],
        .dataOnBidi: ["ignore", "deliver b", "ignore"],
        .lastDataOnServerStream: ["ignore", "deliver last s", "ignore"],
        .dataOnUnary: ["ignore", "fail u", "ignore"],
        .dataOnUnknown: ["ignore", "ignore", "ignore"],
        .connectionClosed: ["[]", #"["b", "s", "u"]"#, "[]"],
    ]

    @Test(arguments: Event.allCases) func everyEventHasItsActionInEveryState(event: Event) throws {
        let expected = try #require(Self.table[event], "The table has no row for \(event).")
        let actions = State.allCases.map { state in
            Self.withMachine(state) { Self.action(event, &$0) }
        }
        #expect(actions == expected)
    }

    @Test func nothingFollowsTheHalfClose() {
        Self.withMachine(.connected) { machine in
            #expect(Self.action(.lastWrittenOnBidi, &machine) == "send")
            #expect(Self.action(.lastWrittenOnBidi, &machine) == "drop")
            #expect(Self.action(.messageWrittenOnBidi, &machine) == "drop")
            #expect(Self.action(.bidiAbandoned, &machine) == "forget b")
        }
    }

    @Test(arguments: [Event.unaryAbandoned, .responseOnUnary, .dataOnUnary])
    func endedCallHearsNothingMore(event: Event) {
        Self.withMachine(.connected) { machine in
            _ = Self.action(event, &machine)
            #expect(Self.action(.responseOnUnary, &machine) == "ignore")
            #expect(Self.action(.dataOnUnary, &machine) == "ignore")
        }
    }
}
