// Imports in the writer: each item alone, in order, durable like any other mutation.

import DeviceModel
import DeviceQuery
import DeviceRegistry
import RollcallTesting
import Testing

@Suite struct ImportTests {
    private func items(_ devices: [ImportItem]) -> [DeviceImport.Item] {
        devices.enumerated().map { DeviceImport.Item(position: Int64($0 + 1), device: $1) }
    }

    private func perform(
        _ devices: [ImportItem], _ mode: ImportMode = .create, validateOnly: Bool = false, in fixture: RegistryFixture
    ) async throws -> ImportOutcome {
        let mutation = Mutation.importDevices(DeviceImport(mode: mode, items: self.items(devices)))
        let outcome = try await fixture.perform(mutation, validateOnly: validateOnly)
        guard case .imported(let imported) = outcome else { throw UnexpectedOutcome(outcome: outcome) }
        return imported
    }

    private func item(_ serial: String, _ change: (inout ImportItem) -> Void = { _ in }) -> ImportItem {
        var item = ImportItem(serial: serial, ownerRef: "owner", hardwareVersion: "hw1")
        change(&item)
        return item
    }

    @Test func aNewDeviceIsAsItsItemSays() async throws {
        let fixture = try RegistryFixture()
        let (seen, taken) = (
            fixture.clock.now.advanced(byMicroseconds: -9), fixture.clock.now.advanced(byMicroseconds: -7)
        )
        let item = self.item("A") {
            $0.cohort = "beta"
            $0.createsCohort = true
            $0.lastSeen = seen
            $0.release = Release(id: 0, version: "1.2", revision: "r")
            $0.attributes = [
                AttributeUpdate(key: "battery", value: .int(7), time: taken),
                AttributeUpdate(key: "name", value: .string("x")),
            ]
        }
        let outcome = try await self.perform([item], in: fixture)
        #expect((outcome.createdCount, outcome.updatedCount, outcome.failures.count) == (1, 0, 0))
        let device = try #require(fixture.visible("A"))
        #expect(device.cohort == "beta")
        #expect(device.lastSeen == seen)
        #expect(device.release == "1.2")
        #expect(device.attributes == ["battery": .int(7), "name": .string("x")])
        #expect(device.createdDate == fixture.clock.now)
        let times = fixture.registry.read { index -> [Timestamp] in
            guard let project = index.project(slug: "default"),
                let device = index.device(id: DeviceID(rawValue: 1), in: project.id)
            else { return [] }
            var times: [Timestamp] = []
            device.forEachAttribute { times.append($1.time) }
            return times
        }
        #expect(times == [taken, seen], "a value without a time takes the check-in's")
    }

