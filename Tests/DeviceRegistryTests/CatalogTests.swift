import DeviceModel
import DeviceQuery
import DeviceRegistry
import RollcallTesting
import Testing

@Suite struct CatalogTests {
    @Test func defaultProjectAndCohortAreProtected() async throws {
        let fixture = try RegistryFixture()
        let project = await #expect(throws: RegistryError.self) {
            try await fixture.perform(.deleteProject(allowMissing: false))
        }
        #expect(project?.reason == .projectProtected)
        let cohort = await #expect(throws: RegistryError.self) {
            try await fixture.perform(.deleteCohort(slug: "default", allowMissing: false))
        }
        #expect(cohort?.reason == .cohortProtected)
    }

    @Test func projectIsDeletedOnlyWhenEmpty() async throws {
        let fixture = try RegistryFixture()
        try await fixture.perform(.createProject(name: "Lab"), project: "lab")
        let creation = DeviceCreation(serial: "A1", ownerRef: "o", hardwareVersion: "h")
        try await fixture.perform(.createDevice(creation), project: "lab")
        // The same serial in another project is another device.
        try await fixture.perform(.createDevice(creation))
        let full = await #expect(throws: RegistryError.self) {
            try await fixture.perform(.deleteProject(allowMissing: false), project: "lab")
        }
        #expect(full?.code == .failedPrecondition)
        #expect(full?.reason == .projectNotEmpty)
        try await fixture.perform(.deleteDevice(DeviceDeletion(serial: "A1")), project: "lab")
        try await fixture.perform(.deleteProject(allowMissing: false), project: "lab")
        let gone = await #expect(throws: RegistryError.self) {
            try await fixture.perform(.createDevice(creation), project: "lab")
        }
        #expect(gone?.reason == .projectNotFound)
    }

    @Test func renamingACohortTouchesNoDevicesEtag() async throws {
        let fixture = try RegistryFixture()
        try await fixture.perform(.createCohort(slug: "beta", name: "Beta"))
        let created = try await fixture.create("A1", cohort: "beta")
        let outcome = try await fixture.perform(.renameCohort(slug: "beta", name: "Beta Channel"))
        #expect(outcome == .cohort(Cohort(id: 2, name: "Beta Channel", slug: "beta", deviceCount: 1)))
        let same = try await fixture.device(.updateDevice(DeviceUpdate(serial: "A1")))
        #expect(same.etag == created.etag)
        #expect(same.cohort.name == "Beta Channel")
    }

    @Test func cohortWithDevicesIsNotDeleted() async throws {
        let fixture = try RegistryFixture()
        try await fixture.perform(.createCohort(slug: "beta", name: "Beta"))
        try await fixture.create("A1", cohort: "beta")
        let full = await #expect(throws: RegistryError.self) {
            try await fixture.perform(.deleteCohort(slug: "beta", allowMissing: false))
        }
        #expect(full?.reason == .cohortNotEmpty)
        try await fixture.device(.updateDevice(DeviceUpdate(serial: "A1", cohort: "default")))
        try await fixture.perform(.deleteCohort(slug: "beta", allowMissing: false))
        let restarted = try fixture.restarted()
        #expect(restarted.visible("A1")?.cohort == "default")
    }

    @Test func absentProjectOrCohortIsNoErrorIfThatIsAllowed() async throws {
        let fixture = try RegistryFixture()
        #expect(try await fixture.perform(.deleteProject(allowMissing: true), project: "none") == .deleted)
        #expect(try await fixture.perform(.deleteCohort(slug: "none", allowMissing: true)) == .deleted)
        let error = await #expect(throws: RegistryError.self) {
            try await fixture.perform(.deleteCohort(slug: "none", allowMissing: false))
        }
        #expect(error?.reason == .cohortNotFound)
        #expect(fixture.store.committed.isEmpty)
    }

    @Test func takenSlugsAreRefused() async throws {
        let fixture = try RegistryFixture()
        let project = await #expect(throws: RegistryError.self) { try await fixture.perform(.createProject(name: "x")) }
        #expect(project?.reason == .projectExists)
        let cohort = await #expect(throws: RegistryError.self) {
            try await fixture.perform(.createCohort(slug: "default", name: "x"))
        }
        #expect(cohort?.reason == .cohortExists)
    }
}
