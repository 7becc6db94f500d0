// Batches: all or none, with every bad item named.

import DeviceModel
import DeviceQuery
import DeviceRegistry
import FoundationEssentials
import RollcallTesting
import Testing

@Suite struct BatchTests {
    private static func creations(_ serials: [String], cohort: String? = nil) -> Mutation {
        .createDevices(
            batchOf(serials.map { DeviceCreation(serial: $0, ownerRef: "o", hardwareVersion: "h", cohort: cohort) }))
    }

    private static func deletions(_ serials: [String], allowMissing: Bool = false) -> Mutation {
        .deleteDevices(batchOf(serials.map { DeviceDeletion(serial: $0, allowMissing: allowMissing) }))
    }

    @Test func aBatchIsOneChangeOfTheStoreAndAnswersInItsOrder() async throws {
        let fixture = try RegistryFixture()
        let devices = try await fixture.devices(Self.creations(["B", "A", "C"]))
        #expect(devices.map(\.deviceSerial) == ["B", "A", "C"])
        #expect(devices.map(\.id) == [1, 2, 3])
        #expect(fixture.store.committed.count == 1)
        let updates = ["C", "B"].map { DeviceUpdate(serial: $0, ownerRef: "p") }
        let updated = try await fixture.devices(.updateDevices(batchOf(updates)))
        #expect(updated.map(\.id) == [3, 1])
        #expect(updated.allSatisfy { $0.ownerRef == "p" })
        try await fixture.perform(Self.deletions(["A", "C"]))
        #expect(fixture.visible("A") == nil && fixture.visible("C") == nil && fixture.visible("B")?.ownerRef == "p")
        #expect(fixture.store.committed.count == 3)
        try fixture.registry.read { try $0.checkInvariants() }
    }

    @Test func oneBadItemKeepsAllOthersFromHappening() async throws {
        let fixture = try RegistryFixture()
        try await fixture.create("B")
        let creation = try await fixture.refusal(Self.creations(["A", "B", "C", "D"]))
        #expect(creation.code == .alreadyExists && creation.reason == .deviceExists)
        #expect(creation.violations.map(\.field) == ["requests[1].device.device_serial"])
        let update = try await fixture.refusal(
            .updateDevices(
                batchOf([
                    DeviceUpdate(serial: "B", ownerRef: "p"), DeviceUpdate(serial: "X"), DeviceUpdate(serial: "Y"),
                ])))
        #expect(update.code == .notFound && update.reason == .deviceNotFound)
        #expect(update.violations.map(\.field) == [1, 2].map { "requests[\($0)].device.device_serial" })
        let deletion = try await fixture.refusal(Self.deletions(["B", "X"]))
        #expect(deletion.code == .notFound)
        #expect(deletion.violations.map(\.field) == ["requests[1].device_serial"])
        #expect(fixture.registry.revision.rawValue == 1)
        #expect(fixture.visible("A") == nil && fixture.visible("B")?.ownerRef == "owner")
    }

