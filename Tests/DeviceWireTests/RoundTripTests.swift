// What goes out comes back as it was.

import CRollcallProto
import DeviceModel
import DeviceWire
import FoundationEssentials
import ProtobufC
import RollcallTesting
import Testing

@Suite struct RoundTripTests {
    @Test func aDeviceWithEveryFieldComesBack() throws {
        let bytes = packed { $0.message(Device.sample) }
        #expect(try decoded(Messages.device, bytes) { try Device(from: $0) } == .sample)
    }

    @Test func aDeviceNeverSeenComesBackWithoutTimesOrRelease() throws {
        var device = Device.sample
        device.lastSeen = nil
        device.lastSeenRelease = nil
        device.ownerRef = ""
        device.attributes = []
        let bytes = packed { $0.message(device) }
        #expect(try decoded(Messages.device, bytes) { try Device(from: $0) } == device)
    }

    @Test(arguments: [Timestamp.min, .epoch, .max, time(0, microseconds: -1), time(-1, microseconds: 1)])
    func aTimeComesBackToTheMicrosecond(_ time: Timestamp) throws {
        let bytes = packed { $0.message(time) }
        #expect(try decoded(Messages.googleProtobufTimestamp, bytes) { try Timestamp(from: $0, field: "time") } == time)
    }

    @Test(arguments: [1, -1, 999_999, 1_000_000, -1_500_000, 86_400_000_000, 315_576_000_000_000_000] as [Int64])
    func aSpanComesBackToTheMicrosecond(_ microseconds: Int64) throws {
        let bytes = packed { $0.message(microseconds: microseconds) }
        try decoded(Messages.googleProtobufDuration, bytes) { message in
            var check = FieldCheck()
            #expect(check.microseconds(UnsafeMutablePointer(mutating: message), field: "window") == microseconds)
            #expect(check.violations.isEmpty)
        }
    }

    @Test(
        arguments: [
            .string(""), .string("é\u{1F4E1}"), .int(.min), .int(0), .int(.max), .float(0), .float(-0.0),
            .float(.leastNonzeroMagnitude),
            .float(.greatestFiniteMagnitude), .bool(true), .bool(false),
        ] as [AttributeValue])
    func anAttributeOfAnyValueComesBack(_ value: AttributeValue) throws {
        let attribute = Attribute(
            customMetric: CustomMetric(id: UUID(), stringKey: "a key", dataType: value.dataType),
            state: AttributeState(value: value, time: .epoch, createdDate: .min, updatedDate: .max)
        )
        let bytes = packed { $0.message(attribute.customMetric, attribute.state) }
        #expect(try decoded(Messages.attribute, bytes) { try Attribute(from: $0) } == attribute)
    }

    @Test func thePartsOfABackupComeBack() throws {
        let part = BackupPart(bytes: [0, 1, 255], position: .max - 1, totalByteCount: .max)
        let summary = BackupSummary(storeID: .sample, revision: .max, byteCount: 5_000_000_000, sha256: Array(1...32))
        let end = BackupPart(bytes: [], position: 5_000_000_000, totalByteCount: 5_000_000_000)
        var (partBytes, summaryBytes): ([UInt8], [UInt8]) = ([], [])
        Arena().scope { arena in
            arena.withMessage(part) { message in partBytes = packed { _ in message } }
            arena.withMessage(summary) { message in summaryBytes = packed { _ in message } }
        }
        try decoded(Messages.backupResponse, partBytes) {
            let found = (BackupPart(from: $0), try BackupSummary(from: $0))
            #expect(found.0 == part && found.1 == nil)
        }
        try decoded(Messages.backupResponse, summaryBytes) {
            let found = (BackupPart(from: $0), try BackupSummary(from: $0))
            #expect(found.0 == end && found.1 == summary)
        }
    }

    @Test func aProjectAndACohortComeBack() throws {
        let project = Project(id: 7, slug: "fleet", name: "The fleet", createdDate: time(1))
        let projectBytes = packed { $0.message(project) }
        #expect(try decoded(Messages.project, projectBytes) { try Project(from: $0) } == project)
        let cohort = Cohort(id: 8, name: "Beta", slug: "beta", deviceCount: 9)
        let cohortBytes = packed { $0.message(cohort) }
        #expect(try decoded(Messages.cohort, cohortBytes) { Cohort(from: $0) } == cohort)
    }

    @Test func whatDevicesHaveInCommonComesBackWithItsCount() throws {
        let release = Release(id: 7, version: "1.2.3", revision: "", deviceCount: 5)
        let releaseBytes = packed { $0.message(release) }
        #expect(try decoded(Messages.release, releaseBytes) { Release(from: $0) } == release)
        let version = HardwareVersion(hardwareVersion: "hwrev1", deviceCount: 6)
        let versionBytes = packed { $0.message(version) }
        #expect(try decoded(Messages.hardwareVersion, versionBytes) { HardwareVersion(from: $0) } == version)
        let key = AttributeKey(
            customMetric: CustomMetric(id: .sample, stringKey: "Battery level", dataType: .int), deviceCount: 0)
        let keyBytes = packed { $0.message(key) }
        #expect(try decoded(Messages.attributeKey, keyBytes) { try AttributeKey(from: $0) } == key)
    }

