// Purges as a transport calls them.

import CRollcallProto
import DeviceModel
import DeviceWire
import NIOCore
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct PurgeDevicesTests {
    private typealias Request = Rollcall__V1__PurgeDevicesRequest

    private func purge(
        _ service: ServiceHarness, deadline: NIODeadline = .distantFuture,
        _ build: (inout Rollcall__V1__PurgeDevicesRequest, Arena) -> Void
    ) async throws -> Int64 {
        let bytes = encoded(Messages.purgeDevicesRequest, build)
        let reply = try await service.call("PurgeDevices", bytes: bytes, deadline: deadline)
        return try decoded(Messages.purgeDevicesResponse, reply) { $0.count }
    }

    private func service(_ change: (inout Limits) -> Void = { _ in }) async throws -> ServiceHarness {
        let service = try ServiceHarness(change)
        try await service.createCohort("old")
        for number in 0..<5 { try await service.create("S-\(number)", cohort: number < 3 ? "old" : nil) }
        return service
    }

    private static func ofCohort(_ request: inout Request, _ arena: Arena) {
        request.cohort = arena.texts(["old"])
        request.n_cohort = 1
    }

    @Test func whatMatchesIsCountedAndThenDeleted() async throws {
        let service = try await self.service()
        let count = try await self.purge(service) { request, arena in
            Self.ofCohort(&request, arena)
            request.validate_only = 1
        }
        #expect(count == 3)
        #expect(try await service.list().items.count == 5)
        let deleted = try await self.purge(service) { request, arena in
            Self.ofCohort(&request, arena)
            request.expected_count = arena.make(Messages.purgeDevicesRequestExpectedCount)
            request.expected_count.pointee.count = count
        }
        #expect(deleted == 3)
        #expect(try await service.list().items.map(\.deviceSerial) == ["S-3", "S-4"])
        #expect(try await self.purge(service) { $0.filter = $1.text("id > 0") } == 2)
        #expect(try await service.list().items.isEmpty)
    }

    @Test func anExpectationOfNoneIsOneToo() async throws {
        let service = try await self.service()
        let refusal = try await service.refusal("PurgeDevices", Messages.purgeDevicesRequest) { request, arena in
            Self.ofCohort(&request, arena)
            request.expected_count = arena.make(Messages.purgeDevicesRequestExpectedCount)
        }
        #expect(refusal.code == .failedPrecondition && refusal.reason == "EXPECTED_COUNT_DIFFERS")
        #expect(try await service.list().items.count == 5)
    }

    @Test(arguments: ["", " ", "\t\n", "\u{a0}"])
    func aPurgeNeedsAFilter(text: String) async throws {
        let service = try await self.service()
        let refusal = try await service.refusal("PurgeDevices", Messages.purgeDevicesRequest) {
            $0.filter = $1.text(text)
        }
        #expect(refusal.code == .invalidArgument && Set(refusal.fields) == ["filter"], "\(refusal)")
        #expect(try await service.list().items.count == 5)
    }

    @Test func everyBadFieldIsNamed() async throws {
        let service = try await self.service()
        let refusal = try await service.refusal("PurgeDevices", Messages.purgeDevicesRequest) { request, arena in
            request.request_id = arena.text("no UUID")
            request.filter = arena.text("nothing = 1")
            request.activity_window = arena.message(microseconds: 1)
            request.expected_count = arena.make(Messages.purgeDevicesRequestExpectedCount)
            request.expected_count.pointee.count = -1
        }
        #expect(Set(refusal.fields) == ["request_id", "filter", "activity_window", "expected_count.count"])
    }

    @Test func aDrainEndsThePurgeWithHowFarItCame() async throws {
        let service = try await self.service()
        service.drain.raise()
        let refusal = try await service.refusal("PurgeDevices", Messages.purgeDevicesRequest, Self.ofCohort)
        #expect(refusal.code == .unavailable && refusal.reason == "DRAINING")
        #expect(refusal.message == "The server is shutting down. 0 of 3 devices were deleted before that.")
        #expect(try await service.list().items.count == 5)
    }

    @Test func aPurgeWhoseTimeIsOverEndsWithHowFarItCame() async throws {
        let service = try await self.service()
        let error = await #expect(throws: Status.self) {
            try await self.purge(service, deadline: .now() - .seconds(1), Self.ofCohort)
        }
        #expect(error?.code == .deadlineExceeded)
        #expect(error?.message.hasSuffix("0 of 3 devices were deleted before that.") == true)
    }

    @Test func aRepeatUnderTheSameIDAnswersTheFirstCount() async throws {
        let service = try await self.service()
        for _ in 0..<2 {
            let count = try await self.purge(service) { request, arena in
                Self.ofCohort(&request, arena)
                request.request_id = arena.text("0b4a9c1e-5d2f-4c7b-9a58-3e1f6d7c8b90")
            }
            #expect(count == 3)
            try await service.create("S-0", cohort: "old")
            try await service.call("DeleteDevice", Messages.deleteDeviceRequest) { $0.device_serial = $1.text("S-0") }
        }
    }
}