    @Test func faultsOfSeveralKindsAreInvalidArgumentAndAllNamed() async throws {
        let fixture = try RegistryFixture()
        let present = try await fixture.create("B")
        var updates = DeviceBatch<DeviceUpdate>()
        updates.append(DeviceUpdate(serial: "B", etag: "stale"), violations: [])
        updates.append(DeviceUpdate(serial: "X"), violations: [])
        updates.append(
            DeviceUpdate(serial: "Y"), violations: [.init(field: "device.owner_ref", description: "is bad")])
        updates.append(DeviceUpdate(serial: "B", etag: present.etag), violations: [])
        updates.appendUnreadable(violations: [.init(field: "device", description: "must be given")])
        updates.append(
            DeviceUpdate(serial: "Z", creation: DeviceCreation(serial: "Z", ownerRef: "", hardwareVersion: "h")),
            violations: [])
        updates.append(
            DeviceUpdate(
                serial: "W", creation: DeviceCreation(serial: "W", ownerRef: "o", hardwareVersion: "h", cohort: "none")),
            violations: [])
        let error = try await fixture.refusal(.updateDevices(updates))
        #expect(error.code == .invalidArgument && error.reason == .fieldInvalid)
        #expect(
            Set(error.violations.map(\.field)) == [
                "requests[0].device.etag", "requests[1].device.device_serial", "requests[2].device.owner_ref",
                "requests[3].device.device_serial", "requests[4].device", "requests[5].device.owner_ref",
                "requests[6].device.cohort.slug",
            ])
        #expect(error.message.hasSuffix("(and 6 more bad fields)."), "\(error.message)")
    }

    @Test func staleEtagsAloneAreAborted() async throws {
        let fixture = try RegistryFixture()
        for serial in ["A", "B"] { try await fixture.create(serial) }
        let deletions = ["A", "B"].map { DeviceDeletion(serial: $0, etag: "stale") }
        let error = try await fixture.refusal(.deleteDevices(batchOf(deletions)))
        #expect(error.code == .aborted && error.reason == .etagStale)
        #expect(error.violations.map(\.field) == ["requests[0].etag", "requests[1].etag"])
        #expect(fixture.visible("A") != nil && fixture.visible("B") != nil)
    }

    @Test func aBatchThatOnlyValidatesShowsWhatWouldBe() async throws {
        let fixture = try RegistryFixture()
        let outcome = try await fixture.perform(Self.creations(["A", "B"]), validateOnly: true)
        guard case .devices(let devices) = outcome else { throw UnexpectedOutcome(outcome: outcome) }
        #expect(devices.map(\.id) == [0, 0] && devices.map(\.etag) == ["", ""])
        #expect(fixture.store.committed.isEmpty)
        _ = try await fixture.perform(Self.deletions(["X"], allowMissing: true), validateOnly: true)
    }

    @Test func aBatchSeesTheMutationsBeforeItInItsGroup() async throws {
        let fixture = try RegistryFixture()
        let refusals = try await fixture.inOneGroup([
            .createDevice(DeviceCreation(serial: "A", ownerRef: "o", hardwareVersion: "h")),
            Self.creations(["A", "B"]), Self.creations(["C", "D"]), Self.deletions(["A", "B"]),
            Self.deletions(["A", "C"]), Self.creations(["A", "B"]),
        ])
        #expect(refusals.map(\.?.reason) == [nil, .deviceExists, nil, .deviceNotFound, nil, nil])
        #expect(["A", "B", "C", "D"].map { fixture.visible($0) != nil } == [true, true, false, true])
        try fixture.registry.read { try $0.checkInvariants() }
    }

    @Test func aBatchWhoseCommitFailsChangesNothing() async throws {
        let fixture = try RegistryFixture()
        fixture.store.fail(.unavailable)
        let error = try await fixture.refusal(Self.creations(["A", "B"]))
        #expect(error.code == .unavailable)
        #expect(fixture.visible("A") == nil)
        _ = try await fixture.devices(Self.creations(["A", "B"]))
    }

    @Test func aRepeatAnswersThePresentStateOfAllDevicesAlsoAfterARestart() async throws {
        let fixture = try RegistryFixture()
        let id = UUID()
        let creations = Self.creations(["A", "B"])
        let first = try await fixture.devices(creations, identity: identity(id))
        #expect(try await fixture.devices(creations, identity: identity(id)) == first)
        try await fixture.device(.updateDevice(DeviceUpdate(serial: "B", ownerRef: "later")))
        let restarted = try fixture.restarted()
        let again = try await restarted.devices(creations, identity: identity(id))
        #expect(again.map(\.id) == first.map(\.id) && again.map(\.ownerRef) == ["o", "later"])
        #expect(restarted.registry.revision.rawValue == 3)
    }

    @Test func aRepeatNamesTheDevicesThatAreGoneEvenWhereTheirSerialsAreUsedAgain() async throws {
        let fixture = try RegistryFixture()
        let id = UUID()
        let creations = Self.creations(["A", "B", "C"])
        _ = try await fixture.devices(creations, identity: identity(id))
        try await fixture.perform(Self.deletions(["B", "C"]))
        try await fixture.create("C")
        do throws(RegistryError) {
            try await fixture.perform(creations, identity: identity(id))
            Issue.record("Two of the devices are gone.")
        } catch {
            #expect(error.code == .notFound)
            #expect(error.violations.map(\.field) == [1, 2].map { "requests[\($0)].device.device_serial" })
        }
    }

    @Test func aRepeatedDeletionIsAnsweredAlthoughTheDevicesAreGone() async throws {
        let fixture = try RegistryFixture()
        for serial in ["A", "B"] { try await fixture.create(serial) }
        let id = UUID()
        for _ in 0..<2 {
            let outcome = try await fixture.perform(Self.deletions(["A", "B"]), identity: identity(id))
            #expect(outcome == .deleted)
        }
        #expect(fixture.registry.revision.rawValue == 4)
    }

    @Test func aBatchCountsItsItemsAgainstTheRowsOfAGroup() async throws {
        var limits = Limits()
        limits.groupRowCountMax = 4
        let fixture = try RegistryFixture(limits: limits)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for first in 0..<8 {
                group.addTask {
                    _ = try await fixture.devices(Self.creations((0..<3).map { "S\(first)-\($0)" }))
                }
            }
            try await group.waitForAll()
        }
        #expect(fixture.store.committed.allSatisfy { $0.changes.count <= 4 })
        #expect(fixture.store.committed.count == 8)
    }
}

/// A batch of items that are all in order.
func batchOf<Item: BatchItem>(_ items: [Item]) -> DeviceBatch<Item> {
    var batch = DeviceBatch<Item>()
    for item in items { batch.append(item, violations: []) }
    return batch
}

extension RegistryFixture {
    /// Performs a mutation that answers devices.
    func devices(_ mutation: Mutation, identity: MutationRequest.Identity? = nil) async throws -> [Device] {
        let outcome = try await self.perform(mutation, identity: identity)
        guard case .devices(let devices) = outcome else { throw UnexpectedOutcome(outcome: outcome) }
        return devices
    }

    /// The refusal of a mutation that must not succeed.
    func refusal(_ mutation: Mutation) async throws -> RegistryError {
        do {
            throw UnexpectedOutcome(outcome: try await self.perform(mutation))
        } catch let error as RegistryError {
            return error
        }
    }
}
