import DeviceModel
import JSONText
import RollcallClient
import Testing

@testable import rollcall

/// JSON as the Devices API's documentation shows it, byte for byte.
@Suite struct JSONOutputTests {
    private static let deviceLine = """
        {"id": 1, "created_date": "2019-01-19T05:01:13.000000+00:00", \
        "updated_date": "2019-01-19T05:01:13.000000+00:00", "device_serial": "ABCD1234", \
        "owner_ref": "awesome_employee_1234", "hardware_version": "hwrev1", \
        "last_seen": "2019-01-19T05:01:13.000000+00:00", \
        "last_seen_release": {"id": 2, "version": "1.2.3", "revision": "11d95ef20f7a048ce1da1a6891dd3e2f92c89d85"}, \
        "cohort": {"id": 1, "name": "Beta Channel", "slug": "beta"}, "etag": "3f2a9c10-1"}
        """

    private static let unseenDeviceLine = """
        {"id": 2, "created_date": "2019-01-19T05:01:13.000000+00:00", \
        "updated_date": "2019-01-19T05:01:14.234567+00:00", "device_serial": "00:1A:2B", "owner_ref": "", \
        "hardware_version": "rev,2", "last_seen": null, "last_seen_release": null, \
        "cohort": {"id": 3, "name": "Default", "slug": "default"}, "etag": "3f2a9c10-2"}
        """

    private static let batteryLine = """
        {"custom_metric": {"id": "8a3b6c1e-0000-4000-8000-000000000001", "string_key": "battery", \
        "data_type": "FLOAT"}, "state": {"value": 0.1, "time": "2019-01-19T05:01:13.000000+00:00", \
        "created_date": "2019-01-19T05:01:13.000000+00:00", "updated_date": "2019-01-19T05:01:13.000000+00:00"}}
        """

    private static let noteLine = """
        {"custom_metric": {"id": "8a3b6c1e-0000-4000-8000-000000000002", "string_key": "note", \
        "data_type": "STRING"}, "state": {"value": "say \\"hi\\"\\n\\u001b[31m", \
        "time": "2019-01-19T05:01:13.000000+00:00", "created_date": "2019-01-19T05:01:13.000000+00:00", \
        "updated_date": "2019-01-19T05:01:13.000000+00:00"}}
        """

    @Test func deviceIsOneLineForAProgram() async throws {
        let (data, words) = try await printed(.json) { try $0.one(Samples.device, as: .device()) }
        #expect(data == "{\"data\": \(Self.deviceLine)}\n")
        #expect(words.isEmpty)
    }

    @Test func absentValuesAreNull() async throws {
        let (data, _) = try await printed(.json) { try $0.one(Samples.unseenDevice, as: .device()) }
        #expect(data == "{\"data\": \(Self.unseenDeviceLine)}\n")
    }

    @Test func fullViewAddsAttributesLast() async throws {
        let (data, _) = try await printed(.json) { try $0.one(Samples.unseenDevice, as: .device(.full)) }
        let expected = Self.unseenDeviceLine.dropLast() + ", \"attributes\": [\(Self.batteryLine), \(Self.noteLine)]}"
        #expect(data == "{\"data\": \(expected)}\n")
    }

