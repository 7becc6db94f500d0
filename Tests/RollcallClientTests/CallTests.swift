import CRollcallProto
import DeviceModel
import DeviceWire
import Foundation
import ProtobufC
import RPC
import RollcallClient
import RollcallTesting
import Synchronization
import Testing

/// What each call puts into its request, and what it takes out of the reply.
@Suite struct CallTests {
    private static let requestID = UUID(uuidString: "8A3B6C1E-0000-4000-8000-00000000000F") ?? UUID()
    private static let requestIDText = "8a3b6c1e-0000-4000-8000-00000000000f"

    @Test func createDeviceSendsItsFields() async throws {
        let create = method("Devices", "CreateDevice", Messages.createDeviceRequest) { request, arena in
            let device = try #require(request.pointee.device).pointee
            #expect(request.pointee.project.string == "p")
            #expect(device.device_serial.string == "A")
            #expect(device.owner_ref.string == "ada")
            #expect(device.hardware_version.string == "hw")
            #expect(device.cohort.pointee.slug.string == "beta")
            #expect(request.pointee.validate_only == 1)
            #expect(request.pointee.request_id.string == Self.requestIDText)
            return arena.message(Device.sample(serial: "A"))
        }
        try await withServer([create], project: "p") { client, _ in
            let device = try await client.createDevice(
                "A", ownerRef: "ada", hardwareVersion: "hw", cohort: "beta", validateOnly: true,
                requestID: Self.requestID
            )
            #expect(device == .sample(serial: "A"))
        }
    }

    @Test func updateMaskNamesWhatIsGivenUnlessToldOtherwise() async throws {
        let masks = Recorded<[String]?>()
        let update = method("Devices", "UpdateDevice", Messages.updateDeviceRequest) { request, arena in
            masks.append(
                request.pointee.update_mask.map { mask in
                    (0..<mask.pointee.n_paths).map { mask.pointee.paths[$0].string }
                }
            )
            #expect(request.pointee.device.pointee.etag.string == "e1")
            #expect(request.pointee.allow_missing == 1)
            return arena.message(Device.sample(serial: "A"))
        }
        try await withServer([update]) { client, _ in
            _ = try await client.updateDevice("A", ownerRef: "x", cohort: "", etag: "e1", allowMissing: true)
            _ = try await client.updateDevice("A", ownerRef: "x", mask: ["*"], etag: "e1", allowMissing: true)
            _ = try await client.updateDevice("A", etag: "e1", allowMissing: true)
        }
        #expect(masks.values == [["owner_ref", "cohort"], ["*"], nil])
    }

    @Test func listSendsEveryConditionAndThePage() async throws {
        var query = ListQuery()
        query.filter.releases = ["1", "2"]
        query.filter.ownerRefs = ["o"]
        query.filter.hardwareVersions = ["h1", "h2"]
        query.filter.cohorts = ["c"]
        query.filter.deviceSerials = ["s"]
        query.filter.lastSeenSince = .epoch
        query.filter.lastSeenUntil = Timestamp(microseconds: 1_500_000)
        query.filter.activity = .inactive
        query.filter.activityWindowMicroseconds = 90_000_001
        query.filter.expression = "id > 7"
        query.sort = [SortKey(.lastSeen, isDescending: true), SortKey(.release)]
        query.pageSize = 7
        query.position = .number(3)
        query.includesTotal = true
        query.explains = true
        let (asked, expected) = (Recorded<ListQuery>(), query)
        let list = method("Devices", "ListDevices", Messages.listDevicesRequest) { request, arena in
            var check = FieldCheck()
            asked.append(check.listQuery(request, limits: Limits()))
            #expect(check.violations.isEmpty)
            #expect(check.view(request.pointee.view) == .full)
            let response = arena.make(Messages.listDevicesResponse)
            response.pointee.devices = arena.makePointerArray(count: 1)
            response.pointee.devices[0] = arena.message(Device.sample(serial: "A"))
            response.pointee.n_devices = 1
            response.pointee.next_page_token = arena.text("next")
            response.pointee.total_count = 15
            response.pointee.explanation = arena.message(QueryExplanation.sample)
            return response
        }
        try await withServer([list]) { client, _ in
            let page = try await client.listDevices(expected, view: .full)
            let items = [Device.sample(serial: "A")]
            #expect(page == Page(items: items, nextPageToken: "next", totalCount: 15, explanation: .sample))
        }
        #expect(asked.values == [query])
    }

