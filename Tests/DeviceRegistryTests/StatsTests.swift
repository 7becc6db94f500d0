// What the registry counts of itself.

import DeviceModel
import DeviceRegistry
import RollcallTesting
import Testing

@Suite(.timeLimit(.minutes(1))) struct StatsTests {
    private static func stats(_ fixture: RegistryFixture) -> ServerStats {
        var stats = ServerStats()
        fixture.registry.report(to: &stats)
        return stats
    }

    private static func creations(_ range: Range<Int>) -> [Mutation] {
        range.map { .createDevice(DeviceCreation(serial: "S-\($0)", ownerRef: "ada", hardwareVersion: "h1")) }
    }

    @Test func groupsAndCommitsAreMeasured() async throws {
        let fixture = try RegistryFixture()
        defer { fixture.registry.close() }
        // One call alone, and five that waited meanwhile.
        #expect(try await fixture.inOneGroup(Self.creations(0..<5)).allSatisfy { $0 == nil })
        let writer = Self.stats(fixture).writer
        #expect(writer.groupCallCounts.buckets == [.init(upperBound: 1, count: 1), .init(upperBound: 5, count: 1)])
        #expect(writer.commitTimes.count == 2 && writer.commitTimes.max > 0)
        #expect(writer.queuedCallCount == 0 && writer.queuedByteCount == 0 && writer.queuedCallCountMax == 5)
        #expect(writer.failedCommitCount == 0 && writer.refusedCallCount == 0)
        let index = Self.stats(fixture).index
        #expect(index.deviceCount == 6 && index.projectCount == 1)
        #expect(index.memory.contains { $0.name == "serials" && $0.byteCount > 0 })
    }

    @Test func aCommitThatFailsIsCountedApart() async throws {
        let fixture = try RegistryFixture()
        defer { fixture.registry.close() }
        let refusals = try await fixture.inOneGroup(failing: .unavailable, Self.creations(0..<1))
        #expect(refusals.count == 1 && refusals.allSatisfy { $0 != nil })
        let writer = Self.stats(fixture).writer
        #expect(writer.failedCommitCount == 1 && writer.commitTimes.count == 1)
    }

    @Test func whatWaitsAndWhatIsRefusedIsCounted() async throws {
        var limits = Limits()
        limits.writeQueueCallCountMax = 2
        let fixture = try RegistryFixture(limits: limits)
        defer { fixture.registry.close() }
        fixture.store.hold()
        async let blocker = fixture.create("blocker")
        await fixture.store.heldCommit()
        let (answers, continuation) = AsyncStream.makeStream(of: Void.self)
        for mutation in Self.creations(0..<5) {
            let request = MutationRequest(project: "default", mutation: mutation, byteCount: 100)
            fixture.registry.submit(request) { _ in continuation.yield() }
        }
        let writer = Self.stats(fixture).writer
        #expect(writer.queuedCallCount == 2 && writer.queuedCallCountMax == 2 && writer.queuedByteCount == 200)
        #expect(writer.refusedCallCount == 3)
        fixture.store.release()
        _ = try await blocker
        for await _ in answers.prefix(5) {}
        #expect(Self.stats(fixture).writer.queuedCallCount == 0)
    }

    @Test func watchersTellHowFarTheyAreBehindAndWhichWereTooSlow() async throws {
        var limits = Limits()
        limits.watchBacklogCountMax = 2
        let fixture = try RegistryFixture(limits: limits)
        defer { fixture.registry.close() }
        do {
            let watch = try await fixture.registry.watch(
                DeviceFilter(), in: "default", from: nil, withAttributes: false)
            while try watch.advanceSnapshot(each: { _ in true }) {}
            #expect(Self.stats(fixture).watchers.count == 1)
            #expect(Self.stats(fixture).watchers.catchingUpCount == 1)
            guard case .bookmark = try await watch.next() else {
                Issue.record("After the first devices comes a bookmark.")
                return
            }
            #expect(Self.stats(fixture).watchers.catchingUpCount == 0)
            for index in 0..<2 { try await fixture.create("S-\(index)") }
            var watchers = Self.stats(fixture).watchers
            #expect(watchers.lagRevisionCount == 2 && watchers.backlogChangeCount == 2)
            #expect(watchers.backlogByteCount > 0)
            guard case .events = try await watch.next() else {
                Issue.record("The changes come.")
                return
            }
            for index in 2..<6 { try await fixture.create("S-\(index)") }
            watchers = Self.stats(fixture).watchers
            #expect(watchers.tooSlowCount == 0 && watchers.lagRevisionCount >= 4)
            withExtendedLifetime(watch) {}
        }
        let watchers = Self.stats(fixture).watchers
        #expect(watchers.count == 0 && watchers.tooSlowCount == 1 && watchers.lagRevisionCount == 0)
    }
}
