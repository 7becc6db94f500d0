import DeviceModel
import DeviceQuery
import DeviceRegistry
import RollcallTesting
import Testing

@Suite struct CheckInTests {
    @Test func checkInMovesNeitherEtagNorUpdatedDate() async throws {
        let fixture = try RegistryFixture()
        let created = try await fixture.create("A1")
        fixture.clock.advance(microseconds: 10)
        let seen = try await fixture.device(
            .checkIn(
                CheckIn(
                    serial: "A1", release: ReleaseName(version: "1.0", revision: "abc"),
                    attributes: [AttributeUpdate(key: "battery", value: .int(7))])))
        #expect(seen.etag == created.etag)
        #expect(seen.updatedDate == created.updatedDate)
        #expect(seen.lastSeen == fixture.clock.now)
        #expect(seen.lastSeenRelease == Release(id: 1, version: "1.0", revision: "abc"))
        #expect(fixture.visible("A1")?.attributes == ["battery": .int(7)])
    }

    @Test func lastSeenNeverMovesBack() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A1")
        let now = fixture.clock.now
        func checkIn(_ offset: Int64, _ version: String) async throws -> Device {
            try await fixture.device(
                .checkIn(
                    CheckIn(
                        serial: "A1", time: now.advanced(byMicroseconds: offset),
                        release: ReleaseName(version: version, revision: ""))))
        }
        #expect(try await checkIn(0, "1").lastSeenRelease?.version == "1")
        let older = try await checkIn(-1, "2")
        #expect(older.lastSeen == now)
        #expect(older.lastSeenRelease?.version == "1")
        // Equal: the later arrival sets the release.
        #expect(try await checkIn(0, "3").lastSeenRelease?.version == "3")
        #expect(fixture.registry.revision.rawValue == 3)
    }

    @Test func timeOutsideOfItsWindowIsInvalid() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A1")
        let edge = fixture.clock.now.advanced(byMicroseconds: Limits().clockSkewMicrosecondsMax)
        for time in [edge.advanced(byMicroseconds: 1), Timestamp.epoch.advanced(byMicroseconds: -1)] {
            let error = await #expect(throws: RegistryError.self) {
                try await fixture.perform(.checkIn(CheckIn(serial: "A1", time: time)))
            }
            #expect(error?.violations.map(\.field) == ["time"])
        }
        #expect(try await fixture.device(.checkIn(CheckIn(serial: "A1", time: edge))).lastSeen == edge)
    }

    @Test func createMissingRegistersADeviceWithoutAnOwner() async throws {
        let fixture = try RegistryFixture()
        let unknown = await #expect(throws: RegistryError.self) {
            try await fixture.perform(.checkIn(CheckIn(serial: "N1")))
        }
        #expect(unknown?.reason == .deviceNotFound)
        let incomplete = await #expect(throws: RegistryError.self) {
            try await fixture.perform(.checkIn(CheckIn(serial: "N1", createMissing: true)))
        }
        #expect(incomplete?.violations.map(\.field) == ["hardware_version"])
        let device = try await fixture.device(
            .checkIn(CheckIn(serial: "N1", hardwareVersion: "hw9", createMissing: true)))
        #expect(device.ownerRef.isEmpty)
        #expect(device.hardwareVersion == "hw9")
        #expect(device.lastSeen == fixture.clock.now)
        #expect(fixture.registry.revision.rawValue == 1)
    }

    @Test func repeatedCheckInTakesNoRevision() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A1")
        let checkIn = CheckIn(serial: "A1", time: fixture.clock.now, release: ReleaseName(version: "1", revision: ""))
        try await fixture.perform(.checkIn(checkIn))
        try await fixture.perform(.checkIn(checkIn))
        #expect(fixture.registry.revision.rawValue == 2)
    }

    @Test func releaseThatNoDeviceHasIsReclaimed() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A1")
        for version in ["1", "2", "3"] {
            fixture.clock.advance(microseconds: 1)
            try await fixture.perform(
                .checkIn(CheckIn(serial: "A1", release: ReleaseName(version: version, revision: ""))))
        }
        try await fixture.create("A2")
        let count = fixture.registry.read { index in
            index.project(slug: "default").map { index.releaseCount(in: $0.id) }
        }
        #expect(count == 1)
        #expect(try fixture.restarted().visible("A1")?.release == "3")
    }
}
