import NIOCore
import NIOEmbedded
import RPC
import Testing

@Suite struct LoopTurnTests {
    @Test func aTurnIsOverAfterItsTimeAndTheNextOneBegins() {
        let (loop, turn) = (EmbeddedEventLoop(), LoopTurn())
        #expect(!turn.isOver(1_000))
        turn.called(since: .now() - .nanoseconds(400), on: loop)
        turn.called(since: .now() - .microseconds(1), on: loop)
        #expect(turn.isOver(1_000))
        loop.run()
        #expect(!turn.isOver(1_000))
    }
}
