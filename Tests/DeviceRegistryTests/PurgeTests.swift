// Purges: what they delete while others write, and how they end.

import DeviceModel
import DeviceQuery
import DeviceRegistry
import FoundationEssentials
import RollcallTesting
import Synchronization
import Testing

@Suite struct PurgeTests {
    /// Deletes two devices at a time.
    private static func fixture(deviceCount: Int = 7) async throws -> RegistryFixture {
        var limits = Limits()
        limits.purgeStepDeviceCountMax = 2
        let fixture = try RegistryFixture(limits: limits)
        for number in 0..<deviceCount { try await fixture.create("S\(number)", ownerRef: number == 0 ? "other" : "o") }
        return fixture
    }

    private static var ofOwner: DevicePurge {
        var filter = DeviceFilter()
        filter.ownerRefs = ["o"]
        return DevicePurge(filter: filter)
    }

    private func serials(_ fixture: RegistryFixture) -> Set<String> {
        Set((0..<10).map { "S\($0)" }.filter { fixture.visible($0) != nil })
    }

    @Test func whatMatchesIsDeletedInStepsAndNothingElse() async throws {
        let fixture = try await Self.fixture()
        let stepCount = Atomic<Int>(0)
        let count = try await fixture.purge(
            Self.ofOwner,
            stop: { _ in
                stepCount.add(1, ordering: .relaxed)
                return nil
            })
        #expect(count == 6 && stepCount.load(ordering: .relaxed) == 3)
        #expect(self.serials(fixture) == ["S0"])
        #expect(fixture.store.committed.suffix(3).map(\.changes.count) == [2, 2, 2])
        #expect(try await fixture.purge(Self.ofOwner) == 0)
        try fixture.registry.read { try $0.checkInvariants() }
        #expect(self.serials(try fixture.restarted()) == ["S0"])
    }

    /// Between two steps a device that is to go is deleted, and its serial used again; another one that matches is
    /// created.
    @Test func theSetIsThatOfTheBeginningWhateverIsWrittenMeanwhile() async throws {
        let fixture = try await Self.fixture()
        let isFirst = Atomic<Bool>(true)
        let count = try await fixture.purge(
            Self.ofOwner,
            stop: { _ in
                guard isFirst.exchange(false, ordering: .relaxed) else { return nil }
                for mutation in [
                    Mutation.deleteDevice(DeviceDeletion(serial: "S3")),
                    .createDevice(DeviceCreation(serial: "S3", ownerRef: "o", hardwareVersion: "h")),
                    .createDevice(DeviceCreation(serial: "S9", ownerRef: "o", hardwareVersion: "h")),
                    .updateDevice(DeviceUpdate(serial: "S4", ownerRef: "someone else")),
                ] {
                    fixture.registry.submit(MutationRequest(project: "default", mutation: mutation)) { result in
                        #expect(throws: Never.self) { try result.get() }
                    }
                }
                return nil
            })
        #expect(count == 5)
        // The one that was changed matched at the beginning.
        #expect(self.serials(fixture) == ["S0", "S3", "S9"])
        #expect(fixture.visible("S3")?.id == 8)
    }

    @Test func anotherCountThanExpectedDeletesNothing() async throws {
        let fixture = try await Self.fixture()
        for expected in [0, 5, 7] as [Int64] {
            let error = await fixture.purgeError(DevicePurge(filter: Self.ofOwner.filter, expectedCount: expected))
            let cause = try #require(error?.cause as? RegistryError)
            #expect(cause.code == .failedPrecondition && cause.reason == .expectedCountDiffers)
            #expect(cause.message == "The filter matches 6 devices, not \(expected) as expected; nothing was deleted.")
        }
        #expect(try await fixture.purge(Self.ofOwner, onlyCounts: true) == 6)
        #expect(self.serials(fixture).count == 7)
        #expect(try await fixture.purge(DevicePurge(filter: Self.ofOwner.filter, expectedCount: 6)) == 6)
    }

