import CRollcallProto
import ProtobufC
import Testing

@Suite struct ArenaTests {
    private let arena = Arena()

    @Test func deviceSurvivesARoundTrip() throws {
        let bytes = self.arena.bytes { $0.makeDevice() }
        let again = try self.arena.decode(Messages.device, from: bytes) { device in
            #expect(device.pointee.id == 7)
            #expect(device.pointee.device_serial.string == "ABCD1234")
            #expect(device.pointee.owner_ref.string == "Zoë Åström")
            #expect(device.pointee.last_seen.pointee.seconds == -1)
            #expect(device.pointee.last_seen_release.pointee.id == .max)
            #expect(device.pointee.last_seen_release.pointee.revision.bytes.isEmpty)
            #expect(device.pointee.cohort.pointee.id == .min)
            #expect(device.pointee.n_attributes == 3)
            let value = try #require(device.pointee.attributes[0]?.pointee.state.pointee.value)
            #expect(value.pointee.kind_case == ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_FLOAT_VALUE)
            #expect(value.pointee.float_value.isNaN)
            let zero = try #require(device.pointee.attributes[1]?.pointee.state.pointee.value)
            #expect(zero.pointee.float_value.sign == .minus)
            return Arena.bytes(of: device)
        }
        #expect(again == bytes)
        #expect(self.arena.byteCount == 0)
    }

    @Test func goldenBytesOfAGetDeviceRequest() throws {
        let bytes: [UInt8] = [
            0x0A, 0x02, 0x70, 0x31,  // project = "p1"
            0x12, 0x03, 0x41, 0x3A, 0x31,  // device_serial = "A:1"
            0x18, 0x02,  // view = DEVICE_VIEW_FULL
        ]
        try self.arena.decode(Messages.getDeviceRequest, from: bytes) { request in
            #expect(request.pointee.project.string == "p1")
            #expect(request.pointee.device_serial.string == "A:1")
            #expect(request.pointee.view == ROLLCALL__V1__DEVICE_VIEW__DEVICE_VIEW_FULL)
            #expect(Arena.bytes(of: request) == bytes)
        }
    }

    @Test func emptyBytesAreAMessageWithDefaults() throws {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        try self.arena.decode(Messages.getDeviceRequest, from: nothing) { request in
            #expect(request.pointee.project.bytes.isEmpty)
            #expect(request.pointee.project.string == "")
            #expect(Encoding.packedByteCount(of: UnsafePointer(request)) == 0)
        }
    }

    @Test func emptyMessageTypeRoundTrips() throws {
        try self.arena.decode(Messages.deleteDeviceResponse, from: []) { response in
            #expect(Arena.bytes(of: response).isEmpty)
        }
        #expect(Messages.deleteDeviceResponse.name == "rollcall.v1.DeleteDeviceResponse")
    }

    @Test func repeatedTextRoundTrips() throws {
        let releases = ["1.2.3", "", "1.2.4"]
        let bytes = self.arena.bytes { arena in
            let request = arena.make(Messages.listDevicesRequest)
            request.pointee.n_release = releases.count
            request.pointee.release = arena.makeTextArray(count: releases.count)
            for (index, release) in releases.enumerated() { request.pointee.release[index] = arena.text(release) }
            return request
        }
        try self.arena.decode(Messages.listDevicesRequest, from: bytes) { request in
            #expect((0..<request.pointee.n_release).map { request.pointee.release[$0].string } == releases)
        }
    }

    @Test func mapEntriesRoundTrip() throws {
        let bytes = self.arena.bytes { arena in
            let info = arena.make(Messages.googleRpcErrorInfo)
            info.pointee.reason = arena.text("ETAG_STALE")
            info.pointee.n_metadata = 1
            info.pointee.metadata = arena.makePointerArray(count: 1)
            let entry = arena.make(Messages.googleRpcErrorInfoMetadataEntry)
            entry.pointee.key = arena.text("limit")
            entry.pointee.value = arena.text("4")
            info.pointee.metadata[0] = entry
            return info
        }
        try self.arena.decode(Messages.googleRpcErrorInfo, from: bytes) { info in
            let entry = try #require(info.pointee.metadata[0])
            #expect((entry.pointee.key.string, entry.pointee.value.string) == ("limit", "4"))
        }
    }

