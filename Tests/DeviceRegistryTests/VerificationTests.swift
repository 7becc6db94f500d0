import DeviceModel
import DeviceRegistry
import DeviceStore
import RollcallTesting
import Synchronization
import Testing

/// A store that is looked through at the start: reads go on, changes wait, and a damaged one takes none.
@Suite struct VerificationTests {
    /// A registry whose store holds A0 and is being looked through.
    private func unverified() async throws -> RegistryFixture {
        let fixture = try RegistryFixture()
        try await fixture.create("A0")
        fixture.registry.close()
        fixture.store.requireVerification()
        return try RegistryFixture(store: fixture.store, clock: fixture.clock)
    }

    @Test func readsAreServedAndChangesWaitForTheEndOfIt() async throws {
        let fixture = try await self.unverified()
        #expect(fixture.registry.storeState == .checking)
        #expect(fixture.visible("A0")?.id == 1)
        async let first = fixture.create("A1")
        async let second = fixture.create("A2")
        #expect(fixture.visible("A1") == nil)
        fixture.store.endVerification()
        #expect(try await Set([first.id, second.id]) == [2, 3])
        #expect(fixture.registry.storeState == .ready)
        #expect(fixture.visible("A1") != nil && fixture.visible("A2") != nil)
    }

    @Test func changeWhoseCallerGaveUpMeanwhileIsDropped() async throws {
        let fixture = try await self.unverified()
        let request = MutationRequest(
            project: "default",
            mutation: .createDevice(DeviceCreation(serial: "A1", ownerRef: "o", hardwareVersion: "h")), byteCount: 100)
        fixture.registry.submit(request, claim: { false }, completion: { _ in Issue.record("it was answered") })
        fixture.store.endVerification()
        #expect(try await fixture.create("A2").id == 2)
        #expect(fixture.visible("A1") == nil)
    }

    @Test func changesThatWaitAreBounded() async throws {
        var limits = Limits()
        limits.writeQueueCallCountMax = 2
        let store = FailingStore(MemoryStore())
        store.requireVerification()
        let fixture = try RegistryFixture(store: store, limits: limits)
        let creations = (1...2).map { number in
            MutationRequest(
                project: "default",
                mutation: .createDevice(DeviceCreation(serial: "A\(number)", ownerRef: "o", hardwareVersion: "h")),
                byteCount: 100)
        }
        let (answers, continuation) = AsyncStream.makeStream(of: Result<MutationOutcome, RegistryError>.self)
        for creation in creations { fixture.registry.submit(creation) { continuation.yield($0) } }
        let error = await #expect(throws: RegistryError.self) { try await fixture.create("A3") }
        #expect(error?.reason == .queueFull)
        store.endVerification()
        for await answer in answers.prefix(2) { _ = try answer.get() }
    }

    @Test func damagedStoreIsReadAndTakesNoChange() async throws {
        let fixture = try await self.unverified()
        async let waiting = #expect(throws: RegistryError.self) { try await fixture.create("A1") }
        fixture.store.endVerification(StoreError(.corrupt, "/data/rollcall.sqlite is damaged (page 7)"))
        let errors = [await waiting, await #expect(throws: RegistryError.self) { try await fixture.create("A2") }]
        for error in errors {
            #expect(error?.code == .unavailable && error?.reason == .storeUnavailable)
            #expect(error?.message.contains("/data/rollcall.sqlite is damaged (page 7)") == true)
            #expect(error?.message.contains("nothing was changed") == true)
        }
        guard case .closed(let reason) = fixture.registry.storeState else {
            Issue.record("\(fixture.registry.storeState)")
            return
        }
        #expect(reason == errors[0]?.message)
        #expect(fixture.visible("A0")?.id == 1)
        #expect(fixture.store.committed.count == 1)
    }

    @Test func stopCutsItShortAndRefusesWhatWaits() async throws {
        let fixture = try await self.unverified()
        let request = MutationRequest(
            project: "default",
            mutation: .createDevice(DeviceCreation(serial: "A1", ownerRef: "o", hardwareVersion: "h")), byteCount: 100)
        let answers = Mutex<[Result<MutationOutcome, RegistryError>]>([])
        fixture.registry.submit(request) { answer in answers.withLock { $0.append(answer) } }
        fixture.registry.close()
        #expect(throws: RegistryError.self) { try #require(answers.withLock { $0.first }).get() }
        #expect(fixture.store.isClosed)
        #expect(fixture.store.committed.count == 1)
    }

    @Test func damageThatACommitMeetsEndsAllWriting() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A0")
        fixture.store.fail(.corrupt)
        for serial in ["A1", "A2"] {
            let error = await #expect(throws: RegistryError.self) { try await fixture.create(serial) }
            #expect(error?.code == .unavailable && error?.message.contains("damaged") == true)
        }
        #expect(fixture.visible("A0") != nil)
        #expect(fixture.store.committed.count == 1)
    }

    @Test func conditionTellsOfAFailureUntilAChangeIsTaken() async throws {
        let fixture = try RegistryFixture()
        #expect(fixture.registry.storeState == .ready)
        fixture.store.fail(.unavailable)
        _ = try? await fixture.create("A1")
        #expect(fixture.registry.storeState == .failing(reason: "the test's store takes no change for now."))
        try await fixture.create("A1")
        #expect(fixture.registry.storeState == .ready)
        fixture.store.fail(.outcomeUnknown(isLanded: false))
        fixture.store.failReopenings(next: 1)
        for _ in 0..<2 { _ = try? await fixture.create("A2") }
        #expect(fixture.registry.storeState == .failing(reason: "the test's store cannot be opened for now."))
        try await fixture.create("A2")
        #expect(fixture.registry.storeState == .ready)
    }
}
