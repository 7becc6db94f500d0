// Check-ins by way of bytes.

import CRollcallProto
import DeviceModel
import DeviceWire
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct CheckInTests {
    @Test func aCheckInSetsTimeAndReleaseAndNothingElse() async throws {
        let service = try ServiceHarness()
        let created = try await service.create("A-1")
        service.clock.advance(microseconds: 5_000_000)
        let seen = try await service.checkIn("A-1", release: "1.2.3")
        #expect(seen.lastSeen == service.clock.now)
        #expect(seen.lastSeenRelease.map { [$0.version, $0.revision] } == ["1.2.3", ""])
        #expect(seen.etag == created.etag)
        #expect(seen.updatedDate == created.updatedDate)
        #expect(try await service.get("A-1") == seen)
    }

    @Test func anOlderCheckInIsAcceptedAndChangesNoField() async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        let now = service.clock.now
        let seen = try await service.checkIn("A-1", at: now, release: "2")
        #expect(try await service.checkIn("A-1", at: now.advanced(byMicroseconds: -1), release: "1") == seen)
        #expect(try await service.checkIn("A-1", at: now, release: "3").lastSeenRelease?.version == "3")
    }

    @Test func attributesOfACheckInTakeItsTime() async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        let time = service.clock.now.advanced(byMicroseconds: -9)
        try await service.checkIn("A-1", at: time, attributes: [AttributeUpdate(key: "battery", value: .int(1))])
        #expect(try await service.attributes("A-1").attributes.map(\.state.time) == [time])
    }

    @Test(arguments: [-1, 253_402_300_799] as [Int64])
    func aTimeBefore1970OrFarAheadIsRefused(seconds: Int64) async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        let refusal = try await service.refusal("CheckIn", Messages.checkInRequest) { request, arena in
            request.device_serial = arena.text("A-1")
            let time = arena.make(Messages.googleProtobufTimestamp)
            time.pointee.seconds = seconds
            request.time = time
        }
        #expect(refusal.code == .invalidArgument)
        #expect(refusal.fields == ["time"])
    }

    @Test func everyBadFieldIsNamedAtOnce() async throws {
        let service = try ServiceHarness()
        let refusal = try await service.refusal("CheckIn", Messages.checkInRequest) { request, arena in
            let time = arena.make(Messages.googleProtobufTimestamp)
            time.pointee.nanos = -1
            request.time = time
            request.release = arena.message(Release(id: 0, version: "", revision: String(repeating: "r", count: 129)))
            request.hardware_version = arena.text("not this one")
        }
        #expect(
            Set(refusal.fields) == ["device_serial", "time", "release.version", "release.revision", "hardware_version"])
    }

    @Test func anUnknownDeviceIsRegisteredOnlyWhereThatIsAsked() async throws {
        let service = try ServiceHarness()
        let unknown = try await service.refusal("CheckIn", Messages.checkInRequest) {
            $0.device_serial = $1.text("A-1")
        }
        #expect(unknown.reason == "DEVICE_NOT_FOUND")
        let incomplete = try await service.refusal("CheckIn", Messages.checkInRequest) {
            $0.device_serial = $1.text("A-1")
            $0.create_missing = 1
        }
        #expect(incomplete.fields == ["hardware_version"])
        let reply = try await service.call("CheckIn", Messages.checkInRequest) {
            $0.device_serial = $1.text("A-1")
            $0.hardware_version = $1.text("hw1")
            $0.create_missing = 1
        }
        let registered = try device(from: reply)
        #expect(registered.ownerRef.isEmpty)
        #expect(registered.lastSeen == service.clock.now)
        #expect(try await service.get("A-1") == registered)
    }
}
