// How a watch begins and ends.

import DeviceModel
import DeviceRegistry
import RollcallTesting
import Testing

@Suite struct WatchTests {
    private func watch(
        _ fixture: RegistryFixture, _ filter: DeviceFilter = DeviceFilter(), from bookmark: Bookmark? = nil,
        project: String = "default"
    ) async throws -> DeviceWatch {
        let watch = try await fixture.registry.watch(filter, in: project, from: bookmark, withAttributes: false)
        while try watch.advanceSnapshot(each: { _ in true }) {}
        return watch
    }

    private func bookmark(_ watch: DeviceWatch) async throws -> Bookmark {
        guard case .bookmark(let bookmark) = try await watch.next() else { throw NoBookmark() }
        return bookmark
    }

    private func failure(_ watch: DeviceWatch) async throws -> RegistryError? {
        do {
            // Where the machine is slow, one more bookmark may be due.
            while case .bookmark = try await watch.next() {}
            return nil
        } catch let error as RegistryError {
            return error
        }
    }

    private func refusal(_ fixture: RegistryFixture, from bookmark: Bookmark?) async throws -> RegistryError? {
        do {
            _ = try await self.watch(fixture, from: bookmark)
            return nil
        } catch let error as RegistryError {
            return error
        }
    }

    private struct NoBookmark: Error {}

    @Test func aQuietWatchIsToldHowFarItIsNowAndThen() async throws {
        var limits = Limits()
        limits.watchHeartbeatNanoseconds = 2_000_000
        let fixture = try RegistryFixture(limits: limits)
        defer { fixture.registry.close() }
        try await fixture.create("A")
        let watch = try await self.watch(fixture)
        for _ in 0..<3 {
            #expect(try await self.bookmark(watch).revision == 1)
        }
    }

    /// More than are woken at once, while changes come faster than all of them are.
    @Test func manyWatchersAreAllToldOfEverything() async throws {
        let fixture = try RegistryFixture()
        defer { fixture.registry.close() }
        var watches: [DeviceWatch] = []
        for _ in 0..<50 { watches.append(try await self.watch(fixture)) }
        try await withThrowingTaskGroup(of: [String].self) { group in
            for watch in watches {
                group.addTask {
                    var serials: [String] = []
                    while serials.count < 100 {
                        guard case .events(let events) = try await watch.next() else { continue }
                        serials += events.map(\.device.deviceSerial)
                    }
                    return serials
                }
            }
            let serials = (0..<100).map { "D\($0)" }
            for serial in serials { try await fixture.create(serial) }
            for try await told in group { #expect(told == serials) }
        }
    }

    @Test func tooManyWatchersAreRefusedByName() async throws {
        var limits = Limits()
        limits.watcherCountMax = 2
        let fixture = try RegistryFixture(limits: limits)
        defer { fixture.registry.close() }
        let first = try await self.watch(fixture)
        var second: DeviceWatch? = try await self.watch(fixture)
        #expect(fixture.registry.watcherCount == 2)
        let refusal = try await self.refusal(fixture, from: nil)
        #expect(refusal?.code == .resourceExhausted && refusal?.message.contains("watchers") == true)
        _ = second?.bookmark
        second = nil
        #expect(try await self.refusal(fixture, from: nil) == nil)
        _ = first.bookmark
    }

    @Test func aWatchOfAProjectThatGoesEndsWithThat() async throws {
        let fixture = try RegistryFixture()
        defer { fixture.registry.close() }
        try await fixture.perform(.createProject(name: "Other"), project: "other")
        let watch = try await self.watch(fixture, project: "other")
        let bookmark = try await self.bookmark(watch)
        try await fixture.perform(.deleteProject(allowMissing: false), project: "other")
        #expect(try await self.failure(watch)?.reason == .projectNotFound)

        try await fixture.create("A")
        try await fixture.perform(.createProject(name: "Other"), project: "other")
        // The store would know what happened; that one project is the other it does not.
        try await fixture.perform(.deleteProject(allowMissing: false), project: "other")
        try await fixture.perform(.createProject(name: "Other"), project: "other")
        await #expect(throws: RegistryError.self) {
            try await self.watch(fixture, from: bookmark, project: "other")
        }
    }

