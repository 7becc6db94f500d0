// Mutations that a caller names so that it can repeat them.

import CRollcallProto
import DeviceModel
import DeviceWire
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct RequestIDTests {
    private static let id = "0b4a9c1e-5d2f-4c7b-9a58-3e1f6d7c8b90"

    private static func create(
        _ serial: String, owner: String = "o", id: String = Self.id, validateOnly: Bool = false
    ) -> (inout Rollcall__V1__CreateDeviceRequest, Arena) -> Void {
        { request, arena in
            request.device = arena.device(serial, owner: owner, hardware: "h")
            request.request_id = arena.text(id)
            request.validate_only = validateOnly ? 1 : 0
        }
    }

    @Test func aRepeatAnswersTheFirstOutcomeWithoutASecondEffect() async throws {
        let service = try ServiceHarness()
        let first = try await service.call("CreateDevice", Messages.createDeviceRequest, Self.create("A-1"))
        let again = try await service.call("CreateDevice", Messages.createDeviceRequest, Self.create("A-1"))
        #expect(again == first)
        #expect(service.store.committed.count == 1)
    }

    @Test func aRepeatOfADeleteIsAnsweredAlthoughTheDeviceIsGone() async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        for _ in 0..<2 {
            let reply = try await service.call("DeleteDevice", Messages.deleteDeviceRequest) {
                $0.device_serial = $1.text("A-1")
                $0.request_id = $1.text(Self.id)
            }
            #expect(reply.isEmpty)
        }
    }

    @Test func theSameIDWithAnotherBodyIsRefused() async throws {
        let service = try ServiceHarness()
        _ = try await service.call("CreateDevice", Messages.createDeviceRequest, Self.create("A-1"))
        let refusal = try await service.refusal("CreateDevice", Messages.createDeviceRequest, Self.create("A-2"))
        #expect(refusal.code == .invalidArgument)
        #expect(refusal.reason == "REQUEST_ID_REUSED")
        #expect(try await service.list().items.count == 1)
    }

    @Test func anIDBelongsToItsUserAndItsMethod() async throws {
        let service = try ServiceHarness()
        _ = try await service.call("CreateDevice", Messages.createDeviceRequest, Self.create("A-1"))
        _ = try await service.call("CreateDevice", Messages.createDeviceRequest, userID: 1_001, Self.create("A-2"))
        _ = try await service.call("DeleteDevice", Messages.deleteDeviceRequest) {
            $0.device_serial = $1.text("A-1")
            $0.request_id = $1.text(Self.id)
        }
        #expect(try await service.list().items.map(\.deviceSerial) == ["A-2"])
    }

    @Test func aCallThatOnlyValidatesLeavesItsIDToTheOneThatActs() async throws {
        let service = try ServiceHarness()
        _ = try await service.call(
            "CreateDevice", Messages.createDeviceRequest, Self.create("A-1", validateOnly: true))
        _ = try await service.call("CreateDevice", Messages.createDeviceRequest, Self.create("A-1"))
        #expect(try await service.list().items.count == 1)
    }

    @Test(arguments: [
        "0b4a9c1e5d2f4c7b9a583e1f6d7c8b90", "0b4a9c1e-5d2f-4c7b-9a58-3e1f6d7c8b9g", " ", "{0b4a9c1e-5d2f-4c7b-9a58}",
    ])
    func whatIsNoUUIDIsRefused(_ id: String) async throws {
        let service = try ServiceHarness()
        let refusal = try await service.refusal(
            "CreateDevice", Messages.createDeviceRequest, Self.create("A-1", id: id))
        #expect(refusal.fields == ["request_id"])
    }

    @Test func aUUIDInUpperCaseIsTheSameOne() async throws {
        let service = try ServiceHarness()
        func delete(_ id: String) async throws {
            _ = try await service.call("DeleteDevice", Messages.deleteDeviceRequest) {
                $0.device_serial = $1.text("A-1")
                $0.request_id = $1.text(id)
                $0.allow_missing = 1
            }
        }
        try await service.create("A-1")
        try await delete(Self.id)
        try await service.create("A-1")
        try await delete(Self.id.uppercased())
        #expect(try await service.get("A-1").deviceSerial == "A-1")
    }

    @Test func aRepeatIsKnownHoweverItIsEncoded() async throws {
        let service = try ServiceHarness()
        let first = try await service.call("CreateDevice", Messages.createDeviceRequest, Self.create("A-1"))
        let named = try await service.call("CreateDevice", Messages.createDeviceRequest) {
            Self.create("A-1")(&$0, $1)
            $0.project = $1.text("default")
        }
        // The fields of a message may come in any order; unknown ones are ignored.
        let id = encoded(Messages.createDeviceRequest) { $0.request_id = $1.text(Self.id) }
        let device = encoded(Messages.createDeviceRequest) { $0.device = $1.device("A-1", owner: "o", hardware: "h") }
        let unknown: [UInt8] = [15 << 3, 1]
        let turned = try await service.call("CreateDevice", bytes: id + unknown + device)
        #expect(named == first && turned == first)
        #expect(service.store.committed.count == 1)
    }

    @Test func whatAnUpdateWouldCreateBelongsToWhatItAsksFor() async throws {
        let service = try ServiceHarness()
        func update(hardware: String) -> (inout Rollcall__V1__UpdateDeviceRequest, Arena) -> Void {
            {
                $0.device = $1.device("A-1", owner: "o", hardware: hardware)
                $0.update_mask = $1.mask(["owner_ref"])
                $0.allow_missing = 1
                $0.request_id = $1.text(Self.id)
            }
        }
        _ = try await service.call("UpdateDevice", Messages.updateDeviceRequest, update(hardware: "h1"))
        let refusal = try await service.refusal(
            "UpdateDevice", Messages.updateDeviceRequest, update(hardware: "h2"))
        #expect(refusal.reason == "REQUEST_ID_REUSED")
    }
}