    @Test func aPurgeThatIsStoppedTellsHowFarItCame() async throws {
        let fixture = try await Self.fixture()
        let stepCount = Atomic<Int>(0)
        let error = await fixture.purgeError(
            Self.ofOwner,
            stop: { _ in
                stepCount.add(1, ordering: .relaxed).newValue > 2
                    ? RegistryError(.unavailable, .draining, "The server is shutting down.") : nil
            })
        #expect(error?.progress?.deletedCount == 4 && error?.progress?.matchedCount == 6)
        #expect(self.serials(fixture).count == 3)
    }

    @Test func aStoreThatFailsOnTheWayEndsThePurgeAfterWhatIsDone() async throws {
        let fixture = try await Self.fixture()
        fixture.store.fail(.unavailable, after: 1)
        let error = await fixture.purgeError(Self.ofOwner)
        #expect((error?.cause as? RegistryError)?.reason == .storeUnavailable)
        #expect(error?.progress?.deletedCount == 2)
        #expect(self.serials(fixture).count == 5)
    }

    @Test func aRepeatAnswersTheFirstCountAndDeletesNoMoreAlsoAfterARestart() async throws {
        let fixture = try await Self.fixture()
        let id = UUID()
        #expect(try await fixture.purge(Self.ofOwner, identity: identity(id)) == 6)
        try await fixture.create("S1", ownerRef: "o")
        #expect(try await fixture.purge(Self.ofOwner, identity: identity(id)) == 6)
        let restarted = try fixture.restarted()
        #expect(try await restarted.purge(Self.ofOwner, identity: identity(id)) == 6)
        #expect(self.serials(restarted) == ["S0", "S1"])
        let reused = await restarted.purgeError(Self.ofOwner, identity: identity(id, digest: 2))
        #expect((reused?.cause as? RegistryError)?.reason == .requestIDReused)
    }

    @Test func aPurgeOfNothingIsRememberedToo() async throws {
        let fixture = try await Self.fixture(deviceCount: 0)
        let id = UUID()
        #expect(try await fixture.purge(Self.ofOwner, identity: identity(id)) == 0)
        try await fixture.create("S1", ownerRef: "o")
        #expect(try await fixture.purge(Self.ofOwner, identity: identity(id)) == 0)
        #expect(self.serials(fixture) == ["S1"])
    }

    @Test func aRepeatWhileTheFirstRunsWaitsForIt() async throws {
        let fixture = try await Self.fixture()
        let id = UUID()
        fixture.store.hold()
        async let first = fixture.purge(Self.ofOwner, identity: identity(id))
        await fixture.store.heldCommit()
        async let second = fixture.purge(Self.ofOwner, identity: identity(id))
        async let third = fixture.purge(Self.ofOwner, identity: identity(id))
        fixture.store.release()
        #expect(try await [first, second, third] == [6, 6, 6])
        #expect(self.serials(fixture) == ["S0"])
    }

    @Test func aRepeatOfAPurgeThatWasGivenUpGoesOnWithIt() async throws {
        let fixture = try await Self.fixture()
        let id = UUID()
        let isWanted = Atomic<Bool>(true)
        await withCheckedContinuation { continuation in
            fixture.registry.purge(
                Self.ofOwner, in: "default", identity: identity(id),
                isWanted: { isWanted.load(ordering: .relaxed) },
                stop: { _ in
                    // Asked before the first step, which is then given up.
                    isWanted.store(false, ordering: .relaxed)
                    continuation.resume()
                    return nil
                },
                completion: { _ in Issue.record("Nobody waits for this.") })
        }
        #expect(try await fixture.purge(Self.ofOwner, identity: identity(id)) == 6)
    }

    @Test func aPurgeOfAProjectThatIsNotThereIsRefused() async throws {
        let fixture = try RegistryFixture()
        let error = await fixture.purgeError(Self.ofOwner, in: "none")
        #expect((error?.cause as? RegistryError)?.reason == .projectNotFound)
    }

