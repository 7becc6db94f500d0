// The digest that a named request is known by.

import DeviceModel
import DeviceRegistry
import Testing

@Suite struct MutationDigestTests {
    private static let creation = DeviceCreation(serial: "A", ownerRef: "o", hardwareVersion: "h")

    /// Each asks for something else than every other.
    private static let mutations: [Mutation] =
        [
            .createDevice(Self.creation),
            .createDevice(DeviceCreation(serial: "A", ownerRef: "oh", hardwareVersion: "")),
            .createDevice(DeviceCreation(serial: "A", ownerRef: "", hardwareVersion: "oh")),
            .createDevice(DeviceCreation(serial: "A", ownerRef: "o", hardwareVersion: "h", cohort: "c")),
            .updateDevice(DeviceUpdate(serial: "A")),
            .updateDevice(DeviceUpdate(serial: "A", ownerRef: "o")),
            .updateDevice(DeviceUpdate(serial: "A", hardwareVersion: "o")),
            .updateDevice(DeviceUpdate(serial: "A", cohort: "o")),
            .updateDevice(DeviceUpdate(serial: "A", etag: "o")),
            .updateDevice(DeviceUpdate(serial: "A", creation: Self.creation)),
            .deleteDevice(DeviceDeletion(serial: "A")),
            .deleteDevice(DeviceDeletion(serial: "A", allowMissing: true)),
            .deleteDevice(DeviceDeletion(serial: "A", etag: "e")),
            .checkIn(CheckIn(serial: "A")),
            .checkIn(CheckIn(serial: "A", time: .epoch)),
            .checkIn(CheckIn(serial: "A", release: ReleaseName(version: "1", revision: ""))),
            .checkIn(CheckIn(serial: "A", hardwareVersion: "1")),
            .checkIn(CheckIn(serial: "A", createMissing: true)),
            .updateAttributes(AttributesUpdate(serial: "A", updates: [])),
            .updateAttributes(AttributesUpdate(serial: "A", updates: [], mode: .replace)),
            .updateAttributes(AttributesUpdate(serial: "A", updates: [], etag: "e")),
            .createDevices(batchOf([Self.creation])),
            .createDevices(batchOf([Self.creation, DeviceCreation(serial: "B", ownerRef: "o", hardwareVersion: "h")])),
            .createDevices(batchOf([DeviceCreation(serial: "B", ownerRef: "o", hardwareVersion: "h"), Self.creation])),
            .updateDevices(batchOf([DeviceUpdate(serial: "A")])),
            .updateDevices(batchOf([DeviceUpdate(serial: "A", creation: Self.creation)])),
            .deleteDevices(batchOf([DeviceDeletion(serial: "A")])),
            .deleteDevices(batchOf([DeviceDeletion(serial: "A"), DeviceDeletion(serial: "B")])),
            .createProject(name: "A"), .deleteProject(allowMissing: false), .deleteProject(allowMissing: true),
            .createCohort(slug: "A", name: "B"), .renameCohort(slug: "A", name: "B"),
            .deleteCohort(slug: "A", allowMissing: false), .deleteCohort(slug: "A", allowMissing: true),
        ]
        + [
            [("k", nil)], [("k", .int(1))], [("k", .bool(true))], [("k", .float(1))], [("k", .string("1"))],
            [("k", .int(1)), ("l", nil)], [("K", .int(1))], [("k", .bool(false))], [("k", .int(0))],
        ].map { (entries: [(String, AttributeValue?)]) in
            let updates = entries.map { AttributeUpdate(key: $0.0, value: $0.1) }
            return .updateAttributes(AttributesUpdate(serial: "A", updates: updates))
        }

    /// Each chooses other devices than every other.
    private static let purges: [DevicePurge] = {
        let changes: [(inout DeviceFilter) -> Void] = [
            { _ in }, { $0.releases = ["A"] }, { $0.ownerRefs = ["A"] }, { $0.hardwareVersions = ["A"] },
            { $0.cohorts = ["A"] }, { $0.deviceSerials = ["A"] }, { $0.deviceSerials = ["A", "B"] },
            { $0.lastSeenSince = .epoch }, { $0.lastSeenUntil = .epoch }, { $0.activity = .active },
            { $0.activity = .inactive }, { $0.activityWindowMicroseconds = 2 }, { $0.expression = "A" },
        ]
        return changes.map { change in
            var filter = DeviceFilter()
            change(&filter)
            return DevicePurge(filter: filter)
        }
    }()

    @Test func whatAsksForSomethingElseHasAnotherDigest() {
        let digests = Self.mutations.map(\.digest) + Self.purges.map(\.digest)
        #expect(Set(digests).count == digests.count)
    }

    /// Digests lie in stores: what comes out here is never to change.
    @Test func digestsAreTheSameInEveryRelease() {
        let attributes = AttributesUpdate(
            serial: "A-1", updates: [AttributeUpdate(key: "k", value: .float(20.5), time: .epoch)])
        #expect(Mutation.createDevice(Self.creation).digest == 10_212_841_527_943_010_617)
        #expect(Mutation.updateAttributes(attributes).digest == 17_443_616_402_724_816_249)
        #expect(Mutation.createDevices(batchOf([Self.creation])).digest == 18_218_273_957_517_656_619)
        #expect(
            Mutation.updateDevices(batchOf([DeviceUpdate(serial: "A", etag: "e")])).digest == 894_170_122_282_369_456)
        #expect(
            Mutation.deleteDevices(batchOf([DeviceDeletion(serial: "A"), DeviceDeletion(serial: "B")])).digest
                == 6_344_776_411_237_769_627)
        var filter = DeviceFilter()
        filter.cohorts = ["beta", "lab"]
        filter.expression = "id > 0"
        #expect(DevicePurge(filter: filter, expectedCount: 3).digest == 4_885_017_002_355_269_788)
    }
}