    @Test func objectIsIndentedForAPerson() async throws {
        let cohort = Cohort(id: 1, name: "Beta Channel", slug: "beta", deviceCount: 7)
        let (data, _) = try await printed(.json, isTerminal: true) { try $0.one(cohort, as: .cohort) }
        #expect(
            data == """
                {
                  "data": {
                    "id": 1,
                    "name": "Beta Channel",
                    "slug": "beta",
                    "count_devices": 7
                  }
                }

                """
        )
    }

    @Test func tokenWalkHasNullPageNumbers() async throws {
        let paging = Paging(itemCount: 2, itemCountPerPage: 100, nextPageToken: "abc")
        let (data, _) = try await printed(.json) { printer in
            var list = printer.list(of: .device())
            try list.write([Samples.device, Samples.unseenDevice])
            try list.finish(paging)
        }
        #expect(
            data == """
                {"data": [\(Self.deviceLine), \(Self.unseenDeviceLine)], "paging": {"item_count": 2, "page": null, \
                "page_count": null, "per_page": 100, "total_count": null, "next_page_token": "abc"}}

                """
        )
    }

    @Test func numberedPageHasThemAll() {
        var paging = Paging(itemCount: 1, page: 3, itemCountPerPage: 10, totalCount: 21)
        #expect(
            paging.json.text(.line) == """
                {"item_count": 1, "page": 3, "page_count": 3, "per_page": 10, "total_count": 21, "next_page_token": null}
                """
        )
        paging.totalCount = 20
        #expect(paging.pageCount == 2)
        paging.totalCount = 0
        #expect(paging.pageCount == 0)
    }

    @Test func pagesOfAWalkMakeOneArray() async throws {
        let cohort = Cohort(id: 1, name: "B", slug: "b", deviceCount: 0)
        let paging = Paging(itemCount: 2, itemCountPerPage: 1)
        for isTerminal in [false, true] {
            let (data, _) = try await printed(.json, isTerminal: isTerminal) { printer in
                var list = printer.list(of: .cohort)
                try list.write([cohort])
                try list.write([])
                try list.write([cohort])
                try list.finish(paging)
            }
            let squeezed = data.split(whereSeparator: \.isWhitespace).joined()
            let item = #"{"id":1,"name":"B","slug":"b","count_devices":0}"#
            #expect(squeezed.hasPrefix(#"{"data":[\#(item),\#(item)],"paging":{"item_count":2,"#))
        }
    }

    @Test func emptyListIsAnEmptyArray() async throws {
        for (isTerminal, expected) in [(false, "{\"data\": []}\n"), (true, "{\n  \"data\": []\n}\n")] {
            let (data, _) = try await printed(.json, isTerminal: isTerminal) {
                try $0.whole([Attribute](), "attributes", as: .attribute)
            }
            #expect(data == expected)
        }
    }

    @Test func attributesHaveAnEnvelopeWithoutPaging() async throws {
        let (data, _) = try await printed(.json) {
            try $0.whole([Samples.battery, Samples.note], "attributes", as: .attribute)
        }
        #expect(data == "{\"data\": [\(Self.batteryLine), \(Self.noteLine)]}\n")
    }

    @Test func ndjsonIsAnItemALine() async throws {
        let (data, words) = try await printed(.ndjson) { printer in
            var list = printer.list(of: .device())
            try list.write([Samples.device, Samples.unseenDevice])
            try list.finish(Paging(itemCount: 2, itemCountPerPage: 100))
        }
        #expect(data == "\(Self.deviceLine)\n\(Self.unseenDeviceLine)\n")
        #expect(words.isEmpty)
    }

    @Test func projectHasItsFieldsInOrder() async throws {
        let project = Project(id: 4, slug: "depot", name: "Depot", createdDate: Samples.time)
        let (data, _) = try await printed(.json) { try $0.one(project, as: .project) }
        #expect(
            data == """
                {"data": {"id": 4, "slug": "depot", "name": "Depot", "created_date": "2019-01-19T05:01:13.000000+00:00"}}

                """
        )
    }

    @Test func countIsOneObjectWithItsGroups() async throws {
        let (data, words) = try await printed(.json) { try $0.count(Samples.count, by: [.release, .activity]) }
        #expect(
            data == """
                {"data": {"count": 20, "groups": [{"release": "1.2.3", "activity": "active", "count": 12}, \
                {"release": null, "activity": "pending", "count": 7}], "other_count": 1}}

                """
        )
        #expect(words.isEmpty)
        let alone = DeviceCount(count: 20, groups: [], otherCount: 0)
        for (format, expected) in [
            (OutputFormat.json, "{\"data\": {\"count\": 20}}\n"), (.ndjson, "{\"count\": 20}\n"),
        ] {
            #expect(try await printed(format) { try $0.count(alone, by: []) }.data == expected)
        }
    }

    @Test func groupsHaveValuesOfTheirTypesAndTheNamesThatWereAskedFor() async throws {
        let values: [GroupValue] = [.none, .text("a\"b"), .int(-1), .float(0.1), .bool(true)]
        let groups = values.map { DeviceGroup(values: [$0], count: 1) }
        let count = DeviceCount(count: 5, groups: groups, otherCount: 0)
        let (data, _) = try await printed(.ndjson) { try $0.count(count, by: [.attribute("a key")]) }
        let shown = ["null", #""a\"b""#, "-1", "0.1", "true"]
        #expect(data == shown.map { "{\"attributes.\\\"a key\\\"\": \($0), \"count\": 1}\n" }.joined())
    }

    @Test func explanationHasItsFiguresAsNumbers() async throws {
        let (data, words) = try await printed(.json) { try $0.explanation(Samples.explanation) }
        #expect(
            data == """
                {"data": {"plan": "ordered walk", "steps": ["walk last_seen from its newest end", \
                "ask each about cohort"], "estimated_candidate_count": 134, "estimated_match_count": 100, \
                "candidate_count": 120, "match_count": 101, "estimated_nanoseconds": 850, "nanoseconds": 12345, \
                "slice_count": 1}}

                """
        )
        #expect(words.isEmpty)
    }

    @Test func explanationThatDoesNotComeIsAnError() async throws {
        await #expect(throws: RollcallError.self) { try await printed(.json) { try $0.explanation(nil) } }
    }

    @Test func whatDevicesHaveInCommonHasItsCount() async throws {
        let release = Release(id: 2, version: "1.2.3", revision: "", deviceCount: 7)
        let version = HardwareVersion(hardwareVersion: "hwrev1", deviceCount: 8)
        let key = AttributeKey(customMetric: Samples.battery.customMetric, deviceCount: 9)
        let (data, _) = try await printed(.json) { printer in
            try printer.one(release, as: .release)
            try printer.one(version, as: .hardwareVersion)
            try printer.one(key, as: .attributeKey)
        }
        #expect(
            data == """
                {"data": {"id": 2, "version": "1.2.3", "revision": "", "count_devices": 7}}
                {"data": {"hardware_version": "hwrev1", "count_devices": 8}}
                {"data": {"custom_metric": {"id": "8a3b6c1e-0000-4000-8000-000000000001", "string_key": "battery", \
                "data_type": "FLOAT"}, "count_devices": 9}}

                """
        )
    }

    @Test func serverInfoHasCallerLimitsAndMemory() async throws {
        let info = ServerInfo(
            version: "0.1.0",
            storeID: "8a3b6c1e-0000-4000-8000-000000000001",
            revision: 17,
            uptime: .milliseconds(1_500),
            caller: ServerInfo.Caller(
                userID: 1_000, groupID: 100, processID: 42, groupIDs: [4, 24],
                roles: [
                    ServerInfo.GrantedRoles(project: nil, roles: ["reader"]),
                    ServerInfo.GrantedRoles(project: "lab", roles: ["reader", "reporter"]),
                ]),
            limits: [ServerInfo.Limit(name: "page_size", value: 1_000, unit: "items")],
            memory: [ServerInfo.MemoryFigure(name: "rows", byteCount: 64)]
        )
        let (data, _) = try await printed(.json) { try $0.one(info, as: .serverInfo) }
        #expect(
            data == """
                {"data": {"version": "0.1.0", "store_id": "8a3b6c1e-0000-4000-8000-000000000001", "revision": 17, \
                "uptime_seconds": 1.5, "caller": {"uid": 1000, "gid": 100, "pid": 42, "groups": [4, 24], \
                "roles": [{"project": null, "roles": ["reader"]}, \
                {"project": "lab", "roles": ["reader", "reporter"]}]}, \
                "limits": [{"name": "page_size", "value": 1000, "unit": "items"}], \
                "memory": [{"name": "rows", "bytes": 64}], "store": {"state": "ready", "reason": ""}}}

                """
        )
    }

    @Test func errorIsASentenceWithItsType() {
        let error = RollcallError(.notFound, "There is no device 'X'.", reason: "DEVICE_NOT_FOUND")
        #expect(
            error.json.text(.line) == """
                {"error": {"code": "NOT_FOUND", "http_code": 404, "message": "There is no device 'X'.", \
                "type": "DEVICE_NOT_FOUND"}}
                """
        )
    }

    @Test func errorOfFieldsGroupsSentencesByField() {
        let error = RollcallError(
            .invalidArgument,
            "Two fields are bad.",
            reason: "FIELD_INVALID",
            violations: [
                FieldViolation(field: "device.owner_ref", description: "must not be empty"),
                FieldViolation(field: "device.device_serial", description: "is too long"),
                FieldViolation(field: "device.owner_ref", description: "must be text"),
            ]
        )
        #expect(
            error.json.text(.line) == """
                {"error": {"code": "INVALID_ARGUMENT", "http_code": 400, "message": \
                {"device.owner_ref": ["must not be empty", "must be text"], "device.device_serial": ["is too long"]}, \
                "type": "FIELD_INVALID"}}
                """
        )
        #expect(
            error.sentences == """
                rollcall: Two fields are bad.
                  device.owner_ref must not be empty
                  device.device_serial is too long
                  device.owner_ref must be text

                """
        )
    }

    @Test(arguments: [
        (0.1, "0.1"), (1, "1.0"), (-0.0, "-0.0"), (.leastNonzeroMagnitude, "5e-324"),
        (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
        (.nan, "null"), (.infinity, "null"),
    ])
    func doublesReadBackAsTheyWere(value: Double, text: String) {
        #expect(JSON.double(value).text(.line) == text)
        if value.isFinite {
            #expect(Double(text)?.bitPattern == value.bitPattern)
        }
    }

    @Test func stringsEscapeWhatJSONAndTerminalsMind() {
        let text = "\"\\\n\r\t\u{0}\u{7F}\u{9B}é日😀\u{202E}\u{2028}/"
        #expect(JSON.string(text).text(.line) == #""\"\\\n\r\t\u0000\u007f\u009bé日😀\u202e\u2028/""#)
    }
}
