// Requests that cannot be read, stores that cannot write, callers that give up.

import CRollcallProto
import DeviceModel
import DeviceRegistry
import DeviceWire
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct FailureTests {
    private static let methods = [
        "CreateDevice", "GetDevice", "ListDevices", "UpdateDevice", "DeleteDevice", "GetDeviceAttributes",
        "UpdateDeviceAttributes", "CheckIn", "CreateProject", "GetProject", "ListProjects", "DeleteProject",
        "CreateCohort",
        "GetCohort", "ListCohorts", "UpdateCohort", "DeleteCohort", "GetServerInfo",
        "CountDevices", "ListReleases", "ListHardwareVersions", "ListAttributeKeys",
    ]

    @Test(arguments: Self.methods)
    func bytesThatAreNoMessageAreRefusedByEveryMethod(_ name: String) async throws {
        let service = try ServiceHarness()
        // A tag of field 1 whose value never comes.
        let refusal = try await service.refusal(name, bytes: [0x0A])
        #expect(refusal.code == .invalidArgument)
        #expect(refusal.reason == "MESSAGE_MALFORMED")
    }

    @Test(
        arguments: ["GetDevice", "ListDevices", "CreateDevice", "CheckIn", "CountDevices", "ListReleases"],
        [[0xFF], [0x41, 0x00]] as [[UInt8]])
    func textThatIsNotUTF8OrHoldsANULNamesItsField(_ name: String, _ text: [UInt8]) async throws {
        let service = try ServiceHarness()
        // Field 1 of all of them is `project`.
        let refusal = try await service.refusal(name, bytes: [0x0A, UInt8(text.count)] + text)
        #expect(refusal.code == .invalidArgument)
        #expect(refusal.reason == "FIELD_INVALID")
        #expect(refusal.fields == ["project"])
    }

    @Test func textDeepInsideNamesItsPath() async throws {
        let service = try ServiceHarness()
        // device (2) { owner_ref (5): one byte that begins no character }
        let nested = try await service.refusal("CreateDevice", bytes: [0x12, 0x03, 0x2A, 0x01, 0xC3])
        #expect(nested.fields == ["device.owner_ref"])
        // release (2): "1", release (2): a NUL
        let repeated = try await service.refusal("ListDevices", bytes: [0x12, 0x01, 0x31, 0x12, 0x01, 0x00])
        #expect(repeated.fields == ["release[1]"])
    }

    @Test func aMessageOfTooManyValuesIsALimit() async throws {
        let service = try ServiceHarness()
        // 2 MiB of empty releases, two bytes each.
        let bytes = Array(repeating: [0x12, 0x00] as [UInt8], count: 1 << 21).flatMap { $0 }
        let refusal = try await service.refusal("ListDevices", bytes: bytes)
        #expect(refusal.code == .resourceExhausted)
        #expect(refusal.reason == "LIMIT_EXCEEDED")
    }

    @Test func aRequestOfBadFieldsOnlyIsRefusedInBoundedSize() async throws {
        let service = try ServiceHarness()
        let refusal = try await service.refusal("UpdateDevice", Messages.updateDeviceRequest) {
            $0.device = $1.device("A-1")
            $0.update_mask = $1.mask(Array(repeating: "x", count: 5_000))
        }
        #expect(refusal.fields.count == FieldCheck.violationCountMax)
    }

    @Test func unknownFieldsAreIgnored() async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        let request = encoded(Messages.getDeviceRequest) { $0.device_serial = $1.text("A-1") }
        // Field 60, a varint.
        let reply = try await service.call("GetDevice", bytes: request + [0xE0, 0x03, 0x01])
        #expect(try device(from: reply).deviceSerial == "A-1")
    }

    @Test func aStoreThatCannotCommitIsUnavailableAndNothingIsVisible() async throws {
        let service = try ServiceHarness()
        service.store.fail(.unavailable)
        let refusal = try await service.refusal("CreateDevice", Messages.createDeviceRequest) {
            $0.device = $1.device("A-1", owner: "o", hardware: "h")
        }
        #expect(refusal.code == .unavailable)
        #expect(refusal.reason == "STORE_UNAVAILABLE")
        #expect(try await service.list().items.isEmpty)
        try await service.create("A-1")
    }

    @Test func aRegistryThatIsClosedIsDraining() async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        service.registry.close()
        let refusal = try await service.refusal("CreateDevice", Messages.createDeviceRequest) {
            $0.device = $1.device("A-2", owner: "o", hardware: "h")
        }
        #expect(refusal.code == .unavailable)
        #expect(refusal.reason == "DRAINING")
        #expect(try await service.get("A-1").deviceSerial == "A-1")
    }

    @Test func aFullQueueRefusesAtOnceAndReadsGoOn() async throws {
        let service = try ServiceHarness { $0.writeQueueCallCountMax = 1 }
        service.store.hold()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.create("A-1") }
            await service.store.heldCommit()
            // One waits behind the held commit; of two more calls at most one finds room.
            let requests = (2...3).map { number in
                encoded(Messages.createDeviceRequest) {
                    $0.device = $1.device("A-\(number)", owner: "o", hardware: "h")
                }
            }
            let refusals = AsyncStream<Status>.makeStream()
            for request in requests {
                group.addTask {
                    do {
                        _ = try await service.call("CreateDevice", bytes: request)
                    } catch let status as Status {
                        refusals.continuation.yield(status)
                    }
                }
            }
            var iterator = refusals.stream.makeAsyncIterator()
            let status = await iterator.next()
            #expect(status?.code == .resourceExhausted)
            #expect(status?.reason == "QUEUE_FULL")
            #expect(try await service.list().items.isEmpty)
            service.store.release()
            try await group.waitForAll()
        }
        #expect(try await service.list().items.count == 2)
    }

    @Test func aMutationWhoseCallerGaveUpInTheQueueIsDropped() async throws {
        let service = try ServiceHarness()
        let claim = CallClaim()
        claim.abandon()
        service.store.hold()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.create("A-1") }
            await service.store.heldCommit()
            // An abandoned call is never answered, so it runs beside the one that tells when the writer is past it.
            let abandoned = encoded(Messages.createDeviceRequest) {
                $0.device = $1.device("A-2", owner: "o", hardware: "h")
            }
            service.callWithoutAnswer("CreateDevice", bytes: abandoned, claim: claim)
            group.addTask { try await service.create("A-3") }
            service.store.release()
            try await group.waitForAll()
        }
        #expect(try await service.list().items.map(\.deviceSerial).sorted() == ["A-1", "A-3"])
    }
}
