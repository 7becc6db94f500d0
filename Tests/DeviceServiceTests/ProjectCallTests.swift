// Projects and cohorts.

import CRollcallProto
import DeviceModel
import DeviceWire
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct ProjectCallTests {
    private func projects(
        _ service: ServiceHarness, size: Int32 = 0, token: String = "", page: Int32 = 0
    ) async throws -> Page<Project> {
        let bytes = try await service.call("ListProjects", Messages.listProjectsRequest) {
            $0.page_size = size
            $0.page_token = $1.text(token)
            $0.page = page
            $0.include_total = 1
        }
        return try bytes.withUnsafeBytes { bytes in
            try Arena().decode(Messages.listProjectsResponse, from: bytes) { try Page<Project>(from: $0) }
        }
    }

    private func cohorts(
        _ service: ServiceHarness, project: String = "", size: Int32 = 0, token: String = "", page: Int32 = 0
    ) async throws -> Page<Cohort> {
        let bytes = try await service.call("ListCohorts", Messages.listCohortsRequest) {
            $0.project = $1.text(project)
            $0.page_size = size
            $0.page_token = $1.text(token)
            $0.page = page
        }
        return try bytes.withUnsafeBytes { bytes in
            try Arena().decode(Messages.listCohortsResponse, from: bytes) { Page<Cohort>(from: $0) }
        }
    }

    private func cohort(_ service: ServiceHarness, _ slug: String, project: String = "") async throws -> Cohort {
        let bytes = try await service.call("GetCohort", Messages.getCohortRequest) {
            $0.project = $1.text(project)
            $0.cohort = $1.text(slug)
        }
        return try DeviceServiceTests.cohort(from: bytes)
    }

    // MARK: Projects

    @Test func aProjectIsCreatedWithItsOwnDefaultCohort() async throws {
        let service = try ServiceHarness()
        let created = try await service.createProject("fleet", name: "The fleet")
        #expect(created.name == "The fleet")
        #expect(created.createdDate == service.clock.now)
        let bytes = try await service.call("GetProject", Messages.getProjectRequest) { $0.project = $1.text("fleet") }
        #expect(try project(from: bytes) == created)
        #expect(try await self.cohorts(service, project: "fleet").items.map(\.slug) == ["default"])
        #expect(try await service.createProject("unnamed").name == "unnamed")
    }

    @Test func serialsAreUniqueWithinAProjectOnly() async throws {
        let service = try ServiceHarness()
        try await service.createProject("fleet")
        try await service.create("A-1", owner: "one")
        try await service.create("A-1", owner: "two", project: "fleet")
        #expect(try await service.get("A-1").ownerRef == "one")
        #expect(try await service.get("A-1", project: "fleet").ownerRef == "two")
        #expect(try await service.get("A-1", project: "default").ownerRef == "one")
    }

    @Test func aDuplicateOrBadProjectIsRefused() async throws {
        let service = try ServiceHarness()
        try await service.createProject("fleet")
        func create(_ slug: String, name: String = "") -> (inout Rollcall__V1__CreateProjectRequest, Arena) -> Void {
            { $0.project = $1.message(Project(id: 0, slug: slug, name: name, createdDate: .epoch)) }
        }
        let duplicate = try await service.refusal("CreateProject", Messages.createProjectRequest, create("fleet"))
        #expect(duplicate.code == .alreadyExists)
        #expect(duplicate.reason == "PROJECT_EXISTS")
        #expect(duplicate.resource == ["rollcall.v1.Project", "fleet"])
        let longName = String(repeating: "n", count: FieldCheck.nameCharacterCountMax + 1)
        let bad = try await service.refusal("CreateProject", Messages.createProjectRequest, create("", name: longName))
        #expect(bad.fields == ["project.slug", "project.name"])
        let absent = try await service.refusal("CreateProject", Messages.createProjectRequest)
        #expect(absent.fields == ["project"])
    }

    @Test func onlyAnEmptyProjectOtherThanTheDefaultIsDeleted() async throws {
        let service = try ServiceHarness()
        try await service.createProject("fleet")
        try await service.create("A-1", project: "fleet")
        func delete(
            _ slug: String, allowMissing: Bool = false
        ) -> (inout Rollcall__V1__DeleteProjectRequest, Arena) -> Void {
            {
                $0.project = $1.text(slug)
                $0.allow_missing = allowMissing ? 1 : 0
            }
        }
        let full = try await service.refusal("DeleteProject", Messages.deleteProjectRequest, delete("fleet"))
        #expect(full.code == .failedPrecondition)
        #expect(full.reason == "PROJECT_NOT_EMPTY")
        let protected = try await service.refusal("DeleteProject", Messages.deleteProjectRequest, delete(""))
        #expect(protected.reason == "PROJECT_PROTECTED")
        _ = try await service.call("DeleteDevice", Messages.deleteDeviceRequest) {
            $0.project = $1.text("fleet")
            $0.device_serial = $1.text("A-1")
        }
        #expect(try await service.call("DeleteProject", Messages.deleteProjectRequest, delete("fleet")).isEmpty)
        let gone = try await service.refusal("DeleteProject", Messages.deleteProjectRequest, delete("fleet"))
        #expect(gone.reason == "PROJECT_NOT_FOUND")
        let allowed = try await service.call(
            "DeleteProject", Messages.deleteProjectRequest, delete("fleet", allowMissing: true))
        #expect(allowed.isEmpty)
    }

    @Test func projectsArePagedByIDAndByNumber() async throws {
        let service = try ServiceHarness()
        for slug in ["a", "b", "c", "d"] {
            try await service.createProject(slug)
        }
        let first = try await self.projects(service, size: 2)
        #expect(first.items.map(\.slug) == ["default", "a"])
        #expect(first.totalCount == 5)
        let second = try await self.projects(service, size: 2, token: first.nextPageToken)
        #expect(second.items.map(\.slug) == ["b", "c"])
        let third = try await self.projects(service, size: 2, token: second.nextPageToken)
        #expect(third.items.map(\.slug) == ["d"])
        #expect(third.nextPageToken.isEmpty)
        #expect(try await self.projects(service, size: 2, page: 2) == second)
        #expect(try await self.projects(service, size: 5).nextPageToken.isEmpty)
        let past = try await self.projects(service, size: 1_000, page: .max)
        #expect(past.items.isEmpty)
        #expect(past.nextPageToken.isEmpty)
    }

    // MARK: Cohorts

    @Test func aCohortIsCreatedCountedRenamedAndDeleted() async throws {
        let service = try ServiceHarness()
        let created = try await service.createCohort("beta")
        #expect(created.name == "beta")
        let device = try await service.create("A-1", cohort: "beta")
        #expect(try await self.cohort(service, "beta").deviceCount == 1)
        #expect(try await self.cohort(service, "default").deviceCount == 0)
        let bytes = try await service.call("UpdateCohort", Messages.updateCohortRequest) {
            $0.cohort = $1.message(Cohort(id: 0, name: "Beta Channel", slug: "beta"))
        }
        let renamed = try DeviceServiceTests.cohort(from: bytes)
        #expect(renamed == Cohort(id: created.id, name: "Beta Channel", slug: "beta", deviceCount: 1))
        // A rename shows in the devices and moves none of their etags.
        let after = try await service.get("A-1")
        #expect(after.cohort.name == "Beta Channel")
        #expect(after.etag == device.etag)
        let full = try await service.refusal("DeleteCohort", Messages.deleteCohortRequest) {
            $0.cohort = $1.text("beta")
        }
        #expect(full.code == .failedPrecondition)
        #expect(full.reason == "COHORT_NOT_EMPTY")
        _ = try await service.call("DeleteDevice", Messages.deleteDeviceRequest) { $0.device_serial = $1.text("A-1") }
        _ = try await service.call("DeleteCohort", Messages.deleteCohortRequest) { $0.cohort = $1.text("beta") }
        let gone = try await service.refusal("GetCohort", Messages.getCohortRequest) { $0.cohort = $1.text("beta") }
        #expect(gone.reason == "COHORT_NOT_FOUND")
        #expect(gone.resource == ["rollcall.v1.Cohort", "beta"])
    }

    @Test func aDeleteOfAnAbsentCohortIsAllowedOnRequestButNotOfAnAbsentProject() async throws {
        let service = try ServiceHarness()
        let reply = try await service.call("DeleteCohort", Messages.deleteCohortRequest) {
            $0.cohort = $1.text("beta")
            $0.allow_missing = 1
        }
        #expect(reply.isEmpty)
        let refusal = try await service.refusal("DeleteCohort", Messages.deleteCohortRequest) {
            $0.project = $1.text("other")
            $0.cohort = $1.text("beta")
            $0.allow_missing = 1
        }
        #expect(refusal.reason == "PROJECT_NOT_FOUND")
        let protected = try await service.refusal("DeleteCohort", Messages.deleteCohortRequest) {
            $0.cohort = $1.text("default")
        }
        #expect(protected.reason == "COHORT_PROTECTED")
    }

    @Test func aDuplicateOrBadCohortIsRefused() async throws {
        let service = try ServiceHarness()
        try await service.createCohort("beta")
        let duplicate = try await service.refusal("CreateCohort", Messages.createCohortRequest) {
            $0.cohort = $1.message(Cohort(id: 0, name: "", slug: "beta"))
        }
        #expect(duplicate.code == .alreadyExists)
        #expect(duplicate.reason == "COHORT_EXISTS")
        let rename = try await service.refusal("UpdateCohort", Messages.updateCohortRequest) {
            $0.cohort = $1.message(Cohort(id: 0, name: "", slug: "no spaces"))
            $0.update_mask = $1.mask(["slug"])
        }
        #expect(rename.fields == ["update_mask", "cohort.slug", "cohort.name"])
        let absent = try await service.refusal("UpdateCohort", Messages.updateCohortRequest) {
            $0.cohort = $1.message(Cohort(id: 0, name: "Gamma", slug: "gamma"))
        }
        #expect(absent.reason == "COHORT_NOT_FOUND")
    }

    @Test func whatOnlyValidatesCreatesNothing() async throws {
        let service = try ServiceHarness()
        _ = try await service.call("CreateProject", Messages.createProjectRequest) {
            $0.project = $1.message(Project(id: 0, slug: "fleet", name: "", createdDate: .epoch))
            $0.validate_only = 1
        }
        _ = try await service.call("CreateCohort", Messages.createCohortRequest) {
            $0.cohort = $1.message(Cohort(id: 0, name: "", slug: "beta"))
            $0.validate_only = 1
        }
        _ = try await service.call("UpdateCohort", Messages.updateCohortRequest) {
            $0.cohort = $1.message(Cohort(id: 0, name: "Other", slug: "default"))
            $0.validate_only = 1
        }
        #expect(service.store.committed.isEmpty)
        #expect(try await self.cohort(service, "default").name == "Default")
    }

    @Test func cohortsArePagedAndATokenHoldsForItsListOnly() async throws {
        let service = try ServiceHarness()
        try await service.createProject("fleet")
        for slug in ["a", "b", "c"] {
            try await service.createCohort(slug)
            try await service.createCohort(slug, project: "fleet")
        }
        let first = try await self.cohorts(service, size: 2)
        #expect(first.items.map(\.slug) == ["default", "a"])
        let second = try await self.cohorts(service, size: 2, token: first.nextPageToken)
        #expect(second.items.map(\.slug) == ["b", "c"])
        #expect(second.nextPageToken.isEmpty)
        let third = try await self.cohorts(service, size: 3, page: 2)
        #expect(third.items.map(\.slug) == ["c"])
        for token in [first.nextPageToken + "0", String(first.nextPageToken.reversed()), "", "x"] where !token.isEmpty {
            let refusal = try await service.refusal("ListCohorts", Messages.listCohortsRequest) {
                $0.page_token = $1.text(token)
            }
            #expect(refusal.reason == "PAGE_TOKEN_INVALID")
        }
        let foreign = try await service.refusal("ListCohorts", Messages.listCohortsRequest) {
            $0.project = $1.text("fleet")
            $0.page_token = $1.text(first.nextPageToken)
        }
        #expect(foreign.reason == "PAGE_TOKEN_INVALID")
        let otherKind = try await service.refusal("ListProjects", Messages.listProjectsRequest) {
            $0.page_token = $1.text(first.nextPageToken)
        }
        #expect(otherKind.reason == "PAGE_TOKEN_INVALID")
        let negative = try await service.refusal("ListCohorts", Messages.listCohortsRequest) { request, _ in
            request.page_size = -1
            request.page = -1
        }
        #expect(negative.fields == ["page_size", "page"])
    }
}
