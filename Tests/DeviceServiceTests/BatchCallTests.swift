// Batches as a transport calls them: how their requests are read, and what is said of the bad ones.

import CRollcallProto
import DeviceModel
import DeviceWire
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct BatchCallTests {
    private static let id = "0b4a9c1e-5d2f-4c7b-9a58-3e1f6d7c8b90"

    /// A request to create a device of each of these serials.
    private static func creations(
        _ serials: [String],
        _ change: @escaping (inout Rollcall__V1__CreateDeviceRequest, Int, Arena) -> Void = { _, _, _ in }
    ) -> (inout Rollcall__V1__BatchCreateDevicesRequest, Arena) -> Void {
        { request, arena in
            request.requests = arena.makePointerArray(count: serials.count)
            request.n_requests = serials.count
            for (index, serial) in serials.enumerated() {
                let item = arena.make(Messages.createDeviceRequest)
                item.pointee.device = arena.device(serial, owner: "o", hardware: "h")
                change(&item.pointee, index, arena)
                request.requests[index] = item
            }
        }
    }

    private static func devices(_ bytes: [UInt8]) throws -> [Device] {
        try bytes.withUnsafeBytes { bytes in
            try Arena().decode(Messages.batchCreateDevicesResponse, from: bytes) { try [Device](from: $0) }
        }
    }

    @Test func aBatchOfTheMostItemsIsCarriedOutAndOneMoreIsRefused() async throws {
        let service = try ServiceHarness()
        let serials = (0..<1_000).map { "S-\($0)" }
        let created = try await service.call(
            "BatchCreateDevices", Messages.batchCreateDevicesRequest, Self.creations(serials))
        #expect(try Self.devices(created).map(\.deviceSerial) == serials)
        let refusal = try await service.refusal(
            "BatchCreateDevices", Messages.batchCreateDevicesRequest, Self.creations(serials + ["X"]))
        #expect(refusal.code == .invalidArgument && refusal.fields.contains("requests"))
        #expect(refusal.violations.contains { $0.description == "must have 1 to 1000 items, not 1001" })
        let empty = try await service.refusal("BatchCreateDevices", Messages.batchCreateDevicesRequest)
        #expect(empty.fields == ["requests"])
    }

    @Test func badItemsAreNamedTogetherWhateverIsWrongWithThem() async throws {
        let service = try ServiceHarness()
        try await service.create("B")
        let refusal = try await service.refusal(
            "BatchCreateDevices", Messages.batchCreateDevicesRequest,
            Self.creations(["A", "B", "", "A", "no spaces", "C", "D", "E", "F"]) { item, index, arena in
                switch index {
                case 5: item.device = nil
                case 6: item.project = arena.text("other")
                case 7: item.validate_only = 1
                case 8: item.request_id = arena.text(Self.id)
                default: break
                }
            })
        #expect(refusal.code == .invalidArgument && refusal.reason == "FIELD_INVALID")
        #expect(
            Set(refusal.fields) == [
                "requests[1].device.device_serial", "requests[2].device.device_serial",
                "requests[3].device.device_serial", "requests[4].device.device_serial", "requests[5].device",
                "requests[6].project", "requests[7].validate_only", "requests[8].request_id",
            ])
        #expect(try await service.list().items.map(\.deviceSerial) == ["B"])
    }

    @Test func whatIsWrongWithTheRequestIsToldTogetherWithItsItems() async throws {
        let service = try ServiceHarness()
        let refusal = try await service.refusal("BatchCreateDevices", Messages.batchCreateDevicesRequest) {
            request, arena in
            Self.creations(["A", "no spaces"])(&request, arena)
            request.project = arena.text("no slug")
            request.request_id = arena.text("no UUID")
        }
        #expect(Set(refusal.fields) == ["project", "request_id", "requests[1].device.device_serial"])
    }

    @Test func itemsMayRepeatWhatTheBatchSays() async throws {
        let service = try ServiceHarness()
        try await service.createProject("p")
        let bytes = try await service.call("BatchCreateDevices", Messages.batchCreateDevicesRequest) {
            request, arena in
            Self.creations(["A"]) { item, _, arena in
                item.project = arena.text("p")
                item.validate_only = 1
                item.request_id = arena.text(Self.id)
            }(&request, arena)
            request.project = arena.text("p")
            request.validate_only = 1
            request.request_id = arena.text(Self.id)
        }
        #expect(try Self.devices(bytes).map(\.id) == [0])
        #expect(service.store.committed.count == 1)
    }

    @Test func aRepeatUnderTheSameIDIsAnsweredAndAnotherBatchUnderItIsRefused() async throws {
        let service = try ServiceHarness()
        func create(_ serials: [String]) -> (inout Rollcall__V1__BatchCreateDevicesRequest, Arena) -> Void {
            { request, arena in
                Self.creations(serials)(&request, arena)
                request.request_id = arena.text(Self.id)
            }
        }
        let type = Messages.batchCreateDevicesRequest
        let first = try await service.call("BatchCreateDevices", type, create(["A", "B"]))
        #expect(try await service.call("BatchCreateDevices", type, create(["A", "B"])) == first)
        #expect(service.store.committed.count == 1)
        // The third one is bad, so that only two items are left, as in the first request.
        for serials in [["A"], ["B", "A"], ["A", "B", ""]] {
            let refusal = try await service.refusal("BatchCreateDevices", type, create(serials))
            #expect(refusal.reason == "REQUEST_ID_REUSED", "\(serials)")
        }
    }

    @Test func updatesHaveTheirOwnMasksAndMayCreate() async throws {
        let service = try ServiceHarness()
        try await service.createCohort("c1")
        try await service.create("A", owner: "o1", hardware: "h1", cohort: "c1")
        let bytes = try await service.call("BatchUpdateDevices", Messages.batchUpdateDevicesRequest) { request, arena in
            request.requests = arena.makePointerArray(count: 2)
            request.n_requests = 2
            for (index, (serial, mask)) in [("A", ["cohort"]), ("B", [])].enumerated() {
                let item = arena.make(Messages.updateDeviceRequest)
                item.pointee.device = arena.device(serial, owner: "o2", hardware: "h2")
                item.pointee.update_mask = arena.mask(mask)
                item.pointee.allow_missing = 1
                request.requests[index] = item
            }
        }
        let devices = try bytes.withUnsafeBytes { bytes in
            try Arena().decode(Messages.batchUpdateDevicesResponse, from: bytes) { try [Device](from: $0) }
        }
        #expect(devices.map { [$0.ownerRef, $0.cohort.slug] } == [["o1", "default"], ["o2", "default"]])
    }

    // MARK: BatchGetDevices

    private func get(
        _ service: ServiceHarness, _ serials: [String], view: DeviceView = .basic
    ) async throws -> [Device] {
        let bytes = try await service.call("BatchGetDevices", Messages.batchGetDevicesRequest, Self.get(serials, view))
        return try bytes.withUnsafeBytes { bytes in
            try Arena().decode(Messages.batchGetDevicesResponse, from: bytes) { try [Device](from: $0) }
        }
    }

    private static func get(
        _ serials: [String], _ view: DeviceView = .basic
    ) -> (inout Rollcall__V1__BatchGetDevicesRequest, Arena) -> Void {
        { request, arena in
            request.device_serials = arena.texts(serials)
            request.n_device_serials = serials.count
            request.view = view.wire
        }
    }

    @Test func devicesAreReturnedInTheOrderAskedAndAsFullAsAsked() async throws {
        let service = try ServiceHarness()
        for serial in ["A", "B", "C"] { try await service.create(serial) }
        try await service.setAttributes("B", [AttributeUpdate(key: "k", value: .int(1))])
        #expect(try await self.get(service, ["C", "A"]).map(\.deviceSerial) == ["C", "A"])
        let full = try await self.get(service, ["B", "C"], view: .full)
        #expect(full.map(\.attributes.count) == [1, 0])
        #expect(full[0] == (try await service.get("B", view: .full)))
    }

    @Test func serialsThatNoDeviceHasAreAllNamed() async throws {
        let service = try ServiceHarness()
        try await service.create("A")
        let missing = try await service.refusal(
            "BatchGetDevices", Messages.batchGetDevicesRequest, Self.get(["X", "A", "Y"]))
        #expect(missing.code == .notFound && missing.reason == "DEVICE_NOT_FOUND")
        #expect(missing.fields == ["device_serials[0]", "device_serials[2]"])
        let mixed = try await service.refusal(
            "BatchGetDevices", Messages.batchGetDevicesRequest, Self.get(["A", "", "A", "X"]))
        #expect(mixed.code == .invalidArgument)
        #expect(mixed.fields == ["device_serials[1]", "device_serials[2]", "device_serials[3]"])
    }

    @Test func aReplyThatWouldBeTooLongIsRefusedAndNotCut() async throws {
        let service = try ServiceHarness { $0.messageByteCountMax = 200 }
        for serial in ["A", "B", "C"] { try await service.create(serial) }
        #expect(try await self.get(service, ["A"]).count == 1)
        for view in [DeviceView.basic, .full] {
            let refusal = try await service.refusal(
                "BatchGetDevices", Messages.batchGetDevicesRequest, Self.get(["A", "B", "C"], view))
            #expect(refusal.code == .resourceExhausted && refusal.reason == "LIMIT_EXCEEDED")
        }
    }
}
