// Create, get, delete.

import CRollcallProto
import DeviceModel
import DeviceWire
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct DeviceCallTests {
    @Test func aCreatedDeviceIsAnsweredAndFound() async throws {
        let service = try ServiceHarness()
        let created = try await service.create("A-1", owner: "é owner", hardware: "rev+1")
        #expect(created.id == 1)
        #expect(created.createdDate == service.clock.now)
        #expect(created.updatedDate == created.createdDate)
        #expect(created.ownerRef == "é owner")
        #expect(created.hardwareVersion == "rev+1")
        #expect(created.lastSeen == nil)
        #expect(created.lastSeenRelease == nil)
        #expect(created.cohort == Cohort(id: 1, name: "Default", slug: "default"))
        #expect(!created.etag.isEmpty)
        #expect(try await service.get("A-1") == created)
    }

    @Test func everyBadFieldOfACreateIsNamedAtOnce() async throws {
        let service = try ServiceHarness()
        let refusal = try await service.refusal("CreateDevice", Messages.createDeviceRequest) { request, arena in
            request.project = arena.text("no spaces")
            request.device = arena.device("bad serial", hardware: "bad/hw", cohort: "bad cohort")
            request.request_id = arena.text("not a uuid")
        }
        #expect(refusal.code == .invalidArgument)
        #expect(refusal.reason == "FIELD_INVALID")
        #expect(
            Set(refusal.fields) == [
                "project", "device.device_serial", "device.owner_ref", "device.hardware_version", "device.cohort.slug",
                "request_id",
            ])
        #expect(refusal.message.hasPrefix(refusal.fields[0]))
        #expect(refusal.message.contains("5 more"))
    }

    @Test func aCreateWithoutADeviceSaysSo() async throws {
        let service = try ServiceHarness()
        let refusal = try await service.refusal("CreateDevice", Messages.createDeviceRequest)
        #expect(refusal.fields == ["device"])
    }

    @Test func aDuplicateIsRefusedAndLeavesTheStoredDeviceByteForByte() async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        let before = try await service.call("GetDevice", Messages.getDeviceRequest) {
            $0.device_serial = $1.text("A-1")
        }
        service.clock.advance(microseconds: 1_000_000)
        let refusal = try await service.refusal("CreateDevice", Messages.createDeviceRequest) { request, arena in
            request.device = arena.device("A-1", owner: "another", hardware: "hw2")
        }
        #expect(refusal.code == .alreadyExists)
        #expect(refusal.reason == "DEVICE_EXISTS")
        #expect(refusal.resource == ["rollcall.v1.Device", "A-1"])
        let after = try await service.call("GetDevice", Messages.getDeviceRequest) { $0.device_serial = $1.text("A-1") }
        #expect(after == before)
    }

    @Test func aCreateNamesTheProjectOrCohortThatIsNotThere() async throws {
        let service = try ServiceHarness()
        let noCohort = try await service.refusal("CreateDevice", Messages.createDeviceRequest) { request, arena in
            request.device = arena.device("A-1", owner: "o", hardware: "h", cohort: "beta")
        }
        #expect(noCohort.code == .notFound)
        #expect(noCohort.reason == "COHORT_NOT_FOUND")
        #expect(noCohort.resource == ["rollcall.v1.Cohort", "beta"])
        let noProject = try await service.refusal("CreateDevice", Messages.createDeviceRequest) { request, arena in
            request.project = arena.text("other")
            request.device = arena.device("A-1", owner: "o", hardware: "h")
        }
        #expect(noProject.code == .notFound)
        #expect(noProject.reason == "PROJECT_NOT_FOUND")
        #expect(noProject.resource == ["rollcall.v1.Project", "other"])
    }

    @Test func aCreateThatOnlyValidatesStoresNothing() async throws {
        let service = try ServiceHarness()
        let bytes = try await service.call("CreateDevice", Messages.createDeviceRequest) { request, arena in
            request.device = arena.device("A-1", owner: "o", hardware: "h")
            request.validate_only = 1
        }
        #expect(try device(from: bytes).deviceSerial == "A-1")
        #expect(try await service.list().items.isEmpty)
        #expect(service.store.committed.isEmpty)
    }

    @Test func aGetTellsAnUnknownDeviceFromAnUnknownProjectAndABadSerial() async throws {
        let service = try ServiceHarness()
        let noDevice = try await service.refusal("GetDevice", Messages.getDeviceRequest) {
            $0.device_serial = $1.text("A-1")
        }
        #expect(noDevice.code == .notFound)
        #expect(noDevice.reason == "DEVICE_NOT_FOUND")
        #expect(noDevice.resource == ["rollcall.v1.Device", "A-1"])
        let noProject = try await service.refusal("GetDevice", Messages.getDeviceRequest) {
            $0.project = $1.text("other")
            $0.device_serial = $1.text("A-1")
        }
        #expect(noProject.reason == "PROJECT_NOT_FOUND")
        for serial in ["", "with space", String(repeating: "x", count: 129)] {
            let bad = try await service.refusal("GetDevice", Messages.getDeviceRequest) {
                $0.device_serial = $1.text(serial)
            }
            #expect(bad.code == .invalidArgument)
            #expect(bad.fields == ["device_serial"])
        }
    }

    @Test func anUnknownViewIsRefusedWithTheOtherBadFields() async throws {
        let service = try ServiceHarness()
        let refusal = try await service.refusal("GetDevice", Messages.getDeviceRequest) { request, _ in
            request.view = Rollcall__V1__DeviceView(rawValue: 9)
        }
        #expect(refusal.fields == ["device_serial", "view"])
    }

    @Test func attributesComeOnlyWithTheFullView() async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        try await service.setAttributes("A-1", [AttributeUpdate(key: "battery", value: .int(7))])
        #expect(try await service.get("A-1").attributes.isEmpty)
        let full = try await service.get("A-1", view: .full)
        #expect(full.attributes.map(\.customMetric.stringKey) == ["battery"])
        #expect(full.attributes.map(\.state.value) == [.int(7)])
        var basic = full
        basic.attributes = []
        #expect(try await service.get("A-1") == basic)
    }

    @Test func aDeletedDeviceIsGone() async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        let reply = try await service.call("DeleteDevice", Messages.deleteDeviceRequest) {
            $0.device_serial = $1.text("A-1")
        }
        #expect(reply.isEmpty)
        let gone = try await service.refusal("GetDevice", Messages.getDeviceRequest) {
            $0.device_serial = $1.text("A-1")
        }
        #expect(gone.reason == "DEVICE_NOT_FOUND")
        let again = try await service.refusal("DeleteDevice", Messages.deleteDeviceRequest) {
            $0.device_serial = $1.text("A-1")
        }
        #expect(again.reason == "DEVICE_NOT_FOUND")
        let allowed = try await service.call("DeleteDevice", Messages.deleteDeviceRequest) {
            $0.device_serial = $1.text("A-1")
            $0.allow_missing = 1
        }
        #expect(allowed.isEmpty)
        #expect(try await service.create("A-1").id == 2)
    }

    @Test func aDeleteWithAStaleEtagIsAborted() async throws {
        let service = try ServiceHarness()
        let created = try await service.create("A-1")
        let refusal = try await service.refusal("DeleteDevice", Messages.deleteDeviceRequest) {
            $0.device_serial = $1.text("A-1")
            $0.etag = $1.text("stale")
        }
        #expect(refusal.code == .aborted)
        #expect(refusal.reason == "ETAG_STALE")
        _ = try await service.call("DeleteDevice", Messages.deleteDeviceRequest) {
            $0.device_serial = $1.text("A-1")
            $0.etag = $1.text(created.etag)
        }
        #expect(try await service.list().items.isEmpty)
    }
}
