import DeviceModel
import DeviceQuery
import DeviceRegistry
import DeviceStore
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

    @Test func afterAnotherWriterEverythingIsReadAgain() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A0")
        try self.createBehindTheRegistry("X1", fixture)
        fixture.store.fail(.conflict)
        let error = await #expect(throws: RegistryError.self) { try await fixture.create("A1") }
        #expect(error?.reason == .storeUnavailable)
        #expect(fixture.visible("X1") == nil)
        #expect(try await fixture.create("A2").id == 3)
        #expect(fixture.visible("X1")?.id == 2)
        #expect(fixture.visible("A0")?.id == 1)
        #expect(fixture.visible("A1") == nil)
        #expect(try fixture.restarted().visible("A2")?.id == 3)
    }

    @Test func refusalsSayWhetherAnythingMayHaveChanged() async throws {
        let fixture = try RegistryFixture()
        fixture.store.fail(.unavailable)
        let rolledBack = await #expect(throws: RegistryError.self) { try await fixture.create("A1") }
        #expect(rolledBack?.message.contains("nothing was changed") == true)
        fixture.store.fail(.outcomeUnknown(isLanded: true))
        fixture.store.failReopenings(next: 1)
        let unknown = await #expect(throws: RegistryError.self) { try await fixture.create("A1") }
        #expect(unknown?.message.contains("unknown; repeat it with the same request_id") == true)
        let refused = await #expect(throws: RegistryError.self) { try await fixture.create("A2") }
        #expect(refused?.message.contains("nothing was changed") == true)
    }

    /// Commits a device to the store as another process would.
    private func createBehindTheRegistry(_ serial: String, _ fixture: RegistryFixture) throws {
        let head = try fixture.store.head()
        var marks = head.highWaterMarks
        marks.revision = marks.revision.next
        marks.device = DeviceID(rawValue: marks.device.rawValue + 1)
        let fields = DeviceFields(
            ownerRef: "other", hardwareVersion: "hw1", cohort: CohortID(rawValue: 1), updatedDate: fixture.clock.now,
            etagRevision: marks.revision)
        let change = DeviceChange(
            revision: marks.revision, kind: .created, project: ProjectID(rawValue: 1), device: marks.device,
            serial: serial, createdDate: fixture.clock.now, fields: Transition(before: nil, after: fields),
            sighting: Transition(before: nil, after: Sighting()))
        try fixture.store.base.commit(
            MutationBatch(
                sequence: head.sequence + 1, time: fixture.clock.now, changes: [.device(change)], requests: [],
                highWaterMarks: marks))
    }
}
