// Counts of devices, by way of bytes; what is counted and how is the query engine's own suite.

import CRollcallProto
import DeviceModel
import DeviceWire
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct CountDevicesTests {
    private static func group(_ first: GroupValue, _ second: GroupValue? = nil, count: Int64) -> DeviceGroup {
        DeviceGroup(values: GroupValues(first, second), count: count)
    }

    /// Three devices: two of owner `o2`, one of them in `beta`, and two with releases.
    private func fleet(hold: Int = Limits().queryHoldNanosecondsMax) async throws -> ServiceHarness {
        let service = try ServiceHarness { $0.queryHoldNanosecondsMax = hold }
        try await service.createCohort("beta")
        try await service.create("A-1", owner: "o1", hardware: "h1")
        try await service.create("A-2", owner: "o2", hardware: "h1", cohort: "beta")
        try await service.create("A-3", owner: "o2", hardware: "h2")
        let now = service.clock.now
        try await service.checkIn("A-1", at: now.advanced(byMicroseconds: -10), release: "1.0")
        try await service.checkIn("A-2", at: now.advanced(byMicroseconds: -5), release: "1.1")
        return service
    }

    /// With no time to hold the index for, what no index knows at once is counted on another thread.
    @Test(arguments: [0, Limits().queryHoldNanosecondsMax])
    func everyFilterReachesTheIndex(hold: Int) async throws {
        let service = try await self.fleet(hold: hold)
        let now = service.clock.now
        func count(_ build: (inout Rollcall__V1__CountDevicesRequest, Arena) -> Void) async throws -> Int64 {
            let count = try await service.count(build)
            #expect(count.groups.isEmpty && count.otherCount == 0 && count.explanation == nil)
            return count.count
        }
        #expect(try await count { _, _ in } == 3)
        #expect(try await count { ($0.release, $0.n_release) = ($1.texts(["1.0", "1.1"]), 2) } == 2)
        #expect(try await count { ($0.owner_ref, $0.n_owner_ref) = ($1.texts(["o1"]), 1) } == 1)
        #expect(try await count { ($0.hardware_version, $0.n_hardware_version) = ($1.texts(["h1"]), 1) } == 2)
        #expect(try await count { ($0.cohort, $0.n_cohort) = ($1.texts(["beta"]), 1) } == 1)
        #expect(try await count { ($0.device_serial, $0.n_device_serial) = ($1.texts(["A-3", "A-9"]), 2) } == 1)
        #expect(try await count { $0.last_seen_since = $1.message(now.advanced(byMicroseconds: -10)) } == 1)
        #expect(try await count { $0.last_seen_until = $1.message(now) } == 2)
        #expect(try await count { request, _ in request.activity = Activity.pending.wire } == 1)
        #expect(
            try await count {
                $0.activity = Activity.active.wire
                $0.activity_window = $1.message(microseconds: 7)
            } == 1)
        #expect(try await count { $0.filter = $1.text("owner_ref = o2 AND NOT cohort = beta") } == 1)
    }

    @Test func groupsComeByEveryKey() async throws {
        let service = try await self.fleet()
        try await service.setAttributes("A-1", [AttributeUpdate(key: "Zone", value: .string("north"))])
        func groups(_ keys: String...) async throws -> [DeviceGroup] {
            try await service.count(keyCount: keys.count) {
                ($0.group_by, $0.n_group_by) = ($1.texts(keys), keys.count)
            }.groups
        }
        #expect(
            try await groups("owner_ref") == [Self.group(.text("o2"), count: 2), Self.group(.text("o1"), count: 1)])
        #expect(
            try await groups("hardware_version") == [
                Self.group(.text("h1"), count: 2), Self.group(.text("h2"), count: 1),
            ])
        #expect(
            try await groups("cohort") == [Self.group(.text("default"), count: 2), Self.group(.text("beta"), count: 1)])
        #expect(
            Set(try await groups("release")) == [
                Self.group(.none, count: 1), Self.group(.text("1.0"), count: 1), Self.group(.text("1.1"), count: 1),
            ])
        #expect(
            try await groups("activity") == [
                Self.group(.activity(.active), count: 2), Self.group(.activity(.pending), count: 1),
            ])
        #expect(
            try await groups("attributes.zone") == [
                Self.group(.none, count: 2), Self.group(.text("north"), count: 1),
            ])
        #expect(
            Set(try await groups("hardware_version", "cohort")) == [
                Self.group(.text("h1"), .text("default"), count: 1), Self.group(.text("h1"), .text("beta"), count: 1),
                Self.group(.text("h2"), .text("default"), count: 1),
            ])
    }

    @Test func aWindowNeedsAnActivityToCountOrToGroupBy() async throws {
        let service = try await self.fleet()
        let count = try await service.count(keyCount: 1) {
            ($0.group_by, $0.n_group_by) = ($1.texts(["activity"]), 1)
            $0.activity_window = $1.message(microseconds: 7)
        }
        #expect(Set(count.groups) == Set(Activity.allCases.map { Self.group(.activity($0), count: 1) }))
        let refusal = try await service.refusal("CountDevices", Messages.countDevicesRequest) {
            $0.activity_window = $1.message(microseconds: 7)
        }
        #expect(refusal.fields == ["activity_window"])
    }

    @Test func smallGroupsBeyondTheLimitAreCountedTogether() async throws {
        let service = try await self.fleet()
        let count = try await service.count(keyCount: 1) {
            ($0.group_by, $0.n_group_by) = ($1.texts(["owner_ref"]), 1)
            $0.group_limit = 1
        }
        #expect(count.count == 3)
        #expect(count.groups == [Self.group(.text("o2"), count: 2)])
        #expect(count.otherCount == 1)
    }

    @Test func groupsThatWouldTakeTheReplyPastTheByteLimitAreCountedTogether() async throws {
        let service = try ServiceHarness { $0.pageByteCountMax = 1_000 }
        for number in 0..<20 {
            let owner = String(repeating: "x", count: 200) + String(number)
            // The first owner has two devices, and so the largest group.
            for copy in 0...(number == 0 ? 1 : 0) {
                try await service.create("A-\(number)-\(copy)", owner: owner)
            }
        }
        let bytes = try await service.call("CountDevices", Messages.countDevicesRequest) {
            ($0.group_by, $0.n_group_by) = ($1.texts(["owner_ref"]), 1)
        }
        let count = try bytes.withUnsafeBytes { bytes in
            try Arena().decode(Messages.countDevicesResponse, from: bytes) { try DeviceCount(from: $0, keyCount: 1) }
        }
        #expect(bytes.count <= 1_000 + 3)
        #expect(count.groups.count == 4 && count.groups[0].count == 2)
        #expect(count.count == 21 && count.otherCount == 16)
    }

    @Test(arguments: [0, Limits().queryHoldNanosecondsMax])
    func aCountOfABusyLoopComesFromAnotherThreadAndIsTheSame(hold: Int) async throws {
        let service = try await self.fleet(hold: hold)
        let request = encoded(Messages.countDevicesRequest) { request, arena in
            (request.group_by, request.n_group_by) = (arena.texts(["release", "activity"]), 2)
        }
        let inPlace = try await service.call("CountDevices", bytes: request)
        #expect(try await service.call("CountDevices", bytes: request, isLoopBusy: true) == inPlace)
    }

    @Test func aGroupThatDoesNotFitIsAmongTheOthers() async throws {
        let service = try ServiceHarness { $0.pageByteCountMax = 8 }
        try await service.create("A-1", owner: String(repeating: "o", count: 100))
        let bytes = try await service.call("CountDevices", Messages.countDevicesRequest) {
            ($0.group_by, $0.n_group_by) = ($1.texts(["owner_ref"]), 1)
        }
        let count = try bytes.withUnsafeBytes { bytes in
            try Arena().decode(Messages.countDevicesResponse, from: bytes) { try DeviceCount(from: $0, keyCount: 1) }
        }
        #expect(count == DeviceCount(count: 1, groups: [], otherCount: 1))
    }

    @Test func theReplyIsOneCanonicalMessage() async throws {
        let service = try await self.fleet()
        let bytes = try await service.call("CountDevices", Messages.countDevicesRequest) {
            ($0.group_by, $0.n_group_by) = ($1.texts(["cohort", "activity"]), 2)
            $0.group_limit = 2
            $0.explain = 1
        }
        // Decoded and packed again as a whole, it is the same bytes.
        let repacked = try bytes.withUnsafeBytes { source in
            try Arena().decode(Messages.countDevicesResponse, from: source) { message in
                #expect(message.pointee.explanation != nil)
                let message = UnsafePointer(message)
                return [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
                    count = Encoding.pack(message, into: UnsafeMutableRawBufferPointer(buffer))
                }
            }
        }
        #expect(repacked == bytes)
    }

    @Test func everyBadFieldIsNamedAtOnceWhicheverLayerFindsIt() async throws {
        let service = try ServiceHarness()
        let now = service.clock.now
        let refusal = try await service.refusal("CountDevices", Messages.countDevicesRequest) {
            $0.project = $1.text("no spaces")
            $0.last_seen_since = $1.message(now)
            $0.last_seen_until = $1.message(now.advanced(byMicroseconds: -1))
            $0.activity_window = $1.message(microseconds: 1)
            ($0.owner_ref, $0.n_owner_ref) = ($1.texts(Array(repeating: "o", count: 1_001)), 1_001)
            ($0.group_by, $0.n_group_by) = ($1.texts(["last_seen", "cohort", "release"]), 3)
            $0.group_limit = -1
        }
        #expect(refusal.code == .invalidArgument)
        #expect(refusal.reason == "FIELD_INVALID")
        #expect(
            Set(refusal.fields) == [
                "project", "last_seen_since", "activity_window", "owner_ref", "group_by[0]", "group_by[2]",
                "group_limit",
            ])
        let expression = try await service.refusal("CountDevices", Messages.countDevicesRequest) {
            $0.filter = $1.text("cohort ==")
        }
        #expect(expression.fields == ["filter"])
    }

    @Test func anUnknownProjectIsNotFound() async throws {
        let service = try ServiceHarness()
        let refusal = try await service.refusal("CountDevices", Messages.countDevicesRequest) {
            $0.project = $1.text("other")
        }
        #expect(refusal.reason == "PROJECT_NOT_FOUND")
    }
}

extension ServiceHarness {
    /// - Parameter keyCount: how many keys the request divides by.
    fileprivate func count(
        keyCount: Int = 0, _ build: (inout Rollcall__V1__CountDevicesRequest, Arena) -> Void = { _, _ in }
    ) async throws -> DeviceCount {
        let bytes = try await self.call("CountDevices", Messages.countDevicesRequest, build)
        return try bytes.withUnsafeBytes { bytes in
            try Arena().decode(Messages.countDevicesResponse, from: bytes) {
                try DeviceCount(from: $0, keyCount: keyCount)
            }
        }
    }
}
