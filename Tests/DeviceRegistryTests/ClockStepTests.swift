import DeviceModel
import DeviceQuery
import DeviceRegistry
import FoundationEssentials
import RollcallTesting
import Testing

/// What holds when somebody sets the host's clock.
@Suite struct ClockStepTests {
    private static let hour: Int64 = 3_600_000_000
    private let creation = Mutation.createDevice(
        DeviceCreation(serial: "A1", ownerRef: "owner", hardwareVersion: "hw1"))

    private func attribute(_ key: String, of serial: String, _ fixture: RegistryFixture) throws -> AttributeState {
        var serial = serial
        let state = serial.withUTF8 { bytes in
            fixture.registry.read { index -> AttributeState? in
                var found: AttributeState?
                guard let project = index.project(slug: "default") else { return nil }
                index.device(serial: UnsafeRawBufferPointer(bytes), in: project.id)?.forEachAttribute {
                    if $0.metric.stringKey == key { found = $1 }
                }
                return found
            }
        }
        return try #require(state)
    }

    @Test(arguments: [false, true]) func checkInAfterAStepBackKeepsLastSeenAndSetsTheRest(
        isRestarted: Bool
    ) async throws {
        var fixture = try RegistryFixture()
        try await fixture.create("A1")
        func checkIn(_ version: String, _ battery: Int64) async throws -> Device {
            try await fixture.device(
                .checkIn(
                    CheckIn(
                        serial: "A1", release: ReleaseName(version: version, revision: ""),
                        attributes: [AttributeUpdate(key: "battery", value: .int(battery))])))
        }
        let before = try await checkIn("1", 80)
        fixture.clock.step(microseconds: -Self.hour)
        if isRestarted { fixture = try fixture.restarted() }
        let after = try await checkIn("2", 79)
        #expect(after.lastSeen == before.lastSeen)
        #expect(after.lastSeenRelease?.version == "2")
        #expect(fixture.visible("A1")?.attributes == ["battery": .int(79)])
        fixture.clock.advance(microseconds: 2 * Self.hour)
        #expect(try await checkIn("3", 78).lastSeen == fixture.clock.now)
    }

    @Test(arguments: [false, true]) func noDateOfADeviceDecreases(isRestarted: Bool) async throws {
        var fixture = try RegistryFixture()
        func set(_ key: String, _ value: Int64) async throws -> AttributeState {
            try await fixture.perform(
                .updateAttributes(
                    AttributesUpdate(serial: "A1", updates: [AttributeUpdate(key: key, value: .int(value))])))
            return try self.attribute(key, of: "A1", fixture)
        }
        let created = try await fixture.create("A1")
        let first = try await set("a", 1)
        fixture.clock.step(microseconds: -Self.hour)
        if isRestarted { fixture = try fixture.restarted() }
        let second = try await set("a", 2)
        #expect(second.createdDate == first.createdDate)
        #expect(second.updatedDate == first.updatedDate && second.time == first.time)
        // An attribute is no older than the device's last change before it.
        #expect(try await set("b", 1).createdDate == created.updatedDate)
        #expect(fixture.visible("A1")?.updatedDate == created.updatedDate)
        let other = try await fixture.create("A2")
        #expect(other.createdDate == fixture.clock.now)
        #expect(other.id > created.id)
    }

    @Test(arguments: [10_000 * Self.hour, -10_000 * Self.hour])
    func stepOfTheClockMakesNoRequestOlderOrYounger(microseconds: Int64) async throws {
        let fixture = try RegistryFixture()
        let id = UUID()
        let device = try await fixture.device(self.creation, identity: identity(id))
        fixture.clock.step(microseconds: microseconds)
        fixture.clock.advance(microseconds: Limits().requestIDAgeMicrosecondsMax - 1)
        // Another mutation would let go of what is too old.
        try await fixture.create("A2")
        #expect(try await fixture.device(self.creation, identity: identity(id)) == device)
        fixture.clock.advance(microseconds: 2)
        await #expect(throws: RegistryError.self) { try await fixture.device(self.creation, identity: identity(id)) }
    }

    @Test func stepBackOverARestartMakesNoRequestYounger() async throws {
        var fixture = try RegistryFixture()
        let id = UUID()
        let device = try await fixture.device(self.creation, identity: identity(id))
        fixture.clock.advance(microseconds: Limits().requestIDAgeMicrosecondsMax - 1)
        try await fixture.create("A2")
        fixture.clock.step(microseconds: -10_000 * Self.hour)
        fixture = try fixture.restarted()
        #expect(try await fixture.device(self.creation, identity: identity(id)) == device)
        fixture.clock.advance(microseconds: 2)
        await #expect(throws: RegistryError.self) { try await fixture.device(self.creation, identity: identity(id)) }
    }

    @Test func batchTimesNeverFallWhateverTheClockDoes() async throws {
        var fixture = try RegistryFixture()
        for (number, step) in [Self.hour, -3 * Self.hour, 24 * Self.hour, -48 * Self.hour].enumerated() {
            try await fixture.create("A\(number)")
            fixture.clock.step(microseconds: step)
            fixture.clock.advance(microseconds: 5)
            if number == 2 { fixture = try fixture.restarted() }
        }
        try await fixture.create("B")
        let times = fixture.store.committed.map(\.time)
        #expect(times == times.sorted() && Set(times).count == times.count)
    }
}