    @Test func countSendsItsQueryAndReadsItsGroups() async throws {
        var query = CountQuery()
        query.filter.cohorts = ["c"]
        query.filter.expression = "id > 7"
        query.groupBy = [.release, .attribute("battery level")]
        query.groupLimit = 2
        query.explains = true
        let count = DeviceCount(
            count: 9,
            groups: [
                DeviceGroup(values: [.text("1.0"), .int(80)], count: 5), DeviceGroup(values: [.none, .none], count: 3),
            ],
            otherCount: 1,
            explanation: .sample
        )
        let (asked, expected) = (Recorded<CountQuery>(), query)
        let method = method("Devices", "CountDevices", Messages.countDevicesRequest) { request, arena in
            var check = FieldCheck()
            asked.append(check.countQuery(request, limits: Limits()))
            #expect(check.violations.isEmpty)
            #expect(request.pointee.project.string == "p")
            return arena.reply(count)
        }
        try await withServer([method], project: "p") { client, _ in
            let answer = try await client.countDevices(expected)
            #expect(answer == count)
        }
        #expect(asked.values == [query])
    }

    @Test func groupsThatWereNotAskedForAreADefect() async throws {
        let count = DeviceCount(count: 1, groups: [DeviceGroup(values: [.none], count: 1)], otherCount: 0)
        let method = method("Devices", "CountDevices", Messages.countDevicesRequest) { _, arena in arena.reply(count) }
        try await withServer([method]) { client, _ in
            let error = await #expect(throws: RollcallError.self) { try await client.countDevices() }
            #expect(error?.code == .internal)
            #expect(error?.message.contains("groups.values") == true)
        }
    }

    @Test func sequenceWalksEveryPageAndAsksForNoneTooEarly() async throws {
        let tokens = Recorded<String>()
        let list = method("Devices", "ListDevices", Messages.listDevicesRequest) { request, arena in
            let token = request.pointee.page_token.string
            tokens.append(token)
            // The second page is empty, which is no end.
            let (serials, next) =
                switch token {
                case "": (["A", "B"], "2")
                case "2": ([], "3")
                default: (["C"], "")
                }
            let response = arena.make(Messages.listDevicesResponse)
            response.pointee.devices = arena.makePointerArray(count: serials.count)
            for (index, serial) in serials.enumerated() {
                response.pointee.devices[index] = arena.message(Device.sample(serial: serial))
            }
            response.pointee.n_devices = serials.count
            response.pointee.next_page_token = arena.text(next)
            return response
        }
        try await withServer([list]) { client, _ in
            var serials: [String] = []
            for try await device in client.devices() {
                serials.append(device.deviceSerial)
            }
            #expect(serials == ["A", "B", "C"])
            #expect(tokens.values == ["", "2", "3"])
            for try await device in client.devices() {
                #expect(device.deviceSerial == "A")
                break
            }
            #expect(tokens.values == ["", "2", "3", ""])
        }
    }

    @Test func attributesAndCheckInCarryValuesOfEveryType() async throws {
        let updates = [
            AttributeUpdate(key: "i", value: .int(-5)), AttributeUpdate(key: "f", value: .float(0.5), time: .epoch),
            AttributeUpdate(key: "b", value: .bool(false)), AttributeUpdate(key: "s", value: .string("")),
            AttributeUpdate(key: "gone", value: nil),
        ]
        let seen = Recorded<[AttributeUpdate]>()
        let set = method("Devices", "UpdateDeviceAttributes", Messages.updateDeviceAttributesRequest) {
            request, arena in
            var check = FieldCheck()
            let message = request.pointee
            seen.append(check.attributeUpdates(message.attributes, count: message.n_attributes, limits: Limits()))
            #expect(message.mode == ROLLCALL__V1__UPDATE_MODE__UPDATE_MODE_REPLACE)
            #expect(message.etag.string == "e1")
            let response = arena.make(Messages.updateDeviceAttributesResponse)
            response.pointee.etag = arena.text("e2")
            return response
        }
        let checkIn = method("Devices", "CheckIn", Messages.checkInRequest) { request, arena in
            var check = FieldCheck()
            let message = request.pointee
            seen.append(check.attributeUpdates(message.attributes, count: message.n_attributes, limits: Limits()))
            #expect(check.timestamp(message.time, field: "time") == Timestamp(microseconds: 1_000_001))
            #expect(message.release.pointee.version.string == "1.2")
            #expect(message.release.pointee.revision.string == "r")
            #expect(message.hardware_version.string == "hw")
            #expect(message.create_missing == 1)
            return arena.message(Device.sample(serial: "A"))
        }
        try await withServer([set, checkIn]) { client, _ in
            let reply = try await client.updateDeviceAttributes("A", updates, replacesOthers: true, etag: "e1")
            #expect(reply == DeviceAttributes(attributes: [], etag: "e2"))
            _ = try await client.checkIn(
                "A",
                time: Timestamp(microseconds: 1_000_001),
                release: ("1.2", "r"),
                hardwareVersion: "hw",
                attributes: updates,
                createMissing: true
            )
        }
        let writes = updates.map { AttributeUpdate(key: $0.key, value: $0.value, time: $0.time) }
        #expect(seen.values == [writes, writes])
    }