    @Test func eachItemFailsAlone() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("taken", ownerRef: "first")
        let future = fixture.clock.now.advanced(byMicroseconds: 3_600_000_000)
        let outcome = try await self.perform(
            [
                self.item("A"), self.item("taken"), self.item("A"), self.item("B") { $0.cohort = "none" },
                self.item("C") { $0.lastSeen = future }, self.item("D") { $0.ownerRef = "" },
                self.item("E") { $0.hardwareVersion = "" },
                self.item("F") {
                    $0.ownerRef = ""
                    $0.lastSeen = fixture.clock.now
                },
                self.item("G") { $0.attributes = [AttributeUpdate(key: "k", value: .int(1))] },
                self.item("H") { $0.attributes = [AttributeUpdate(key: "K", value: .bool(true))] },
            ], in: fixture)
        #expect(outcome.createdCount == 3)
        #expect(outcome.failures.map(\.position) == [2, 3, 4, 5, 6, 7, 10])
        #expect(
            outcome.failures.map(\.error.reason) == [
                .deviceExists, .deviceExists, .cohortNotFound, .fieldInvalid, .fieldInvalid, .fieldInvalid,
                .attributeTypeMismatch,
            ])
        #expect(
            outcome.failures.map { $0.error.violations.map(\.field) } == [
                [], [], [], ["last_seen"], ["owner_ref"], ["hardware_version"], ["attributes[0].value"],
            ])
        #expect(fixture.visible("taken")?.ownerRef == "first")
        #expect(fixture.visible("F")?.ownerRef == "")
        #expect(fixture.visible("H") == nil)
    }

    @Test func anUpsertChangesWhatIsGivenAndMovesTheEtagOnlyForThat() async throws {
        let fixture = try RegistryFixture()
        let now = fixture.clock.now
        try await fixture.create("A", ownerRef: "first")
        try await fixture.device(
            .checkIn(CheckIn(serial: "A", time: now, release: ReleaseName(version: "2", revision: ""))))
        let before = try #require(fixture.visible("A"))

        // An older check-in, and nothing else: not even a revision.
        let revision = fixture.registry.revision
        let older = ImportItem(
            serial: "A", lastSeen: now.advanced(byMicroseconds: -5), release: Release(id: 0, version: "1", revision: "")
        )
        let first = try await self.perform([older], .upsert, in: fixture)
        #expect((first.createdCount, first.updatedCount) == (0, 1))
        #expect(fixture.visible("A") == before)
        #expect(fixture.registry.revision == revision)

        // A newer one moves no etag.
        let later = now.advanced(byMicroseconds: 5)
        let newer = ImportItem(serial: "A", lastSeen: later, release: Release(id: 0, version: "3", revision: ""))
        _ = try await self.perform([newer], .upsert, in: fixture)
        var expected = before
        expected.lastSeen = later
        expected.release = "3"
        #expect(fixture.visible("A") == expected)

        // A field or a value does.
        _ = try await self.perform([ImportItem(serial: "A", ownerRef: "second")], .upsert, in: fixture)
        let changed = try #require(fixture.visible("A"))
        #expect(changed.ownerRef == "second")
        #expect(changed.hardwareVersion == "hw1")
        #expect(changed.etagRevision > before.etagRevision)
        let value = ImportItem(serial: "A", attributes: [AttributeUpdate(key: "k", value: .int(1), time: now)])
        _ = try await self.perform([value], .upsert, in: fixture)
        let valued = try #require(fixture.visible("A"))
        #expect(valued.etagRevision > changed.etagRevision)

        // An older value is ignored, and one of the same time is the later word.
        let stale = ImportItem(
            serial: "A", attributes: [AttributeUpdate(key: "k", value: .int(2), time: now.advanced(byMicroseconds: -1))]
        )
        _ = try await self.perform([stale], .upsert, in: fixture)
        #expect(fixture.visible("A") == valued)
    }

    @Test func upsertsOfOneSerialInOneChunkFollowEachOther() async throws {
        let fixture = try RegistryFixture()
        let outcome = try await self.perform(
            [
                self.item("A"), self.item("A") { $0.ownerRef = "second" },
                ImportItem(serial: "A", lastSeen: fixture.clock.now),
            ],
            .upsert, in: fixture)
        #expect((outcome.createdCount, outcome.updatedCount) == (1, 2))
        #expect(fixture.visible("A")?.ownerRef == "second")
        #expect(fixture.visible("A")?.lastSeen == fixture.clock.now)
        let restarted = try fixture.restarted()
        #expect(restarted.visible("A") == fixture.visible("A"))
    }

    @Test func aValidationChangesNothing() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("taken")
        let revision = fixture.registry.revision
        let outcome = try await self.perform(
            [
                self.item("A") {
                    $0.cohort = "new"
                    $0.createsCohort = true
                }, self.item("taken"),
            ], validateOnly: true, in: fixture)
        #expect(outcome.createdCount == 1)
        #expect(outcome.failures.map(\.position) == [2])
        #expect(fixture.registry.revision == revision)
        #expect(fixture.visible("A") == nil)
        #expect(fixture.registry.read { $0.cohort(slug: "new", in: ProjectID(rawValue: 1)) } == nil)
    }

    @Test func aFailedItemLeavesNoCohortNorReleaseBehind() async throws {
        let fixture = try RegistryFixture()
        let outcome = try await self.perform(
            [
                self.item("A") {
                    $0.cohort = "new"
                    $0.createsCohort = true
                    $0.release = Release(id: 0, version: "9", revision: "")
                    $0.lastSeen = fixture.clock.now
                    $0.attributes = [
                        AttributeUpdate(key: "k", value: .int(1)),
                        AttributeUpdate(
                            key: "t", value: .int(1), time: fixture.clock.now.advanced(byMicroseconds: 1 << 40)),
                    ]
                }
            ], in: fixture)
        #expect(outcome.failures.map(\.error.reason) == [.fieldInvalid])
        let project = ProjectID(rawValue: 1)
        let counts = fixture.registry.read {
            [$0.cohortCount(in: project), $0.releaseCount(in: project), $0.attributeKeyCount(in: project)]
        }
        #expect(counts == [1, 0, 0])
    }

    @Test func aProjectThatIsNotThereRefusesTheWholeChunk() async throws {
        let fixture = try RegistryFixture()
        await #expect(throws: RegistryError.self) {
            _ = try await fixture.perform(
                .importDevices(DeviceImport(mode: .create, items: self.items([self.item("A")]))), project: "none")
        }
        #expect(fixture.visible("A") == nil)
    }
}
