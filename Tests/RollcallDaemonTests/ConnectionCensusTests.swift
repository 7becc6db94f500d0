@testable import RollcallDaemon
import Testing

@Suite struct ConnectionCensusTests {
    @Test func theGlobalLimitCountsEverybody() {
        var census = ConnectionCensus(countMax: 2, countMaxPerUser: 2)
        #expect(census.arrived(1) == nil)
        #expect(census.arrived(2) == nil)
        #expect(census.arrived(3) == .tooMany)
        census.left(1)
        #expect(census.arrived(3) == nil)
    }

    @Test func oneUserCannotTakeEveryPlace() {
        var census = ConnectionCensus(countMax: 3, countMaxPerUser: 2)
        #expect(census.arrived(1) == nil)
        #expect(census.arrived(1) == nil)
        #expect(census.arrived(1) == .tooManyOfUser)
        #expect(census.arrived(2) == nil)
        #expect(census.count == 3)
    }

    @Test func nobodyArrivesDuringADrainButEverybodyMayLeave() {
        var census = ConnectionCensus(countMax: 3, countMaxPerUser: 3)
        #expect(census.arrived(1) == nil)
        census.drainStarted()
        #expect(census.arrived(1) == .draining)
        census.left(1)
        #expect(census.count == 0)
    }
}
