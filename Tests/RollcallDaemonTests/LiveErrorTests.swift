import DeviceModel
import Foundation
import RollcallClient
import RollcallTesting
import Testing

/// Every error that the operations have, as a caller of the real daemon meets it: code, reason, details.
@Suite(.timeLimit(.minutes(1))) struct LiveErrorTests {
    /// Refusals of a daemon that all of these tests share.
    @Suite(.sharedDaemon) struct Refused {
        @Test func everyBadFieldOfACallIsNamedAtOnce() async throws {
            try await SharedDaemon.withClient { client in
                try await expect(
                    .badFields([
                        "device.cohort.slug", "device.device_serial", "device.hardware_version", "device.owner_ref",
                    ])
                ) {
                    try await client.createDevice("A 1", ownerRef: "", hardwareVersion: "é", cohort: "no slug")
                }
                try await expect(.badFields(["device.owner_ref", "update_mask"])) {
                    try await client.updateDevice("A-1", ownerRef: "", mask: ["owner_ref", "last_seen"])
                }
                try await expect(.badFields(["attributes[0].string_key", "device_serial", "release.version"])) {
                    let update = AttributeUpdate(key: "", value: .bool(true))
                    return try await client.checkIn("", release: (version: "", revision: ""), attributes: [update])
                }
                // What only the writer knows: its clock, and that the device is not there.
                try await expect(.badFields(["hardware_version", "time"])) {
                    let farAhead = Timestamp(rfc3339: "9999-01-01T00:00:00Z")
                    return try await client.checkIn("A-1", time: farAhead, createMissing: true)
                }
                try await expect(.badFields(["attributes[0].value", "attributes[2].string_key"])) {
                    let updates = [("a", .float(.nan)), ("b", .int(1)), ("B", .int(2))] as [(String, AttributeValue)]
                    return try await client.updateDeviceAttributes(
                        "A-1", updates.map { AttributeUpdate(key: $0.0, value: $0.1) })
                }
                try await expect(.badFields(["activity_window", "last_seen_since", "owner_ref"])) {
                    var query = ListQuery()
                    query.filter.ownerRefs = Array(repeating: "o", count: 1_001)
                    query.filter.lastSeenSince = Timestamp(rfc3339: "2024-01-02T00:00:00Z")
                    query.filter.lastSeenUntil = Timestamp(rfc3339: "2024-01-01T00:00:00Z")
                    query.filter.activityWindowMicroseconds = 1
                    return try await client.listDevices(query)
                }
                try await expect(.badFields(["activity_window", "group_limit", "last_seen_since"])) {
                    var query = CountQuery()
                    query.filter.lastSeenSince = Timestamp(rfc3339: "2024-01-02T00:00:00Z")
                    query.filter.lastSeenUntil = Timestamp(rfc3339: "2024-01-01T00:00:00Z")
                    query.filter.activityWindowMicroseconds = 1
                    query.groupBy = [.cohort]
                    query.groupLimit = -1
                    return try await client.countDevices(query)
                }
                try await expect(.badFields(["project.name", "project.slug"])) {
                    try await client.createProject("no slug", name: String(repeating: "x", count: 129))
                }
                try await expect(.badFields(["cohort.name"])) {
                    try await client.renameCohort("default", to: "")
                }
            }
        }

        @Test func invalidArgumentsOfTheirOwnKindHaveAReasonOfTheirOwn() async throws {
            try await SharedDaemon.withClient { client in
                let id = UUID()
                _ = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1", requestID: id)
                try await expect(.badFields(["request_id"], "REQUEST_ID_REUSED")) {
                    try await client.createDevice("A-2", ownerRef: "ada", hardwareVersion: "h1", requestID: id)
                }
                var query = ListQuery()
                query.position = .token("garbage")
                try await expect(.badFields(["page_token"], "PAGE_TOKEN_INVALID")) {
                    try await client.listDevices(query)
                }
                try await expect(.badFields(["page_token"], "PAGE_TOKEN_INVALID")) {
                    let token = try await client.listProjects(pageSize: 1).nextPageToken
                    return try await client.listReleases(position: .token(token))
                }
                func update(_ values: KeyValuePairs<String, AttributeValue>) async throws {
                    _ = try await client.updateDeviceAttributes(
                        "A-1", values.map { AttributeUpdate(key: $0.key, value: $0.value) })
                }
                try await update(["Zone": .string("a")])
                try await expect(.badFields(["attributes[1].value"], "ATTRIBUTE_TYPE_MISMATCH")) {
                    try await update(["new": .int(1), "zone": .int(1)])
                }
                // All or nothing.
                #expect(try await client.deviceAttributes("A-1").attributes.map(\.customMetric.stringKey) == ["Zone"])
            }
        }

        @Test func whatIsNotThereIsNotFoundAndNamed() async throws {
            try await SharedDaemon.withClient { client in
                let device = Refusal(.notFound, "DEVICE_NOT_FOUND", resource: "Device A-1")
                let cohort = Refusal(.notFound, "COHORT_NOT_FOUND", resource: "Cohort beta")
                let project = Refusal(.notFound, "PROJECT_NOT_FOUND", resource: "Project none")
                let update = AttributeUpdate(key: "a", value: .int(1))
                try await expect(device) { try await client.getDevice("A-1") }
                try await expect(device) { try await client.updateDevice("A-1", ownerRef: "o") }
                try await expect(device) { try await client.deleteDevice("A-1") }
                try await expect(device) { try await client.checkIn("A-1") }
                try await expect(device) { try await client.deviceAttributes("A-1") }
                try await expect(device) { try await client.updateDeviceAttributes("A-1", [update]) }
                try await expect(cohort) {
                    try await client.createDevice("A-1", ownerRef: "o", hardwareVersion: "h", cohort: "beta")
                }
                try await expect(cohort) { try await client.getCohort("beta") }
                try await expect(cohort) { try await client.renameCohort("beta", to: "B") }
                try await expect(cohort) { try await client.deleteCohort("beta") }
                let elsewhere = client.with(project: "none")
                try await expect(project) { try await elsewhere.listDevices() }
                try await expect(project) { try await elsewhere.countDevices() }
                try await expect(project) { try await elsewhere.listCohorts() }
                try await expect(project) { try await elsewhere.listReleases() }
                try await expect(project) { try await elsewhere.listHardwareVersions() }
                try await expect(project) { try await elsewhere.listAttributeKeys() }
                try await expect(project) { try await elsewhere.checkIn("A-1") }
                try await expect(project) { try await client.getProject("none") }
                try await expect(project) { try await client.deleteProject("none") }
            }
        }

        @Test func duplicateLeavesTheStoredDeviceByteForByteAsItWas() async throws {
            try await SharedDaemon.withClient { client in
                _ = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1")
                _ = try await client.checkIn("A-1", release: (version: "1.2.3", revision: "b"))
                _ = try await client.updateDeviceAttributes("A-1", [AttributeUpdate(key: "battery", value: .int(80))])
                let wire = try WireConnection(SharedDaemon.daemon())
                let request = Wire.text(1, client.project) + Wire.text(2, "A-1") + Wire.number(3, 2)
                await wire.send(.request(1, "Devices/GetDevice", request))
                let before = try await wire.expectReply(1)
                try await expect(.init(.alreadyExists, "DEVICE_EXISTS", resource: "Device A-1")) {
                    try await client.createDevice("A-1", ownerRef: "eve", hardwareVersion: "h2")
                }
                await wire.send(.request(3, "Devices/GetDevice", request))
                #expect(try await wire.expectReply(3) == before)
            }
        }

        @Test func takenSlugsAlreadyExist() async throws {
            try await SharedDaemon.withClient { client in
                _ = try await client.createCohort("beta")
                try await expect(.init(.alreadyExists, "COHORT_EXISTS", resource: "Cohort beta")) {
                    try await client.createCohort("beta")
                }
                try await expect(.init(.alreadyExists, "PROJECT_EXISTS", resource: "Project \(client.project)")) {
                    try await client.createProject(client.project)
                }
            }
        }

        @Test func staleEtagAbortsAndChangesNothing() async throws {
            try await SharedDaemon.withClient { client in
                let stale = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1").etag
                let device = try await client.updateDevice("A-1", ownerRef: "bob", etag: stale)
                let aborted = Refusal(.aborted, "ETAG_STALE", resource: "Device A-1")
                let update = AttributeUpdate(key: "a", value: .int(1))
                try await expect(aborted) {
                    try await client.updateDevice("A-1", ownerRef: "eve", etag: stale)
                }
                try await expect(aborted) { try await client.deleteDevice("A-1", etag: stale) }
                try await expect(aborted) {
                    try await client.updateDeviceAttributes("A-1", [update], etag: stale)
                }
                #expect(try await client.getDevice("A-1", view: .full) == device)
            }
        }

        @Test func whatIsInUseOrProtectedStays() async throws {
            try await SharedDaemon.withClient { client in
                _ = try await client.createCohort("beta")
                _ = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1", cohort: "beta")
                let slug = client.project
                try await expect(.init(.failedPrecondition, "COHORT_NOT_EMPTY", resource: "Cohort beta")) {
                    try await client.deleteCohort("beta")
                }
                try await expect(.init(.failedPrecondition, "COHORT_PROTECTED", resource: "Cohort default")) {
                    try await client.deleteCohort("default")
                }
                try await expect(.init(.failedPrecondition, "PROJECT_NOT_EMPTY", resource: "Project \(slug)")) {
                    try await client.deleteProject(slug)
                }
                try await expect(.init(.failedPrecondition, "PROJECT_PROTECTED", resource: "Project default")) {
                    try await client.deleteProject("default")
                }
                #expect(try await client.getDevice("A-1").cohort.slug == "beta")
            }
        }

        @Test func limitOfADeviceIsResourceExhausted() async throws {
            try await SharedDaemon.withClient { client in
                _ = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1")
                let updates = (0...256).map { AttributeUpdate(key: "k\($0)", value: .int(1)) }
                try await expect(.init(.resourceExhausted, "LIMIT_EXCEEDED")) {
                    try await client.updateDeviceAttributes("A-1", updates)
                }
                #expect(try await client.deviceAttributes("A-1").attributes.isEmpty)
            }
        }
    }

    // MARK: A daemon in trouble

    @Test func daemonThatIsGoneIsUnavailable() async throws {
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            daemon.child.signal(SIGKILL)
            #expect(await daemon.child.end() == .signal(SIGKILL))
            try await expect(.init(.unavailable, "SERVER_UNREACHABLE")) {
                try await RollcallClient.connect(address: daemon.socketPath)
            }
        }
    }
}
