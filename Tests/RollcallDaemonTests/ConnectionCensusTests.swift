import DeviceModel
import RPC
@testable import RollcallDaemon
import Testing

@Suite struct ConnectionCensusTests {
    private static let daemonUser: UInt32 = 900

    private func census(_ countMax: Int, perUser: Int, _ change: (inout Limits) -> Void = { _ in }) -> ConnectionCensus
    {
        var limits = Limits()
        (limits.connectionCountMax, limits.connectionCountMaxPerUser) = (countMax, perUser)
        change(&limits)
        return ConnectionCensus(limits, userID: Self.daemonUser)
    }

    private func peer(_ userID: UInt32, process: Int32 = 1) -> Peer {
        Peer(userID: userID, groupID: 0, processID: process)
    }

    @Test func theGlobalLimitCountsEverybody() {
        var census = self.census(2, perUser: 2)
        #expect(census.arrived(self.peer(1)) == nil)
        #expect(census.arrived(self.peer(2)) == nil)
        #expect(census.arrived(self.peer(3)) == .tooMany(countMax: 2))
        census.left(self.peer(1))
        #expect(census.arrived(self.peer(3)) == nil)
    }

    @Test func oneUserCannotTakeEveryPlace() {
        var census = self.census(3, perUser: 2)
        #expect(census.arrived(self.peer(1)) == nil)
        #expect(census.arrived(self.peer(1)) == nil)
        #expect(census.arrived(self.peer(1)) == .tooManyOfUser(countMax: 2))
        #expect(census.arrived(self.peer(2)) == nil)
        #expect(census.count == 3)
    }

    @Test func nobodyArrivesDuringADrainButEverybodyMayLeave() {
        var census = self.census(3, perUser: 3)
        #expect(census.arrived(self.peer(1)) == nil)
        census.drainStarted()
        #expect(census.arrived(self.peer(1)) == .draining)
        census.left(self.peer(1))
        #expect(census.count == 0)
    }

    /// Of 64 places 16 are for users who hold fewer than 4, and the last 4 of those for processes of root and the daemon.
    @Test func whoHoldsHardlyAnyConnectionFindsAPlaceBesideAUserWhoHoldsTheRest() {
        var census = self.census(64, perUser: 64) {
            ($0.connectionReserveCount, $0.connectionOperatorReserveCount) = (16, 4)
            $0.connectionAssuredCountPerUser = 4
        }
        for _ in 0..<48 { #expect(census.arrived(self.peer(1)) == nil) }
        #expect(census.arrived(self.peer(1)) == .tooMany(countMax: 64))
        for user in 2...4 as ClosedRange<UInt32> {
            for _ in 0..<4 { #expect(census.arrived(self.peer(user)) == nil) }
            #expect(census.arrived(self.peer(user)) == .tooMany(countMax: 64))
        }
        #expect(census.count == 60)
        #expect(census.arrived(self.peer(5)) == .tooMany(countMax: 64))
        #expect(census.arrived(self.peer(0, process: 2)) == nil)
        #expect(census.arrived(self.peer(Self.daemonUser, process: 3)) == nil)
        census.left(self.peer(1))
        #expect(census.arrived(self.peer(5)) == .tooMany(countMax: 64), "61 and 3 for operators make 64.")
    }

    @Test func aProcessOfRootLeavesPlacesToItsOther() {
        var census = self.census(64, perUser: 64) {
            ($0.connectionReserveCount, $0.connectionOperatorReserveCount) = (16, 4)
            $0.connectionAssuredCountPerUser = 4
        }
        for _ in 0..<48 { #expect(census.arrived(self.peer(0, process: 7)) == nil) }
        #expect(census.arrived(self.peer(0, process: 7)) == .tooMany(countMax: 64))
        #expect(census.arrived(self.peer(0, process: 8)) == nil)
    }
}
