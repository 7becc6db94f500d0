import DeviceModel
import Foundation
import RollcallClient
import RollcallTesting
import Testing

/// Every operation, called at the real daemon through the client.
@Suite(.sharedDaemon, .timeLimit(.minutes(1))) struct LiveOperationTests {
    private let early: Timestamp
    private let late: Timestamp

    init() throws {
        self.early = try #require(Timestamp(rfc3339: "2024-01-19T05:01:13.123456Z"))
        self.late = self.early.advanced(byMicroseconds: 1)
    }

    @Test func deviceIsCreatedReadChangedAndDeleted() async throws {
        try await SharedDaemon.withClient { client in
            _ = try await client.createCohort("beta", name: "Beta Channel")
            let preview = try await client.createDevice(
                "A-1", ownerRef: "ada", hardwareVersion: "h1", validateOnly: true)
            #expect(preview.deviceSerial == "A-1" && preview.id == 0 && preview.etag == "")
            #expect(try await client.listDevices().items.isEmpty)

            let created = try await client.createDevice("A-1", ownerRef: "Åda", hardwareVersion: "h1", cohort: "beta")
            #expect(created.id > 0 && created.etag != "" && created.createdDate == created.updatedDate)
            #expect([created.ownerRef, created.hardwareVersion] == ["Åda", "h1"])
            #expect([created.cohort.slug, created.cohort.name] == ["beta", "Beta Channel"])
            #expect(created.lastSeen == nil && created.lastSeenRelease == nil)
            #expect(try await client.getDevice("A-1") == created)

            let updated = try await client.updateDevice("A-1", ownerRef: "bob", etag: created.etag)
            #expect(updated.etag != created.etag && updated.updatedDate >= created.updatedDate)
            #expect([updated.ownerRef, updated.hardwareVersion, updated.cohort.slug] == ["bob", "h1", "beta"])
            #expect(try await client.updateDevice("A-1", ownerRef: "bob") == updated)
            let replaced = try await client.updateDevice("A-1", ownerRef: "eve", hardwareVersion: "h2", mask: ["*"])
            #expect([replaced.ownerRef, replaced.hardwareVersion, replaced.cohort.slug] == ["eve", "h2", "default"])
            let upserted = try await client.updateDevice(
                "A-2", ownerRef: "ada", hardwareVersion: "h1", allowMissing: true)
            #expect(upserted.id > created.id)

            try await client.deleteDevice("A-1", etag: replaced.etag)
            try await client.deleteDevice("A-1", allowMissing: true)
            #expect(try await client.listDevices().items == [upserted])
        }
    }

    @Test func checkInMovesTimeForwardOnlyAndRegistersOnDemand() async throws {
        try await SharedDaemon.withClient { client in
            let created = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1")
            let seen = try await client.checkIn("A-1", time: self.early, release: (version: "1.2.3", revision: "b"))
            #expect(seen.lastSeen == self.early && seen.etag == created.etag)
            #expect(seen.lastSeenRelease?.version == "1.2.3" && seen.lastSeenRelease?.revision == "b")
            let before = self.early.advanced(byMicroseconds: -1)
            #expect(try await client.checkIn("A-1", time: before, release: (version: "9", revision: "")) == seen)
            let equal = try await client.checkIn("A-1", time: self.early, release: (version: "1.2.4", revision: ""))
            #expect(equal.lastSeen == self.early && equal.lastSeenRelease?.version == "1.2.4")
            let now = try await client.checkIn("A-1")
            #expect(try #require(now.lastSeen) > self.early && now.updatedDate == created.updatedDate)

            let update = AttributeUpdate(key: "battery", value: .int(80))
            let registered = try await client.checkIn(
                "A-2", time: self.early, hardwareVersion: "h1", attributes: [update], createMissing: true)
            #expect(registered.ownerRef == "" && registered.hardwareVersion == "h1")
            #expect(try await client.deviceAttributes("A-2").attributes.map(\.state.time) == [self.early])
        }
    }

    @Test func attributesAreSetUnsetReplacedAndPartOfTheFullView() async throws {
        try await SharedDaemon.withClient { client in
            let created = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1")
            let values: [(String, AttributeValue)] = [
                ("Battery level", .int(.min)), ("battery/volts", .float(-0.5)), ("docked", .bool(false)),
                ("zone", .string("")),
            ]
            let written = try await client.updateDeviceAttributes(
                "A-1", values.map { AttributeUpdate(key: $0.0, value: $0.1, time: self.early) }, etag: created.etag)
            #expect(written.etag != created.etag)
            #expect(written.attributes.map(\.state.value) == values.map(\.1))
            #expect(written.attributes.map(\.customMetric.dataType) == [.int, .float, .bool, .string])
            #expect(try await client.deviceAttributes("A-1") == written)
            let matching = try await client.deviceAttributes("A-1", matching: "BATTERY*")
            #expect(matching.attributes == Array(written.attributes[..<2]))

            let full = try await client.getDevice("A-1", view: .full)
            #expect(full.attributes == written.attributes && full.etag == written.etag)
            #expect(try await client.listDevices(view: .full).items == [full])
            #expect(try await client.getDevice("A-1").attributes.isEmpty)

            let before = self.early.advanced(byMicroseconds: -1)
            let older = AttributeUpdate(key: "ZONE", value: .string("older"), time: before)
            #expect(try await client.updateDeviceAttributes("A-1", [older]) == written)
            let unset = try await client.updateDeviceAttributes("A-1", [AttributeUpdate(key: "docked", value: nil)])
            #expect(unset.attributes.map(\.customMetric.stringKey) == ["Battery level", "battery/volts", "zone"])
            let replaced = try await client.updateDeviceAttributes(
                "A-1", [AttributeUpdate(key: "battery/volts", value: .int(1))], replacesOthers: true)
            #expect(replaced.attributes.map(\.state.value) == [.float(1)])
        }
    }

    @Test func projectsAndCohortsAreCreatedListedRenamedAndDeleted() async throws {
        try await SharedDaemon.withClient { client in
            let slug = UUID().uuidString
            let project = try await client.createProject(slug, name: "Depot 7")
            #expect(project.name == "Depot 7" && project.slug == slug)
            #expect(try await client.getProject(slug) == project)
            let inside = client.with(project: slug)
            _ = try await inside.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1")
            #expect(try await client.listDevices().items.isEmpty)

            let cohorts = ["a", "b", "c", "d"]
            for cohort in cohorts {
                _ = try await inside.createCohort(cohort)
            }
            var seen: [String] = []
            var page = try await inside.listCohorts(pageSize: 2, includesTotal: true)
            #expect(page.totalCount == 5)
            seen += page.items.map(\.slug)
            while !page.nextPageToken.isEmpty {
                page = try await inside.listCohorts(pageSize: 2, position: .token(page.nextPageToken))
                seen += page.items.map(\.slug)
            }
            #expect(seen == ["default"] + cohorts)
            #expect(try await inside.listCohorts(pageSize: 2, position: .number(3)).items.map(\.slug) == ["d"])

            let moved = try await inside.updateDevice("A-1", cohort: "a")
            #expect(try await inside.renameCohort("a", to: "Alpha").deviceCount == 1)
            #expect(try await inside.getCohort("a").name == "Alpha")
            let renamed = try await inside.getDevice("A-1")
            #expect(renamed.cohort.name == "Alpha" && renamed.etag == moved.etag)

            try await inside.deleteCohort("b")
            try await inside.deleteCohort("b", allowMissing: true)
            try await inside.deleteDevice("A-1")
            try await client.deleteProject(slug)
            try await client.deleteProject(slug, allowMissing: true)
            let projects = try await client.listProjects(pageSize: 1_000, includesTotal: true)
            #expect(projects.items.first?.slug == Project.defaultSlug)
            #expect(!projects.items.contains { $0.slug == slug } && projects.totalCount >= 2)
        }
    }

    @Test func everyFilterAndSortKeyAndPageNumberReachesTheDaemon() async throws {
        try await SharedDaemon.withClient { client in
            _ = try await client.createCohort("beta")
            _ = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1")
            _ = try await client.createDevice("A-2", ownerRef: "bob", hardwareVersion: "h1", cohort: "beta")
            _ = try await client.createDevice("A-3", ownerRef: "bob", hardwareVersion: "h2")
            _ = try await client.checkIn("A-1", time: self.early, release: (version: "1.0", revision: ""))
            _ = try await client.checkIn("A-2", time: self.late, release: (version: "1.1", revision: ""))
            func serials(_ change: (inout ListQuery) -> Void) async throws -> [String] {
                var query = ListQuery()
                change(&query)
                return try await client.listDevices(query).items.map(\.deviceSerial)
            }
            #expect(try await serials { $0.filter.releases = ["1.0", "1.1"] } == ["A-1", "A-2"])
            #expect(try await serials { $0.filter.ownerRefs = ["bob"] } == ["A-2", "A-3"])
            #expect(try await serials { $0.filter.hardwareVersions = ["h2", "h3"] } == ["A-3"])
            #expect(try await serials { $0.filter.cohorts = ["beta"] } == ["A-2"])
            #expect(try await serials { $0.filter.deviceSerials = ["A-3", "A-1"] } == ["A-1", "A-3"])
            #expect(try await serials { $0.filter.lastSeenSince = self.early } == ["A-2"])
            #expect(try await serials { $0.filter.lastSeenUntil = self.late } == ["A-1"])
            #expect(try await serials { $0.filter.activity = .pending } == ["A-3"])
            #expect(try await serials { $0.filter.activity = .inactive } == ["A-1", "A-2"])
            let both: (inout ListQuery) -> Void = {
                ($0.filter.ownerRefs, $0.filter.hardwareVersions) = (["bob"], ["h1"])
            }
            #expect(try await serials(both) == ["A-2"])
            #expect(try await serials { $0.filter.expression = "owner_ref = bob AND NOT cohort = beta" } == ["A-3"])
            #expect(try await serials { $0.sort = [SortKey(.lastSeen)] } == ["A-3", "A-1", "A-2"])
            let update = AttributeUpdate(key: "Battery level", value: .int(80))
            _ = try await client.updateDeviceAttributes("A-2", [update])
            #expect(try await serials { $0.sort = [SortKey(.attribute("battery level"))] } == ["A-1", "A-3", "A-2"])
            #expect(try await serials { $0.filter.expression = "attributes.\"battery level\" > 79.5" } == ["A-2"])
            for field in SortKey.Field.columns {
                let ascending = try await serials { $0.sort = [SortKey(field)] }
                let descending = try await serials { $0.sort = [SortKey(field, isDescending: true)] }
                #expect(ascending.reversed() == descending, "\(field)")
            }
            var query = ListQuery()
            (query.pageSize, query.includesTotal, query.position) = (2, true, .number(2))
            let second = try await client.listDevices(query)
            #expect(second.items.map(\.deviceSerial) == ["A-3"] && second.totalCount == 3)
            query.position = .number(3)
            #expect(try await client.listDevices(query) == Page(items: [], nextPageToken: "", totalCount: 3))
        }
    }

    @Test(arguments: [[], [SortKey(.deviceSerial, isDescending: true)], [SortKey(.ownerRef), SortKey(.createdDate)]])
    func walkMeetsEveryDeviceThatStaysOnceWhileOthersComeAndGo(sort: [SortKey]) async throws {
        try await SharedDaemon.withClient { client in
            try await withThrowingTaskGroup { group in
                for number in 100..<160 {
                    group.addTask {
                        _ = try await client.createDevice(
                            "S-\(number)", ownerRef: "owner \(number % 7)", hardwareVersion: "h1")
                    }
                }
                try await group.waitForAll()
            }
            // Of each page the last device goes, where the token stands, and others come before and behind it.
            @Sendable func change(after page: Page<Device>, _ pageNumber: Int) async throws {
                guard let last = page.items.last else { return }
                try await client.deleteDevice(last.deviceSerial)
                for serial in ["A-\(pageNumber)", "S-120-\(pageNumber)", "Z-\(pageNumber)"] {
                    _ = try await client.createDevice(serial, ownerRef: "owner 3", hardwareVersion: "h1")
                }
                _ = try await client.checkIn("S-101")
            }
            var query = ListQuery()
            (query.sort, query.pageSize) = (sort, 7)
            var page = try await client.listDevices(query)
            var met = page.items
            var deleted: Set<String> = []
            // The devices that come keep a walk from ending by itself only where they come behind it.
            for pageNumber in 0..<200 where !page.nextPageToken.isEmpty {
                let last = page
                query.position = .token(page.nextPageToken)
                deleted.formUnion(pageNumber < 8 ? last.items.suffix(1).map(\.deviceSerial) : [])
                async let changed: Void? = pageNumber < 8 ? change(after: last, pageNumber) : nil
                page = try await client.listDevices(query)
                met += page.items
                _ = try await changed
            }
            #expect(page.nextPageToken.isEmpty)
            let serials = met.map(\.deviceSerial)
            #expect(Set(serials).count == serials.count)
            let stayed = Set((100..<160).map { "S-\($0)" }).subtracting(deleted)
            #expect(stayed.isSubset(of: serials), "\(stayed.subtracting(serials))")
        }
    }

    @Test func serverSaysWhoItIsAndCountsItsChanges() async throws {
        try await SharedDaemon.withClient { client in
            let info = try await client.serverInfo()
            #expect(info.version == RollcallVersion.current)
            #expect(UUID(uuidString: info.storeID) != nil && info.storeID == info.storeID.lowercased())
            #expect(info.uptime > .zero)
            #expect(info.caller.userID == geteuid() && info.caller.groupID == getegid())
            #expect(info.caller.processID == getpid())
            #expect(info.caller.roles == [ServerInfo.GrantedRoles(project: nil, roles: ["admin"])])
            #expect(info.limits.contains(.init(name: "message_bytes", value: 4 << 20, unit: "bytes")))
            #expect(info.memory.contains { $0.name == "rows" } && info.memory.allSatisfy { $0.byteCount >= 0 })
            _ = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1")
            #expect(try await client.serverInfo().revision > info.revision)
        }
    }
}
