@testable import RPC
import Synchronization
import Testing

@Suite struct ByteLedgerTests {
    private final class Ended: Sendable {
        let names = Mutex<[String]>([])
    }

    private func account(
        _ ledger: ByteLedger, _ name: String, of userID: UInt32, _ ended: Ended
    ) -> ByteAccount {
        ledger.account(userID: userID) { ended.names.withLock { $0.append(name) } }
    }

    @Test func withinTheBoundNobodyIsEndedAndWhatIsReadIsCountedNoMore() {
        let ended = Ended()
        let ledger = ByteLedger(byteCountMax: 100)
        let (first, second) = (
            self.account(ledger, "first", of: 1, ended), self.account(ledger, "second", of: 2, ended)
        )
        first.set(byteCount: 60)
        second.set(byteCount: 40)
        #expect(ledger.byteCount == 100)
        first.set(byteCount: 0)
        second.set(byteCount: 100)
        #expect(ledger.byteCount == 100)
        second.set(byteCount: 0)
        #expect(ledger.byteCount == 0)
        #expect(ended.names.withLock { $0 } == [])
    }

    @Test func overTheBoundTheUserWithTheMostPaysAndNoOther() {
        let ended = Ended()
        let ledger = ByteLedger(byteCountMax: 100)
        let other = self.account(ledger, "other", of: 2, ended)
        other.set(byteCount: 45)
        let accounts = (0..<4).map { self.account(ledger, "\($0)", of: 1, ended) }
        for account in accounts { account.set(byteCount: 20) }
        // The one that waited longest of those with as much.
        #expect(ended.names.withLock { $0 } == ["0", "1"])
        #expect(ledger.byteCount == 85)
        // The other asks for more than its share, and is the one with the most now.
        other.set(byteCount: 70)
        #expect(ended.names.withLock { $0 } == ["0", "1", "other"])
    }

    @Test func ofAUsersConnectionsTheOneThatHoldsTheMostForTheLongestIsEnded() {
        let ended = Ended()
        let told = Mutex<[Int]>([])
        let ledger = ByteLedger(
            byteCountMax: 100, connectionEnded: { _, byteCount in told.withLock { $0.append(byteCount) } })
        let (small, large, newest) = (
            self.account(ledger, "small", of: 1, ended), self.account(ledger, "large", of: 1, ended),
            self.account(ledger, "newest", of: 1, ended)
        )
        large.set(byteCount: 80)
        small.set(byteCount: 1)
        newest.set(byteCount: 60)
        #expect(ended.names.withLock { $0 } == ["large"])
        #expect(told.withLock { $0 } == [80])
    }

    @Test func aUserIsBehindWithMoreThanItsShareAndNoOtherIs() {
        let ended = Ended()
        let ledger = ByteLedger(byteCountMax: 100, byteCountMaxPerUser: 40)
        let (first, second) = (
            self.account(ledger, "first", of: 1, ended), self.account(ledger, "second", of: 2, ended)
        )
        let third = self.account(ledger, "third", of: 1, ended)
        first.set(byteCount: 40)
        second.set(byteCount: 30)
        #expect(!ledger.isBehind(1) && !ledger.isBehind(2))
        third.set(byteCount: 1)
        #expect(ledger.isBehind(1) && !ledger.isBehind(2) && !ledger.isBehind(3))
        first.set(byteCount: 0)
        #expect(!ledger.isBehind(1))
    }

    @Test func whoIsEndedIsEndedOnceAndCountsAgainOnlyAfterItWasGone() {
        let ended = Ended()
        let ledger = ByteLedger(byteCountMax: 100)
        let account = self.account(ledger, "one", of: 1, ended)
        account.set(byteCount: 101)
        account.set(byteCount: 300)
        #expect(ended.names.withLock { $0 } == ["one"])
        #expect(ledger.byteCount == 0)
        account.set(byteCount: 0)
        account.set(byteCount: 7)
        #expect(ledger.byteCount == 7)
    }
}
