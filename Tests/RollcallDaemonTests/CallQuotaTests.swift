import NIOCore
import RPC
@testable import RollcallDaemon
import Synchronization
import Testing

@Suite struct CallQuotaTests {
    /// A deferred method that keeps its sinks until a test answers or drops them.
    private final class Parked: Sendable {
        let sinks = Mutex<[ReplySink]>([])

        var method: Method {
            Method(
                MethodName(service: "s", method: "m"),
                .deferred { _, _, reply in
                    self.sinks.withLock { $0.append(reply) }
                }
            )
        }
    }

    private final class Outcomes: Sendable {
        let refusals = Mutex<[Status]>([])
    }

    private func call(_ method: Method, userID: UInt32, _ outcomes: Outcomes) {
        guard case .deferred(let run) = method.handler else {
            Issue.record("The method is of another kind now.")
            return
        }
        let context = CallContext(
            peer: Peer(userID: userID, groupID: 0, processID: 0), deadline: .distantFuture, metadata: Metadata()
        )
        let reply = ReplySink(claim: CallClaim()) { result in
            if case .failure(let status) = result {
                outcomes.refusals.withLock { $0.append(status) }
            }
        }
        run(context, UnsafeRawBufferPointer(start: nil, count: 0), reply)
    }

    @Test func callsOverTheQuotaAreRefusedAndOtherUsersAreNot() {
        let quota = CallQuota(countMaxPerUser: 2)
        let parked = Parked()
        let outcomes = Outcomes()
        let method = quota.limiting(parked.method)
        for userID in [1, 1, 1, 2] as [UInt32] {
            self.call(method, userID: userID, outcomes)
        }
        #expect(outcomes.refusals.withLock { $0.map(\.code) } == [.resourceExhausted])
        #expect(quota.count(userID: 1) == 2)
        #expect(quota.count(userID: 2) == 1)
    }

    @Test func anAnswerGivesThePlaceBack() {
        let quota = CallQuota(countMaxPerUser: 1)
        let parked = Parked()
        let outcomes = Outcomes()
        self.call(quota.limiting(parked.method), userID: 1, outcomes)
        parked.sinks.withLock { sinks in
            for sink in sinks {
                sink.fail(.draining)
            }
            sinks = []
        }
        #expect(quota.count(userID: 1) == 0)
    }

    /// The writer drops a call whose caller gave up, and answers nothing.
    @Test func aCallThatIsDroppedGivesThePlaceBack() {
        let quota = CallQuota(countMaxPerUser: 1)
        let parked = Parked()
        self.call(quota.limiting(parked.method), userID: 1, Outcomes())
        #expect(quota.count(userID: 1) == 1)
        parked.sinks.withLock { $0 = [] }
        #expect(quota.count(userID: 1) == 0)
    }
}
