// Projects and cohorts, and what loading refuses.

import DeviceModel
import DeviceQuery
import FoundationEssentials
import RollcallTesting
import Testing

@Suite struct CatalogTests {
    private func project(_ id: Int64, _ slug: String) -> ProjectRecord {
        ProjectRecord(id: ProjectID(rawValue: id), slug: slug, name: slug, createdDate: .epoch)
    }

    @Test func anEmptySlugMeansDefault() throws {
        var index = RegistryIndex(storeID: storeID, limits: Limits())
        #expect(index.project(slug: "") == nil)
        index.apply(.projectCreated(self.project(1, "default")))
        index.apply(.projectCreated(self.project(2, "other")))
        #expect(index.project(slug: "")?.id.rawValue == 1)
        #expect(index.project(slug: "other".dropFirst(0))?.id.rawValue == 2)
        #expect(index.project(slug: UnsafeRawBufferPointer(start: nil, count: 0))?.rawValue == 1)
        #expect(index.project(slug: "Other") == nil)
        index.apply(.projectDeleted(ProjectID(rawValue: 2)))
        #expect(index.project(slug: "other") == nil && index.projectCount == 1)
    }

    @Test func projectsAndCohortsAreListedById() {
        var index = RegistryIndex(storeID: storeID, limits: Limits())
        for id in [3, 1, 2, 5] as [Int64] { index.apply(.projectCreated(self.project(id, "p\(id)"))) }
        #expect(index.projects(after: nil, limit: 2).map(\.id.rawValue) == [1, 2])
        #expect(index.projects(after: ProjectID(rawValue: 2), limit: 9).map(\.id.rawValue) == [3, 5])
        #expect(index.projects(after: ProjectID(rawValue: 4), limit: 9).map(\.id.rawValue) == [5])
        #expect(index.projects(after: ProjectID(rawValue: 5), limit: 9).isEmpty)

        let fixture = IndexFixture(seed: 1, deviceCount: 40)
        let all = fixture.index.cohorts(in: FleetGenerator.project, after: nil, limit: 10)
        #expect(all.map(\.record.slug) == FleetGenerator.cohortSlugs)
        #expect(all.reduce(0) { $0 + $1.deviceCount } == 40)
        let rest = fixture.index.cohorts(in: FleetGenerator.project, after: all[2].record.id, limit: 1)
        #expect(rest.map(\.record.id) == [all[3].record.id])
        #expect(fixture.index.cohortCount(in: FleetGenerator.project) == 5)
    }

    @Test func aCohortIsRenamedForEveryDeviceInIt() throws {
        let fixture = IndexFixture(seed: 2, deviceCount: 20)
        let known = fixture.index.cohort(slug: "beta", in: FleetGenerator.project)
        let cohort = try #require(known)
        fixture.apply([.cohortRenamed(cohort.id, project: FleetGenerator.project, name: "Beta Channel, at length")])
        #expect(fixture.index.cohort(id: cohort.id, in: FleetGenerator.project)?.name == "Beta Channel, at length")
        var query = ListQuery()
        query.filter.cohorts = ["beta"]
        _ = try fixture.index.list(query, in: FleetGenerator.project, now: .epoch) { device in
            #expect(String(decoding: device.record.cohort.name, as: UTF8.self) == "Beta Channel, at length")
            #expect(String(decoding: device.record.cohort.slug, as: UTF8.self) == "beta")
            return true
        }
        try fixture.index.checkInvariants()
    }

    @Test func aDeletedCohortsSlugAndPlaceAreFreeAgain() throws {
        let fixture = IndexFixture(seed: 3)
        let known = fixture.index.cohort(slug: "beta", in: FleetGenerator.project)
        let cohort = try #require(known)
        fixture.apply([.cohortDeleted(cohort.id, project: FleetGenerator.project)])
        #expect(fixture.index.cohort(slug: "beta", in: FleetGenerator.project) == nil)
        let new = CohortRecord(id: CohortID(rawValue: 99), project: FleetGenerator.project, slug: "beta", name: "Anew")
        fixture.apply([.cohortCreated(new)])
        #expect(fixture.index.cohort(slug: "beta", in: FleetGenerator.project) == new)
        try fixture.index.checkInvariants()
    }

    @Test func loadingRefusesWhatContradictsItself() throws {
        var index = RegistryIndex(storeID: storeID, limits: Limits())
        let one = FleetGenerator.project
        func load(
            _ index: inout RegistryIndex, id: Int64, _ serial: String, project: ProjectID, cohort: Int64,
            release: Int64? = nil
        )
            -> IndexError?
        {
            let serial = Array(serial.utf8)
            return serial.withUnsafeBytes { bytes -> IndexError? in
                do throws(IndexError) {
                    try index.insert(
                        id: DeviceID(rawValue: id), project: project, createdDate: .epoch, updatedDate: .epoch,
                        etagRevision: .zero, cohort: CohortID(rawValue: cohort),
                        sighting: Sighting(lastSeen: nil, release: release.map { ReleaseID(rawValue: $0) }),
                        serial: bytes, ownerRef: bytes, hardwareVersion: bytes
                    )
                    return nil
                } catch {
                    return error
                }
            }
        }
        #expect(load(&index, id: 1, "A", project: one, cohort: 1) != nil, "unknown project")
        try index.load(self.project(1, "default"))
        #expect(throws: IndexError.self) { try index.load(self.project(2, "default")) }
        #expect(load(&index, id: 1, "A", project: one, cohort: 1) != nil, "unknown cohort")
        try index.load(CohortRecord(id: CohortID(rawValue: 1), project: one, slug: "default", name: "Default"))
        #expect(load(&index, id: 1, "A", project: one, cohort: 1, release: 4) != nil, "unknown release")
        #expect(load(&index, id: 1, "A", project: one, cohort: 1) == nil)
        #expect(load(&index, id: 2, "A", project: one, cohort: 1) != nil, "serial taken")
        #expect(load(&index, id: 1, "B", project: one, cohort: 1) != nil, "id taken")
        #expect(load(&index, id: 0, "B", project: one, cohort: 1) != nil, "no id")
        let key = AttributeKeyRecord(
            id: AttributeKeyID(rawValue: 1), project: one,
            metric: CustomMetric(id: UUID(), stringKey: "k", dataType: .int)
        )
        try index.load(key)
        let text = AttributeState(value: .string("x"), time: .epoch, createdDate: .epoch, updatedDate: .epoch)
        #expect(throws: IndexError.self) {
            try index.setAttribute(key.id, of: DeviceID(rawValue: 1), in: one, state: text)
        }
        #expect(index.deviceCount(in: one) == 1)
        try index.checkInvariants()
    }
}