    @Test func innerDecodingTakesBackOnlyItsOwn() throws {
        let inner = self.arena.bytes { $0.makeDevice(serial: "inner", attributeCount: 2_000) }
        let outer = self.arena.bytes { $0.makeDevice(serial: "outer") }
        try self.arena.decode(Messages.device, from: outer) { device in
            let byteCount = self.arena.byteCount
            for _ in 0..<3 {
                try self.arena.decode(Messages.device, from: inner) { other in
                    #expect(other.pointee.device_serial.string == "inner")
                    #expect(self.arena.byteCount > 64 << 10, "The inner message takes more than the first chunk.")
                }
                #expect(self.arena.byteCount == byteCount)
            }
            #expect(Arena.bytes(of: device) == outer)
        }
        #expect(self.arena.byteCount == 0)
    }

    @Test func failedInnerDecodingLeavesTheOuterMessage() throws {
        let outer = self.arena.bytes { $0.makeDevice() }
        try self.arena.decode(Messages.device, from: outer) { device in
            #expect(self.arena.decodingError(Messages.device, from: [0x0A])?.code == .malformed)
            #expect(Arena.bytes(of: device) == outer)
        }
    }

    @Test func errorOfTheBodyPassesAndMemoryIsTakenBack() {
        struct Refusal: Error {}
        #expect(throws: Refusal.self) {
            try self.arena.decode(Messages.device, from: self.arena.bytes { $0.makeDevice() }) { _ in throw Refusal() }
        }
        #expect(throws: Refusal.self) {
            try self.arena.scope { arena throws(Refusal) in
                _ = arena.makeDevice()
                throw Refusal()
            }
        }
        #expect(self.arena.byteCount == 0)
    }

    @Test func ceilingRefusesAsTooLargeAndArenaStaysUsable() throws {
        let arena = Arena(byteCountMax: 4_096)
        let small = arena.bytes { $0.makeDevice(attributeCount: 1) }
        let large = arena.bytes { $0.makeDevice(attributeCount: 100) }
        #expect(arena.decodingError(Messages.device, from: large)?.code == .tooLarge)
        #expect(arena.decodingError(Messages.device, from: small) == nil)
        #expect(arena.decodingError(Messages.device, from: [0x09])?.code == .malformed)
        #expect(arena.byteCount == 0)
    }

    @Test func everyMessageHasTheWholeCeiling() throws {
        let arena = Arena(byteCountMax: 4_096)
        let bytes = arena.bytes { $0.makeDevice(attributeCount: 6) }
        try arena.decode(Messages.device, from: bytes) { _ in
            try arena.decode(Messages.device, from: bytes) { _ in
                try arena.decode(Messages.device, from: bytes) { device in
                    #expect(arena.byteCount > 4_096)
                    #expect(Arena.bytes(of: device) == bytes)
                }
            }
        }
    }

    @Test func whatWeBuildIsNotUnderTheCeiling() {
        let arena = Arena(byteCountMax: 64)
        #expect(arena.bytes { $0.makeDevice(attributeCount: 5_000) }.count > 100_000)
        #expect(arena.byteCount == 0)
    }

    @Test func ceilingBoundsMemoryOfHostileBytes() {
        // Two bytes of wire for a whole empty device in memory.
        let bytes = [UInt8](repeatElement([0x0A, 0x00], count: 500_000).joined())
        #expect(self.arena.decodingError(Messages.listDevicesResponse, from: bytes)?.code == .tooLarge)
        #expect(self.arena.byteCount == 0)
    }

    @Test func borrowedTextIsNotCopied() {
        let name: StaticString = "borrowed"
        let bytes = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        let text = self.arena.text(bytes)
        #expect(text.bytes.baseAddress == bytes.baseAddress)
        #expect(text.string == "borrowed")
        #expect(self.arena.byteCount == 0)
    }

    @Test func pageOfAThousandFullDevicesPasses() throws {
        let bytes = self.arena.bytes { arena in
            let response = arena.make(Messages.listDevicesResponse)
            response.pointee.n_devices = 1_000
            response.pointee.devices = arena.makePointerArray(count: 1_000)
            for index in 0..<1_000 { response.pointee.devices[index] = arena.makeDevice(attributeCount: 32) }
            return response
        }
        #expect((3 << 20)...(4 << 20) ~= bytes.count)
        try self.arena.decode(Messages.listDevicesResponse, from: bytes) { response in
            #expect(response.pointee.n_devices == 1_000)
            #expect(response.pointee.devices[999]?.pointee.n_attributes == 32)
        }
    }
}
