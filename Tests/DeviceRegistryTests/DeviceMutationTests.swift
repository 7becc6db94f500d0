import DeviceModel
import DeviceQuery
import DeviceRegistry
import RollcallTesting
import Testing

@Suite struct DeviceMutationTests {
    @Test func createdDeviceIsVisibleOnceItIsAcknowledged() async throws {
        let fixture = try RegistryFixture()
        let device = try await fixture.create("A1", ownerRef: "eve", hardwareVersion: "hw2")
        #expect(device.id == 1)
        #expect(device.cohort.slug == "default")
        #expect(device.createdDate == fixture.clock.now)
        #expect(device.lastSeen == nil)
        let visible = try #require(fixture.visible("A1"))
        #expect(visible.ownerRef == "eve")
        #expect(visible.hardwareVersion == "hw2")
        #expect(fixture.registry.revision.rawValue == 1)
    }

    @Test func duplicateIsRefusedAndLeavesTheStoredDeviceAsItWas() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A1", ownerRef: "first")
        let before = fixture.visible("A1")
        fixture.clock.advance(microseconds: 5)
        let error = await #expect(throws: RegistryError.self) { try await fixture.create("A1", ownerRef: "second") }
        #expect(error?.code == .alreadyExists)
        #expect(error?.reason == .deviceExists)
        #expect(fixture.visible("A1") == before)
        #expect(fixture.registry.revision.rawValue == 1)
    }

    @Test func updateMovesEtagAndDateOnlyIfSomethingChanges() async throws {
        let fixture = try RegistryFixture()
        let created = try await fixture.create("A1", ownerRef: "eve")
        fixture.clock.advance(microseconds: 1_000)
        let same = try await fixture.device(.updateDevice(DeviceUpdate(serial: "A1", ownerRef: "eve")))
        #expect(same == created)
        #expect(fixture.registry.revision.rawValue == 1)
        let moved = try await fixture.device(.updateDevice(DeviceUpdate(serial: "A1", ownerRef: "bob")))
        #expect(moved.etag != created.etag)
        #expect(moved.updatedDate == fixture.clock.now)
        #expect(moved.createdDate == created.createdDate)
    }

    @Test func staleEtagIsAborted() async throws {
        let fixture = try RegistryFixture()
        let first = try await fixture.create("A1")
        let second = try await fixture.device(
            .updateDevice(DeviceUpdate(serial: "A1", ownerRef: "b", etag: first.etag)))
        for mutation: Mutation in [
            .updateDevice(DeviceUpdate(serial: "A1", ownerRef: "c", etag: first.etag)),
            .deleteDevice(DeviceDeletion(serial: "A1", etag: first.etag)),
            .updateAttributes(AttributesUpdate(serial: "A1", updates: [], mode: .replace, etag: first.etag)),
        ] {
            let error = await #expect(throws: RegistryError.self) { try await fixture.perform(mutation) }
            #expect(error?.code == .aborted)
            #expect(error?.reason == .etagStale)
        }
        try await fixture.perform(.deleteDevice(DeviceDeletion(serial: "A1", etag: second.etag)))
        #expect(fixture.visible("A1") == nil)
    }

    @Test func allowMissingCreatesOnUpdateAndSucceedsOnDelete() async throws {
        let fixture = try RegistryFixture()
        let creation = DeviceCreation(serial: "A1", ownerRef: "eve", hardwareVersion: "")
        let update = DeviceUpdate(serial: "A1", ownerRef: "eve", creation: creation)
        let error = await #expect(throws: RegistryError.self) { try await fixture.perform(.updateDevice(update)) }
        #expect(error?.violations.map(\.field) == ["device.hardware_version"])
        var whole = update
        whole.creation?.hardwareVersion = "hw1"
        #expect(try await fixture.device(.updateDevice(whole)).id == 1)
        try await fixture.perform(.deleteDevice(DeviceDeletion(serial: "B2", allowMissing: true)))
        let absent = await #expect(throws: RegistryError.self) {
            try await fixture.perform(.deleteDevice(DeviceDeletion(serial: "B2")))
        }
        #expect(absent?.reason == .deviceNotFound)
    }

    @Test func idsAreNeverReusedAfterADeleteAndARestart() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("A1")
        try await fixture.create("A2")
        try await fixture.perform(.deleteDevice(DeviceDeletion(serial: "A2")))
        let restarted = try fixture.restarted()
        #expect(try await restarted.create("A2").id == 3)
        #expect(restarted.registry.revision.rawValue == 4)
    }

    @Test func validateOnlyChangesNothing() async throws {
        let fixture = try RegistryFixture()
        let creation = DeviceCreation(serial: "A1", ownerRef: "eve", hardwareVersion: "hw1")
        let preview = try await fixture.device(.createDevice(creation), validateOnly: true)
        #expect(preview.id == 0)
        #expect(preview.etag.isEmpty)
        #expect(fixture.visible("A1") == nil)
        #expect(fixture.registry.revision.rawValue == 0)
        #expect(fixture.store.committed.isEmpty)
    }

    @Test func unknownCohortOrProjectIsNotFound() async throws {
        let fixture = try RegistryFixture()
        let noCohort = await #expect(throws: RegistryError.self) { try await fixture.create("A1", cohort: "beta") }
        #expect(noCohort?.reason == .cohortNotFound)
        let noProject = await #expect(throws: RegistryError.self) {
            try await fixture.perform(.deleteDevice(DeviceDeletion(serial: "A1")), project: "other")
        }
        #expect(noProject?.reason == .projectNotFound)
        #expect(noProject?.resource?.name == "other")
    }

    @Test func serverDatesNeverDecreaseWithinADevice() async throws {
        let fixture = try RegistryFixture()
        let created = try await fixture.create("A1")
        fixture.clock.step(microseconds: -1_000_000)
        let updated = try await fixture.device(.updateDevice(DeviceUpdate(serial: "A1", ownerRef: "other")))
        #expect(updated.updatedDate == created.updatedDate)
        #expect(updated.etag != created.etag)
    }

    @Test func textsThatDifferInTheirBytesAloneAreDifferentTexts() async throws {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        let fixture = try RegistryFixture()
        let created = try await fixture.create("A1", ownerRef: composed)
        let updated = try await fixture.device(.updateDevice(DeviceUpdate(serial: "A1", ownerRef: decomposed)))
        #expect(updated.etag != created.etag)
        #expect(fixture.visible("A1").map { Array($0.ownerRef.utf8) } == Array(decomposed.utf8))
        let now = fixture.clock.now
        for text in [composed, decomposed] {
            try await fixture.perform(
                .updateAttributes(
                    AttributesUpdate(
                        serial: "A1", updates: [AttributeUpdate(key: "note", value: .string(text), time: now)])))
            try await fixture.perform(
                .checkIn(CheckIn(serial: "A1", time: now, release: ReleaseName(version: text, revision: ""))))
        }
        #expect(fixture.visible("A1")?.attributes == ["note": .string(decomposed)])
        #expect(fixture.visible("A1")?.release.map { Array($0.utf8) } == Array(decomposed.utf8))
        try await fixture.perform(.createCohort(slug: "c", name: composed))
        guard case .cohort(let cohort) = try await fixture.perform(.renameCohort(slug: "c", name: decomposed)) else {
            return #expect(Bool(false), "Renaming answers a cohort.")
        }
        #expect(Array(cohort.name.utf8) == Array(decomposed.utf8))
    }
}
