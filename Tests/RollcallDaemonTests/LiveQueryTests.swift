import DeviceModel
import RollcallClient
import RollcallTesting
import Testing

/// Counts, expressions, explanations and what devices have in common, at the real daemon.
@Suite(.sharedDaemon, .timeLimit(.minutes(1))) struct LiveQueryTests {
    private let early: Timestamp
    private let late: Timestamp

    init() throws {
        self.early = try #require(Timestamp(rfc3339: "2024-01-19T05:01:13.123456Z"))
        self.late = self.early.advanced(byMicroseconds: 1)
    }

    @Test func devicesAreCountedAndDivided() async throws {
        try await SharedDaemon.withClient { client in
            _ = try await client.createCohort("beta")
            for (serial, cohort) in [("A-1", "default"), ("A-2", "beta"), ("A-3", "beta"), ("A-4", "beta")] {
                _ = try await client.createDevice(serial, ownerRef: "ada", hardwareVersion: "h1", cohort: cohort)
            }
            _ = try await client.checkIn("A-1", time: self.early, release: (version: "1.0", revision: ""))
            _ = try await client.checkIn("A-2", time: self.late, release: (version: "1.0", revision: "b"))
            _ = try await client.checkIn("A-3", release: (version: "1.1", revision: ""))
            func count(_ change: (inout CountQuery) -> Void) async throws -> DeviceCount {
                var query = CountQuery()
                change(&query)
                return try await client.countDevices(query)
            }
            #expect(try await count { _ in } == DeviceCount(count: 4, groups: [], otherCount: 0))
            #expect(try await count { $0.filter.cohorts = ["beta"] }.count == 3)
            #expect(try await count { $0.filter.activity = .active }.count == 1)
            #expect(try await count { $0.filter.expression = "cohort = beta release:*" }.count == 2)

            let releases = try await count { $0.groupBy = [.release] }
            let byRelease = [("1.0", 2), (nil, 1), ("1.1", 1)] as [(String?, Int64)]
            #expect(
                releases.groups
                    == byRelease.map { DeviceGroup(values: [$0.map(GroupValue.text) ?? .none], count: $1) })
            let both = try await count {
                $0.groupBy = [.cohort, .activity]
                $0.groupLimit = 2
                $0.filter.expression = "release:*"
            }
            #expect(both.count == 3 && both.groups.allSatisfy { $0.count == 1 } && both.otherCount == 1)
            #expect(both.groups.first?.values == [.text("beta"), .activity(.active)])
        }
    }

    @Test func queriesAreExplainedOnRequest() async throws {
        try await SharedDaemon.withClient { client in
            _ = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1")
            var list = ListQuery()
            list.filter.ownerRefs = ["ada"]
            #expect(try await client.listDevices(list).explanation == nil)
            list.explains = true
            let listed = try #require(try await client.listDevices(list).explanation)
            var count = CountQuery()
            (count.filter, count.groupBy, count.explains) = (list.filter, [.cohort], true)
            let counted = try #require(try await client.countDevices(count).explanation)
            for explanation in [listed, counted] {
                #expect(explanation.matchCount == 1 && explanation.sliceCount == 1 && !explanation.steps.isEmpty)
                #expect(explanation.elapsedNanoseconds > 0)
            }
        }
    }

    @Test func whatDevicesHaveInCommonIsListedWithItsCounts() async throws {
        try await SharedDaemon.withClient { client in
            for (index, hardware) in ["h2", "h1", "h2"].enumerated() {
                _ = try await client.createDevice("A-\(index)", ownerRef: "ada", hardwareVersion: hardware)
                _ = try await client.checkIn("A-\(index)", release: (version: "1.0", revision: "\(index / 2)"))
            }
            let updates = [("Zone", .string("a")), ("alpha", .int(1))] as [(String, AttributeValue)]
            _ = try await client.updateDeviceAttributes(
                "A-0", updates.map { AttributeUpdate(key: $0.0, value: $0.1) })

            let first = try await client.listReleases(pageSize: 1, includesTotal: true)
            let second = try await client.listReleases(position: .token(first.nextPageToken))
            #expect(first.totalCount == 2 && second.nextPageToken.isEmpty)
            let releases = first.items + second.items
            #expect(releases.map(\.revision) == ["0", "1"] && releases.map(\.deviceCount) == [2, 1])
            let versions = try await client.listHardwareVersions(pageSize: 1, includesTotal: true)
            #expect(versions.items == [HardwareVersion(hardwareVersion: "h1", deviceCount: 1)])
            let rest = try await client.listHardwareVersions(position: .token(versions.nextPageToken))
            #expect(rest.items == [HardwareVersion(hardwareVersion: "h2", deviceCount: 2)])
            let keys = try await client.listAttributeKeys(includesTotal: true)
            #expect(keys.items.map(\.customMetric.stringKey) == ["alpha", "Zone"] && keys.totalCount == 2)
            #expect(keys.items.map(\.customMetric.dataType) == [.int, .string])
            #expect(keys.items.map(\.deviceCount) == [1, 1])
            #expect(try await client.listAttributeKeys(position: .number(2)).items.isEmpty)
        }
    }

    // MARK: Refusals

    @Test(arguments: [
        "cohort", "cohort =", "cohort == beta", "nope = 1", "attributes.nope = 1", "id = x",
        "last_seen > yesterday",
        "(id = 1", "f(id)", "id = 1 OR",
    ])
    func badExpressionIsABadFieldOfListAndCount(expression: String) async throws {
        try await SharedDaemon.withClient { client in
            var filter = DeviceFilter()
            filter.expression = expression
            try await expect(.badFields(["filter"])) {
                var query = ListQuery()
                query.filter = filter
                return try await client.listDevices(query)
            }
            try await expect(.badFields(["filter"])) {
                var query = CountQuery()
                query.filter = filter
                return try await client.countDevices(query)
            }
        }
    }

    @Test func expressionOverALimitIsABadField() async throws {
        try await SharedDaemon.withClient { client in
            let long = "owner_ref = \"" + String(repeating: "x", count: 8_192) + "\""
            let deep = String(repeating: "NOT (", count: 33) + "id = 1" + String(repeating: ")", count: 33)
            let broad = Array(repeating: "id = 1", count: 257).joined(separator: " OR ")
            for expression in [long, deep, broad] {
                try await expect(.badFields(["filter"])) {
                    var query = CountQuery()
                    query.filter.expression = expression
                    return try await client.countDevices(query)
                }
            }
        }
    }

    @Test func keysToGroupByAreKnownAndAtMostTwo() async throws {
        try await SharedDaemon.withClient { client in
            try await expect(.badFields(["group_by[1]", "group_by[2]"])) {
                var query = CountQuery()
                query.groupBy = [.cohort, .cohort, .release]
                return try await client.countDevices(query)
            }
        }
    }
}
