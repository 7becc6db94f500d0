import DeviceModel
import DeviceQuery
import DeviceRegistry
import RollcallTesting
import Testing

@Suite struct StoreFaultTests {
    @Test func writesGoOnWhenTheStoreTakesThemAgain() async throws {
        let fixture = try RegistryFixture()
        fixture.store.fail(.unavailable)
        let error = await #expect(throws: RegistryError.self) { try await fixture.create("A1") }
        #expect(error?.code == .unavailable)
        #expect(error?.reason == .storeUnavailable)
        #expect(fixture.visible("A1") == nil)
        #expect(try await fixture.create("A1").id == 1)
    }

    @Test(arguments: [true, false])
    func unknownOutcomeIsSettledByReopening(isLanded: Bool) async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A0")
        fixture.store.fail(.outcomeUnknown(isLanded: isLanded))
        let error = await #expect(throws: RegistryError.self) { try await fixture.create("A1") }
        #expect(error?.reason == .storeUnavailable)
        // Reads go on, and see nothing that is not known to be durable.
        #expect(fixture.visible("A0") != nil)
        #expect(fixture.visible("A1") == nil)
        let next = try await fixture.create("A2")
        #expect(next.id == (isLanded ? 3 : 2))
        #expect((fixture.visible("A1") != nil) == isLanded)
        let restarted = try fixture.restarted()
        #expect((restarted.visible("A1") != nil) == isLanded)
        #expect(restarted.visible("A2")?.id == next.id)
    }

    @Test func writesAreRefusedUntilReopeningSucceeds() async throws {
        let fixture = try RegistryFixture()
        fixture.store.fail(.outcomeUnknown(isLanded: false))
        fixture.store.failReopenings(next: 2)
        for _ in 0..<3 {
            let error = await #expect(throws: RegistryError.self) { try await fixture.create("A1") }
            #expect(error?.reason == .storeUnavailable)
        }
        #expect(try await fixture.create("A1").id == 1)
    }

    @Test func anotherWriterEndsAllWriting() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A0")
        fixture.store.fail(.conflict)
        for _ in 0..<2 {
            let error = await #expect(throws: RegistryError.self) { try await fixture.create("A1") }
            #expect(error?.reason == .storeUnavailable)
        }
        #expect(fixture.visible("A0") != nil)
    }
}
