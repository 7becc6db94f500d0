// What a list refuses, and that it names every bad field.

import DeviceModel
@testable import DeviceQuery
import FoundationEssentials
import RollcallTesting
import Testing

@Suite struct ListRefusalTests {
    private func refusedFields(_ query: ListQuery, in fixture: IndexFixture) -> [String] {
        do throws(InvalidFields) {
            _ = try fixture.page(query)
            return []
        } catch {
            return error.violations.map(\.field)
        }
    }

    private func token(_ query: ListQuery, in fixture: IndexFixture) throws -> String {
        var query = query
        query.pageSize = 2
        return try fixture.page(query).page.nextPageToken
    }

    @Test func everyBadFieldIsNamedAtOnce() {
        let fixture = IndexFixture(seed: 1, deviceCount: 5)
        var query = ListQuery()
        let many = (0...1_000).map(String.init)
        query.filter.releases = many
        query.filter.ownerRefs = many
        query.filter.hardwareVersions = many
        query.filter.cohorts = many
        query.filter.deviceSerials = many
        query.filter.lastSeenSince = .max
        query.filter.lastSeenUntil = .min
        query.filter.activityWindowMicroseconds = 5
        query.pageSize = -1
        query.position = .number(0)
        #expect(
            self.refusedFields(query, in: fixture) == [
                "release", "owner_ref", "hardware_version", "cohort", "device_serial", "last_seen_since",
                "activity_window",
                "page_size", "page",
            ]
        )
        query = ListQuery()
        query.filter.activity = .active
        query.filter.activityWindowMicroseconds = 0
        query.position = .token("?")
        #expect(self.refusedFields(query, in: fixture) == ["activity_window", "page_token"])
    }

    @Test func sizesOutsideOfTheRangeAreMadeToFit() throws {
        let fixture = IndexFixture(seed: 1, deviceCount: 120)
        var query = ListQuery()
        query.pageSize = 0
        #expect(try fixture.page(query).ids.count == 100)
        query.pageSize = .max
        #expect(try fixture.page(query).ids.count == 120)
    }

    @Test func aTokenOfAnotherListIsRefused() throws {
        let fixture = IndexFixture(seed: 2, deviceCount: 60)
        let other = ProjectID(rawValue: 2)
        fixture.apply([.projectCreated(ProjectRecord(id: other, slug: "other", name: "Other", createdDate: .epoch))])
        var query = ListQuery()
        query.filter.hardwareVersions = ["hwrev1", "hwrev2"]
        query.sort = [SortKey(.lastSeen, isDescending: true)]
        let token = try self.token(query, in: fixture)
        query.position = .token(token)
        #expect(self.refusedFields(query, in: fixture) == [])

        let changes: [(String, (inout ListQuery) -> Void)] = [
            ("another value", { $0.filter.hardwareVersions[0] = "hwrev10" }),
            ("a value less", { $0.filter.hardwareVersions.removeLast() }),
            (
                "the values under another field",
                {
                    $0.filter.ownerRefs = $0.filter.hardwareVersions; $0.filter.hardwareVersions = []
                }
            ),
            ("a bound", { $0.filter.lastSeenSince = .min }),
            ("another bound", { $0.filter.lastSeenUntil = .max }),
            ("an activity", { $0.filter.activity = .active }),
            ("another direction", { $0.sort = [SortKey(.lastSeen)] }),
            ("another key", { $0.sort = [SortKey(.updatedDate, isDescending: true)] }),
            ("no sort", { $0.sort = [] }),
            ("an attribute's key", { $0.sort = [SortKey(.attribute("zone"), isDescending: true)] }),
            ("an expression", { $0.filter.expression = "id > 0" }),
        ]
        for (name, change) in changes {
            var changed = query
            change(&changed)
            #expect(self.refusedFields(changed, in: fixture) == ["page_token"], "\(name)")
        }
        #expect(throws: InvalidFields.self) {
            _ = try fixture.index.list(query, in: other, now: .epoch) { _ in true }
        }
        #expect(
            self.refusedFields(query, in: IndexFixture(seed: 2, deviceCount: 60, storeID: UUID())) == ["page_token"])
    }

    @Test func aTokenIsGoodForTheSameListInOtherWords() throws {
        let fixture = IndexFixture(seed: 3, deviceCount: 60)
        var query = ListQuery()
        query.filter.hardwareVersions = ["hwrev1", "hwrev2", "hwrev10"]
        query.sort = [SortKey(.id)]
        let token = try self.token(query, in: fixture)
        query.position = .token(token)
        let rest = try fixture.page(query).ids
        query.filter.hardwareVersions = ["hwrev10", "hwrev1", "hwrev2"]
        query.sort = []
        #expect(try fixture.page(query).ids == rest, "order of values, and the order that is the default")
        // The same history loaded again, as after a restart.
        let restarted = IndexFixture(seed: 3, deviceCount: 60)
        #expect(try restarted.page(query).ids == rest)
    }

    @Test func garbledTokensAreRefusedAndNeverTrap() throws {
        let fixture = IndexFixture(seed: 4, deviceCount: 60)
        var random = SeededGenerator(seed: 4)
        for sort in [[], [SortKey(.ownerRef)], [SortKey(.release), SortKey(.lastSeen)]] as [[SortKey]] {
            var query = ListQuery()
            query.sort = sort
            let token = Array(try self.token(query, in: fixture).utf8)
            for end in 1..<token.count {
                query.position = .token(String(decoding: token[..<end], as: UTF8.self))
                #expect(self.refusedFields(query, in: fixture) == ["page_token"], "cut to \(end)")
            }
            for _ in 0..<300 {
                var mutated = token
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    mutated[Int.random(in: 0..<mutated.count, using: &random)] = UInt8.random(
                        in: 0x20...0x7E, using: &random)
                }
                guard mutated != token else { continue }
                query.position = .token(String(decoding: mutated, as: UTF8.self))
                #expect(self.refusedFields(query, in: fixture) == ["page_token"], "\(mutated)")
            }
        }
    }

    @Test func placesThatNoDeviceEverHadAreOnlyPlaces() throws {
        let fixture = IndexFixture(seed: 5, deviceCount: 30)
        for (sort, value) in [
            ([], nil), ([SortKey(.lastSeen, isDescending: true)], SortValue.number(.max)),
            ([SortKey(.lastSeen)], .number(.min)),
            ([SortKey(.ownerRef)], .text([0xFF, 0xFE])),
        ] as [([SortKey], SortValue?)] {
            for id in [Int64.min, 0, .max] {
                var query = ListQuery()
                query.sort = sort
                query.position = .token(
                    PageToken(
                        fingerprint: PageToken.fingerprint(
                            query.filter, sort, in: FleetGenerator.project, of: storeID),
                        now: .min, place: ListPlace(firstValue: value, id: id)
                    ).text
                )
                #expect(throws: Never.self) { try fixture.page(query) }
            }
        }
    }
}
