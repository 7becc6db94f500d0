// Masks, etags, and creating by update.

import CRollcallProto
import DeviceModel
import DeviceWire
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct UpdateDeviceTests {
    /// One update of a device with owner `o1`, hardware `h1` and cohort `c1`.
    struct Row: Sendable, CustomTestStringConvertible {
        var mask: [String]?
        var owner: String?
        var hardware: String?
        var cohort: String?
        /// Owner, hardware and cohort afterwards; nil where the update is refused.
        var result: [String]?
        var badFields: [String] = []

        var testDescription: String {
            "mask \(self.mask ?? []), given \([self.owner, self.hardware, self.cohort])"
        }
    }

    @Test(arguments: [
        // Without a mask, or with an empty one: what is populated.
        Row(mask: nil, owner: "o2", result: ["o2", "h1", "c1"]),
        Row(mask: nil, owner: "o2", hardware: "h2", cohort: "c2", result: ["o2", "h2", "c2"]),
        Row(mask: [], hardware: "h2", result: ["o1", "h2", "c1"]),
        Row(mask: nil, result: ["o1", "h1", "c1"]),
        Row(mask: nil, cohort: "", result: ["o1", "h1", "c1"]),
        // A mask: what it names, and nothing else.
        Row(mask: ["owner_ref"], owner: "o2", hardware: "h2", cohort: "c2", result: ["o2", "h1", "c1"]),
        Row(
            mask: ["hardware_version", "cohort"], owner: "o2", hardware: "h2", cohort: "c2", result: ["o1", "h2", "c2"]),
        Row(mask: ["owner_ref", "owner_ref"], owner: "o2", result: ["o2", "h1", "c1"]),
        // What it does not name may hold anything.
        Row(mask: ["owner_ref"], owner: "o2", hardware: "h 2", cohort: "a b", result: ["o2", "h1", "c1"]),
        Row(
            mask: ["cohort"], owner: String(repeating: "o", count: 257), hardware: "h 2", cohort: "c2",
            result: ["o1", "h1", "c2"]),
        Row(mask: ["cohort"], cohort: "a b", badFields: ["device.cohort.slug"]),
        // Named and empty: an error where the field has no default.
        Row(mask: ["owner_ref", "hardware_version"], badFields: ["device.owner_ref", "device.hardware_version"]),
        Row(mask: ["cohort"], result: ["o1", "h1", "default"]),
        Row(mask: ["cohort"], cohort: "", result: ["o1", "h1", "default"]),
        // A star replaces the whole.
        Row(mask: ["*"], owner: "o2", hardware: "h2", cohort: "c2", result: ["o2", "h2", "c2"]),
        Row(mask: ["*"], owner: "o2", hardware: "h2", result: ["o2", "h2", "default"]),
        Row(mask: ["*"], owner: "o2", badFields: ["device.hardware_version"]),
        Row(mask: ["*", "cohort"], owner: "o2", hardware: "h2", badFields: ["update_mask"]),
        // Anything else is no path.
        Row(mask: ["cohort.slug", "etag", "owner_ref"], owner: "o2", badFields: ["update_mask", "update_mask"]),
        Row(mask: [""], badFields: ["update_mask"]),
    ])
    func aMaskChangesWhatItNames(_ row: Row) async throws {
        let service = try ServiceHarness()
        try await service.createCohort("c1")
        try await service.createCohort("c2")
        let created = try await service.create("A-1", owner: "o1", hardware: "h1", cohort: "c1")
        service.clock.advance(microseconds: 1)
        func fill(_ request: inout Rollcall__V1__UpdateDeviceRequest, _ arena: Arena) {
            request.device = arena.device("A-1", owner: row.owner, hardware: row.hardware, cohort: row.cohort)
            request.update_mask = row.mask.map { arena.mask($0) }
        }
        guard let result = row.result else {
            let refusal = try await service.refusal("UpdateDevice", Messages.updateDeviceRequest, fill)
            #expect(refusal.fields == row.badFields)
            #expect(try await service.get("A-1") == created)
            return
        }
        let updated = try device(from: await service.call("UpdateDevice", Messages.updateDeviceRequest, fill))
        #expect([updated.ownerRef, updated.hardwareVersion, updated.cohort.slug] == result)
        #expect(try await service.get("A-1") == updated)
        let isChanged = result != ["o1", "h1", "c1"]
        #expect((updated.etag != created.etag) == isChanged)
        #expect((updated.updatedDate != created.updatedDate) == isChanged)
    }

    @Test func anUnknownPathIsToldTheKnownOnes() async throws {
        let service = try ServiceHarness()
        let refusal = try await service.refusal("UpdateDevice", Messages.updateDeviceRequest) { request, arena in
            request.device = arena.device("A-1")
            request.update_mask = arena.mask(["owner"])
        }
        #expect(
            refusal.violations == [
                FieldViolation(
                    field: "update_mask",
                    description:
                        "has the unknown path 'owner'; known paths are owner_ref, hardware_version, cohort and *")
            ])
    }

    @Test func aStaleEtagAbortsAndAPresentOneDoesNot() async throws {
        let service = try ServiceHarness()
        let created = try await service.create("A-1")
        func update(owner: String, etag: String) -> (inout Rollcall__V1__UpdateDeviceRequest, Arena) -> Void {
            { request, arena in request.device = arena.device("A-1", owner: owner, etag: etag) }
        }
        let reply = try await service.call(
            "UpdateDevice", Messages.updateDeviceRequest, update(owner: "o2", etag: created.etag))
        #expect(try device(from: reply).ownerRef == "o2")
        let refusal = try await service.refusal(
            "UpdateDevice", Messages.updateDeviceRequest, update(owner: "o3", etag: created.etag))
        #expect(refusal.code == .aborted)
        #expect(refusal.reason == "ETAG_STALE")
        #expect(refusal.resource == ["rollcall.v1.Device", "A-1"])
        #expect(try await service.get("A-1").ownerRef == "o2")
    }

    @Test func anAbsentDeviceIsCreatedOnlyWhereThatIsAllowed() async throws {
        let service = try ServiceHarness()
        let refusal = try await service.refusal("UpdateDevice", Messages.updateDeviceRequest) {
            $0.device = $1.device("A-1", owner: "o", hardware: "h")
        }
        #expect(refusal.reason == "DEVICE_NOT_FOUND")
        let incomplete = try await service.refusal("UpdateDevice", Messages.updateDeviceRequest) {
            $0.device = $1.device("A-1")
            $0.allow_missing = 1
        }
        #expect(incomplete.fields == ["device.owner_ref", "device.hardware_version"])
        let reply = try await service.call("UpdateDevice", Messages.updateDeviceRequest) {
            $0.device = $1.device("A-1", owner: "o", hardware: "h")
            $0.allow_missing = 1
        }
        #expect(try device(from: reply) == (try await service.get("A-1")))
    }

    @Test(arguments: [nil, ["cohort"], ["owner_ref"], ["hardware_version"]] as [[String]?])
    func anAbsentDeviceIsCreatedFromAllThatIsPopulatedWhateverTheMask(_ mask: [String]?) async throws {
        let service = try ServiceHarness()
        try await service.createCohort("c1")
        let reply = try await service.call("UpdateDevice", Messages.updateDeviceRequest) { request, arena in
            request.device = arena.device("A-1", owner: "o", hardware: "h", cohort: "c1")
            request.update_mask = mask.map { arena.mask($0) }
            request.allow_missing = 1
        }
        let created = try device(from: reply)
        #expect([created.ownerRef, created.hardwareVersion, created.cohort.slug] == ["o", "h", "c1"])
        #expect(try await service.get("A-1") == created)
    }

    @Test func whatTheMaskLeavesOutIsCheckedOnlyToCreateFromIt() async throws {
        let service = try ServiceHarness()
        func fill(_ request: inout Rollcall__V1__UpdateDeviceRequest, _ arena: Arena) {
            request.device = arena.device("A-1", owner: "o2", hardware: "h 2", cohort: "a b")
            request.update_mask = arena.mask(["owner_ref"])
            request.allow_missing = 1
        }
        let refusal = try await service.refusal("UpdateDevice", Messages.updateDeviceRequest, fill)
        #expect(refusal.code == .invalidArgument)
        #expect(refusal.fields == ["device.hardware_version", "device.cohort.slug"])
        try await service.create("A-1", owner: "o1", hardware: "h1")
        let updated = try device(from: await service.call("UpdateDevice", Messages.updateDeviceRequest, fill))
        #expect([updated.ownerRef, updated.hardwareVersion, updated.cohort.slug] == ["o2", "h1", "default"])
    }

    @Test func anUpdateThatOnlyValidatesChangesNothing() async throws {
        let service = try ServiceHarness()
        let created = try await service.create("A-1")
        let reply = try await service.call("UpdateDevice", Messages.updateDeviceRequest) {
            $0.device = $1.device("A-1", owner: "o2")
            $0.validate_only = 1
        }
        #expect(try device(from: reply).ownerRef == "o2")
        #expect(try await service.get("A-1") == created)
    }

    @Test func anUpdateWithoutADeviceOrSerialSaysSo() async throws {
        let service = try ServiceHarness()
        let noDevice = try await service.refusal("UpdateDevice", Messages.updateDeviceRequest)
        #expect(noDevice.fields == ["device"])
        let noSerial = try await service.refusal("UpdateDevice", Messages.updateDeviceRequest) {
            $0.device = $1.device("", owner: "o")
        }
        #expect(noSerial.fields == ["device.device_serial"])
    }
}