    @Test func mutationsInTurnWaitWhereTheQueueIsHalfFullAndLeaveTheRestToOthers() async throws {
        var limits = Limits()
        limits.writeQueueCallCountMax = 4
        limits.groupCallCountMax = 1
        let fixture = try RegistryFixture(limits: limits)
        fixture.store.hold()
        async let blocker = fixture.create("blocker")
        await fixture.store.heldCommit()
        let order = Mutex<[Int]>([])
        let refusals = Mutex<[RegistryError]>([])
        func request(_ number: Int) -> MutationRequest {
            MutationRequest(
                project: "default",
                mutation: .createDevice(DeviceCreation(serial: "S\(number)", ownerRef: "o", hardwareVersion: "h")))
        }
        let queuedCount = Atomic<Int>(0)
        for number in 0..<6 {
            fixture.registry.submitInTurn(request(number), queued: { queuedCount.add(1, ordering: .relaxed) }) {
                if case .failure(let error) = $0 { refusals.withLock { $0.append(error) } }
                order.withLock { $0.append(number) }
            }
        }
        // Two are in the queue, four wait for their turn; two more of the others find room.
        #expect(queuedCount.load(ordering: .relaxed) == 2)
        for number in 6..<9 {
            fixture.registry.submit(request(number)) {
                if case .failure(let error) = $0 { return refusals.withLock { $0.append(error) } }
                order.withLock { $0.append(number) }
            }
        }
        #expect(refusals.withLock { $0.map(\.reason) } == [.queueFull])
        fixture.store.release()
        _ = try await blocker
        fixture.registry.close()
        #expect(order.withLock { $0 } == [0, 1, 6, 7, 2, 3, 4, 5])
        #expect(queuedCount.load(ordering: .relaxed) == 6)
        #expect(refusals.withLock { $0.count } == 1)
    }

    @Test func turnsAreBoundedAsTheQueueIs() async throws {
        var limits = Limits()
        limits.writeQueueCallCountMax = 2
        limits.writeQueueByteCountMax = 100
        let fixture = try RegistryFixture(limits: limits)
        fixture.store.hold()
        async let blocker = fixture.create("blocker")
        await fixture.store.heldCommit()
        let refusals = Mutex<[RegistryError]>([])
        for (number, byteCount) in [10, 60, 60, 40, 1].enumerated() {
            let creation = DeviceCreation(serial: "S\(number)", ownerRef: "o", hardwareVersion: "h")
            fixture.registry.submitInTurn(
                MutationRequest(project: "default", mutation: .createDevice(creation), byteCount: byteCount)
            ) {
                if case .failure(let error) = $0 { refusals.withLock { $0.append(error) } }
            }
        }
        // One in the queue; of those that wait, the second 60 bytes and the fifth call are too many.
        #expect(refusals.withLock { $0.map(\.reason) } == [.queueFull, .queueFull])
        fixture.store.release()
        _ = try await blocker
        fixture.registry.close()
        #expect(["S0", "S1", "S2", "S3", "S4"].map { fixture.visible($0) != nil } == [true, true, false, true, false])
    }
}

extension RegistryFixture {
    func purge(
        _ purge: DevicePurge, in project: String = "default", identity: MutationRequest.Identity? = nil,
        onlyCounts: Bool = false, stop: @escaping @Sendable (Duration) -> (any Error)? = { _ in nil }
    ) async throws -> Int64 {
        try await withCheckedThrowingContinuation { continuation in
            self.registry.purge(
                purge, in: project, identity: identity, onlyCounts: onlyCounts, stop: stop,
                completion: { continuation.resume(with: $0) })
        }
    }

    /// How a purge that must not succeed ends.
    func purgeError(
        _ purge: DevicePurge, in project: String = "default", identity: MutationRequest.Identity? = nil,
        stop: @escaping @Sendable (Duration) -> (any Error)? = { _ in nil }
    ) async -> PurgeError? {
        await #expect(throws: PurgeError.self) {
            try await self.purge(purge, in: project, identity: identity, stop: stop)
        }
    }
}
