import DeviceModel
import DeviceQuery
import DeviceRegistry
import Synchronization
import RollcallTesting
import Testing

@Suite struct GroupCommitTests {
    @Test func nothingIsVisibleBeforeItIsDurable() async throws {
        let fixture = try RegistryFixture()
        fixture.store.hold()
        async let created = fixture.create("A1")
        await fixture.store.heldCommit()
        #expect(fixture.visible("A1") == nil)
        #expect(fixture.registry.revision.rawValue == 0)
        fixture.store.release()
        #expect(try await created.id == 1)
        #expect(fixture.visible("A1")?.id == 1)
    }

    @Test func mutationsThatWaitShareOneCommit() async throws {
        let fixture = try RegistryFixture()
        fixture.store.hold()
        let results = try await fixture.inOneGroup(
            (0..<20).map {
                .createDevice(DeviceCreation(serial: "A\($0)", ownerRef: "o", hardwareVersion: "h"))
            })
        #expect(results.allSatisfy { $0 == nil })
        #expect(fixture.store.committed.map(\.changes.count) == [1, 20])
        #expect(fixture.registry.revision.rawValue == 21)
    }

    @Test(arguments: [\Limits.groupCallCountMax, \Limits.groupRowCountMax, \Limits.groupByteCountMax])
    func whatIsTooMuchForOneCommitTakesTheNext(limit: any WritableKeyPath<Limits, Int> & Sendable) async throws {
        var limits = Limits()
        let creations = (0..<10).map { DeviceCreation(serial: "A\($0)", ownerRef: "o", hardwareVersion: "h") }
        let requests = creations.map {
            MutationRequest(project: "default", mutation: .createDevice($0), byteCount: 100)
        }
        limits[keyPath: limit] = limit == \.groupByteCountMax ? 499 : 4
        let fixture = try RegistryFixture(limits: limits)
        fixture.store.hold()
        async let blocker = fixture.create("blocker")
        await fixture.store.heldCommit()
        let (answers, continuation) = AsyncStream.makeStream(of: Bool.self)
        for request in requests {
            fixture.registry.submit(request) { continuation.yield((try? $0.get()) != nil) }
        }
        fixture.store.release()
        _ = try await blocker
        for await isCreated in answers.prefix(requests.count) { #expect(isCreated) }
        #expect(fixture.store.committed.map(\.changes.count) == [1, 4, 4, 2])
    }

    @Test func mutationSeesThoseBeforeItInItsGroup() async throws {
        let fixture = try RegistryFixture()
        let results = try await fixture.inOneGroup(
            [
                .createDevice(DeviceCreation(serial: "A1", ownerRef: "o", hardwareVersion: "h")),
                .createDevice(DeviceCreation(serial: "A1", ownerRef: "p", hardwareVersion: "h")),
                .checkIn(CheckIn(serial: "A1", release: ReleaseName(version: "1", revision: ""))),
                .deleteDevice(DeviceDeletion(serial: "A1")),
                .checkIn(CheckIn(serial: "A1")),
                .createDevice(DeviceCreation(serial: "A1", ownerRef: "q", hardwareVersion: "h")),
            ])
        #expect(results.map(\.?.reason) == [nil, .deviceExists, nil, nil, .deviceNotFound, nil])
        #expect(fixture.visible("A1")?.ownerRef == "q")
        #expect(fixture.visible("A1")?.lastSeen == nil)
        #expect(try fixture.restarted().visible("A1")?.ownerRef == "q")
    }

    @Test func verdictThatRestsOnAPendingChangeFailsWithIt() async throws {
        let fixture = try RegistryFixture()
        let results = try await fixture.inOneGroup(
            failing: .unavailable,
            [
                .createDevice(DeviceCreation(serial: "A1", ownerRef: "o", hardwareVersion: "h")),
                .createDevice(DeviceCreation(serial: "A1", ownerRef: "p", hardwareVersion: "h")),
                .deleteDevice(DeviceDeletion(serial: "B1")),
            ])
        // The last rests on committed state alone: it is answered whatever becomes of the group.
        #expect(results.map(\.?.reason) == [.storeUnavailable, .storeUnavailable, .deviceNotFound])
        #expect(fixture.visible("A1") == nil)
        #expect(try await fixture.create("A1").id == 2)
    }

    @Test func abandonedMutationIsDropped() async throws {
        let fixture = try RegistryFixture()
        let request = MutationRequest(
            project: "default",
            mutation: .createDevice(DeviceCreation(serial: "A1", ownerRef: "o", hardwareVersion: "h")))
        fixture.registry.submit(request, claim: { false }) { _ in
            Issue.record("An abandoned call was answered.")
        }
        try await fixture.create("A2")
        #expect(fixture.visible("A1") == nil)
    }

    @Test func fullQueueRefusesAtOnce() async throws {
        var limits = Limits()
        limits.writeQueueCallCountMax = 2
        let fixture = try RegistryFixture(limits: limits)
        fixture.store.hold()
        async let first = fixture.create("A0")
        await fixture.store.heldCommit()
        let refusals = Mutex<[RegistryError]>([])
        for index in 1...3 {
            self.submit(DeviceCreation(serial: "A\(index)", ownerRef: "o", hardwareVersion: "h"), fixture) { result in
                if case .failure(let error) = result { refusals.withLock { $0.append(error) } }
            }
        }
        #expect(refusals.withLock { $0.map(\.reason) } == [.queueFull])
        fixture.store.release()
        _ = try await first
        fixture.registry.close()
        #expect(fixture.visible("A2") != nil)
    }

    @Test func closingFinishesWhatWaitsAndRefusesTheRest() async throws {
        let fixture = try RegistryFixture()
        let isAnswered = Mutex(false)
        self.submit(DeviceCreation(serial: "A1", ownerRef: "o", hardwareVersion: "h"), fixture) { _ in
            isAnswered.withLock { $0 = true }
        }
        fixture.registry.close()
        #expect(isAnswered.withLock { $0 })
        #expect(fixture.store.isClosed)
        let error = await #expect(throws: RegistryError.self) { try await fixture.create("A2") }
        #expect(error?.reason == .draining)
        fixture.registry.close()
    }

    private func submit(
        _ creation: DeviceCreation,
        _ fixture: RegistryFixture,
        _ completion: @escaping @Sendable (Result<MutationOutcome, RegistryError>) -> Void
    ) {
        fixture.registry.submit(
            MutationRequest(project: "default", mutation: .createDevice(creation)), completion: completion)
    }
}