    @Test func aDrainEndsEveryWatchAfterWhatItHasToTell() async throws {
        let fixture = try RegistryFixture()
        let watch = try await self.watch(fixture)
        _ = try await self.bookmark(watch)
        try await fixture.create("A")
        fixture.registry.endWatches()
        guard case .events(let events) = try await watch.next() else { throw NoBookmark() }
        #expect(events.map(\.kind) == [.entered] && events.map(\.device.deviceSerial) == ["A"])
        let failure = try await self.failure(watch)
        #expect(failure?.code == .unavailable && failure?.bookmark?.revision == 1)
        #expect(failure?.message.contains("revision 1") == true)
        #expect(try await self.refusal(fixture, from: nil)?.reason == .draining)
        fixture.registry.close()
    }

    @Test func aPlaceThatIsNotKnownIsOutOfRange() async throws {
        let fixture = try RegistryFixture()
        defer { fixture.registry.close() }
        for serial in ["A", "B", "C", "D"] { try await fixture.create(serial) }
        let storeID = fixture.registry.storeID
        for revision in [0, 4] as [Int64] {
            #expect(try await self.refusal(fixture, from: Bookmark(storeID: storeID, revision: revision)) == nil)
        }
        for bookmark in [
            Bookmark(storeID: storeID, revision: 5), Bookmark(storeID: storeID, revision: -1),
            Bookmark(storeID: FleetGenerator.storeID, revision: 1),
        ] {
            let refusal = try await self.refusal(fixture, from: bookmark)
            #expect(refusal?.code == .outOfRange && refusal?.reason == .revisionOutOfRange)
        }
        fixture.store.base.forgetFeed(through: Revision(rawValue: 2))
        #expect(try await self.refusal(fixture, from: Bookmark(storeID: storeID, revision: 1))?.code == .outOfRange)
        #expect(try await self.refusal(fixture, from: Bookmark(storeID: storeID, revision: 2)) == nil)
    }

    @Test func whatIsForgottenUnderAWatchIsTold() async throws {
        let fixture = try RegistryFixture()
        defer { fixture.registry.close() }
        for serial in ["A", "B", "C"] { try await fixture.create(serial) }
        let watch = try await self.watch(fixture, from: Bookmark(storeID: fixture.registry.storeID, revision: 1))
        fixture.store.base.forgetFeed(through: Revision(rawValue: 3))
        #expect(try await self.failure(watch)?.reason == .revisionOutOfRange)
    }

    @Test(arguments: [\Limits.watchBacklogCountMax, \Limits.watchBacklogByteCountMax])
    func whoIsTooFarBehindIsToldWhereToGoOn(limit: any WritableKeyPath<Limits, Int> & Sendable) async throws {
        var limits = Limits()
        // Of changes some, of bytes fewer than one change takes.
        limits[keyPath: limit] = 3
        let fixture = try RegistryFixture(limits: limits)
        defer { fixture.registry.close() }
        let watch = try await self.watch(fixture)
        _ = try await self.bookmark(watch)
        for number in 0..<10 { try await fixture.create("D\(number)") }
        let failure = try await self.failure(watch)
        #expect(failure?.reason == .watcherTooSlow && failure?.bookmark?.revision == 0)
        let resumed = try await self.watch(fixture, from: failure?.bookmark)
        guard case .events(let events) = try await resumed.next() else { throw NoBookmark() }
        #expect(events.map(\.revision.rawValue) == Array(1...10))
    }

    @Test func aReopenedStoreLosesNothingForWatchers() async throws {
        let fixture = try RegistryFixture()
        defer { fixture.registry.close() }
        let watch = try await self.watch(fixture)
        _ = try await self.bookmark(watch)
        fixture.store.fail(.outcomeUnknown(isLanded: true))
        _ = try? await fixture.create("A")
        try await fixture.create("B")
        var serials: [String] = []
        while serials.count < 2 {
            guard case .events(let events) = try await watch.next() else { continue }
            serials += events.map(\.device.deviceSerial)
        }
        #expect(serials == ["A", "B"])
    }
}