    @Test func refusalKeepsReasonFieldsAndResource() async throws {
        let create = method("Devices", "CreateDevice", Messages.createDeviceRequest) {
            (_, arena) -> UnsafeMutablePointer<Rollcall__V1__Device> in
            let violation = arena.make(Messages.googleRpcBadRequestFieldViolation)
            violation.pointee.field = arena.text("device.owner_ref")
            violation.pointee.description = arena.text("must not be empty")
            let badRequest = arena.make(Messages.googleRpcBadRequest)
            badRequest.pointee.field_violations = arena.makePointerArray(count: 1)
            badRequest.pointee.field_violations[0] = violation
            badRequest.pointee.n_field_violations = 1
            let resource = arena.make(Messages.googleRpcResourceInfo)
            resource.pointee.resource_type = arena.text("rollcall.v1.Device")
            resource.pointee.resource_name = arena.text("A")
            throw Status(
                .invalidArgument,
                "A field is bad.",
                reason: "FIELD_INVALID",
                details: [
                    .init(typeURL: "type.googleapis.com/google.rpc.BadRequest", value: packed(badRequest)),
                    .init(typeURL: "type.googleapis.com/google.rpc.ResourceInfo", value: packed(resource)),
                    .init(typeURL: "type.googleapis.com/of.the.Future", value: [1, 2, 3]),
                    .init(typeURL: "type.googleapis.com/google.rpc.BadRequest", value: [0xFF]),
                ]
            )
        }
        try await withServer([create]) { client, _ in
            let error = await #expect(throws: RollcallError.self) {
                try await client.createDevice("A", ownerRef: "", hardwareVersion: "h")
            }
            #expect(
                error
                    == RollcallError(
                        .invalidArgument,
                        "A field is bad.",
                        reason: "FIELD_INVALID",
                        violations: [FieldViolation(field: "device.owner_ref", description: "must not be empty")],
                        resource: RollcallError.Resource(type: "rollcall.v1.Device", name: "A", description: "")
                    )
            )
        }
    }

    @Test func unknownMethodIsUnimplemented() async throws {
        try await withServer([]) { client, _ in
            let error = await #expect(throws: RollcallError.self) { try await client.serverInfo() }
            #expect(error?.code == .unimplemented)
            #expect(error?.reason == "METHOD_UNKNOWN")
        }
    }

    @Test func replyThatHoldsNoDeviceIsADefect() async throws {
        let get = method("Devices", "GetDevice", Messages.getDeviceRequest) { _, arena in arena.make(Messages.device) }
        try await withServer([get]) { client, _ in
            let error = await #expect(throws: RollcallError.self) { try await client.getDevice("A") }
            #expect(error?.code == .internal)
            #expect(error?.message.contains("created_date") == true)
        }
    }
}

/// What a method on another thread was asked.
private final class Recorded<Value: Sendable>: Sendable {
    private let contents = Mutex<[Value]>([])

    var values: [Value] { self.contents.withLock { $0 } }

    func append(_ value: Value) {
        self.contents.withLock { $0.append(value) }
    }
}

private func packed<Message>(_ message: UnsafeMutablePointer<Message>) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Encoding.packedByteCount(of: UnsafePointer(message))) { bytes, count in
        count = Encoding.pack(UnsafePointer(message), into: UnsafeMutableRawBufferPointer(bytes))
    }
}