    @Test(arguments: QueryExplanation.Plan.allCases)
    func anExplanationOfAnyPlanComesBack(_ plan: QueryExplanation.Plan) throws {
        var explanation = QueryExplanation.sample
        explanation.plan = plan
        explanation.steps = plan == .nothing ? [] : explanation.steps
        let bytes = packed { $0.message(explanation) }
        #expect(try decoded(Messages.explanation, bytes) { try QueryExplanation(from: $0) } == explanation)
    }

    @Test func aQueryOfEitherKindComesBackWithEveryCondition() throws {
        var filter = DeviceFilter()
        filter.releases = ["1", "2"]
        filter.ownerRefs = ["o"]
        filter.hardwareVersions = ["h1", "h2"]
        filter.cohorts = ["c"]
        filter.deviceSerials = ["s"]
        filter.lastSeenSince = .epoch
        filter.lastSeenUntil = time(1, microseconds: 1)
        filter.activity = .inactive
        filter.activityWindowMicroseconds = 90_000_001
        filter.expression = "attributes.\"Battery level\" < 20 AND NOT owner_ref = é*"

        var list = ListQuery()
        list.filter = filter
        list.sort = [SortKey(.attribute("battery level"), isDescending: true), SortKey(.release)]
        (list.pageSize, list.position, list.includesTotal, list.explains) = (7, .number(3), true, true)
        let listBytes = packed { $0.listDevicesRequest(project: "p", query: list, view: .full) }
        try decoded(Messages.listDevicesRequest, listBytes) { request in
            var check = FieldCheck()
            #expect(check.listQuery(request, limits: Limits()) == list)
            #expect(check.project(request.pointee.project) == "p")
            #expect(check.violations.isEmpty)
        }

        var count = CountQuery()
        count.filter = filter
        count.groupBy = [.attribute("battery level"), .ownerRef]
        (count.groupLimit, count.explains) = (7, true)
        let countBytes = packed { $0.countDevicesRequest(project: "p", query: count) }
        try decoded(Messages.countDevicesRequest, countBytes) { request in
            var check = FieldCheck()
            #expect(check.countQuery(request, limits: Limits()) == count)
            #expect(check.project(request.pointee.project) == "p")
            #expect(check.violations.isEmpty)
        }
    }

    @Test(
        arguments: [
            .none, .text(""), .text("é"), .int(.min), .int(0), .float(-0.5), .bool(true), .bool(false),
            .activity(.pending), .activity(.active), .activity(.inactive),
        ] as [GroupValue])
    func aGroupOfAnyValueComesBack(_ value: GroupValue) throws {
        let group = DeviceGroup(values: [value], count: 1)
        let bytes = packed { $0.reply(DeviceCount(count: 1, groups: [group], otherCount: 0)) }
        let count = try decoded(Messages.countDevicesResponse, bytes) { try DeviceCount(from: $0, keyCount: 1) }
        #expect(count.groups == [group])
        #expect(count.explanation == nil)
    }

    @Test(
        arguments: [
            .ready, .checking, .failing(reason: "no space"), .closed(reason: "damaged"),
        ] as [ServerInfo.StoreState])
    func serverInfoComesBack(store: ServerInfo.StoreState) throws {
        var info = ServerInfo(
            version: "0.1.0",
            storeID: "0b4a9c1e-5d2f-4c7b-9a58-3e1f6d7c8b90",
            revision: 41,
            uptime: .microseconds(1_500_001),
            caller: ServerInfo.Caller(
                userID: .max, groupID: 1, processID: 2, groupIDs: [0, .max],
                roles: [
                    ServerInfo.GrantedRoles(project: nil, roles: ["reader"]),
                    ServerInfo.GrantedRoles(project: "lab", roles: ["reader", "reporter"]),
                ]),
            limits: [
                ServerInfo.Limit(name: "message_bytes", value: 4_194_304, unit: "bytes"),
                ServerInfo.Limit(name: "projects", value: 1_000, unit: "projects"),
            ],
            memory: [
                ServerInfo.MemoryFigure(name: "rows", byteCount: 5_000_000_000),
                ServerInfo.MemoryFigure(name: "serials", byteCount: 0),
            ]
        )
        info.store = store
        let bytes = packed { $0.message(info) }
        #expect(try decoded(Messages.getServerInfoResponse, bytes) { try ServerInfo(from: $0) } == info)
    }

    @Test func valuesToWriteComeBack() throws {
        let writes = [
            AttributeUpdate(key: "battery", value: .int(20), time: time(5)),
            AttributeUpdate(key: "gone", value: nil),
        ]
        let bytes = packed { arena in
            let request = arena.make(Messages.updateDeviceAttributesRequest)
            request.pointee.attributes = arena.messages(writes)
            request.pointee.n_attributes = writes.count
            return request
        }
        try decoded(Messages.updateDeviceAttributesRequest, bytes) { request in
            var check = FieldCheck()
            let read = check.attributeUpdates(
                request.pointee.attributes, count: request.pointee.n_attributes, limits: Limits())
            #expect(read == writes)
            #expect(check.violations.isEmpty)
        }
    }

    @Test(arguments: [DeviceView.basic, .full])
    func aViewComesBack(_ view: DeviceView) {
        #expect(DeviceView(view.wire) == view)
    }

    @Test(arguments: DataType.allCases)
    func aTypeComesBack(_ type: DataType) {
        #expect(DataType(type.wire) == type)
    }
}
