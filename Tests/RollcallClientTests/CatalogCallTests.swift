import CRollcallProto
import DeviceModel
import DeviceWire
import Foundation
import ProtobufC
import RollcallClient
import Testing

/// Projects, cohorts and the server itself.
@Suite struct CatalogCallTests {
    @Test func projectCallsReachTheirMethods() async throws {
        let project = Project(id: 4, slug: "depot", name: "Depot", createdDate: .epoch)
        let methods = [
            method("Projects", "CreateProject", Messages.createProjectRequest) { request, arena in
                #expect(request.pointee.project.pointee.slug.string == "depot")
                #expect(request.pointee.project.pointee.name.string.isEmpty)
                return arena.message(project)
            },
            method("Projects", "GetProject", Messages.getProjectRequest) { request, arena in
                #expect(request.pointee.project.string == "depot")
                return arena.message(project)
            },
            method("Projects", "ListProjects", Messages.listProjectsRequest) { request, arena in
                #expect(request.pointee.page_size == 9)
                #expect(request.pointee.page_token.string == "t")
                #expect(request.pointee.page == 0)
                #expect(request.pointee.include_total == 1)
                let response = arena.make(Messages.listProjectsResponse)
                response.pointee.projects = arena.makePointerArray(count: 1)
                response.pointee.projects[0] = arena.message(project)
                response.pointee.n_projects = 1
                response.pointee.total_count = 1
                return response
            },
            method("Projects", "DeleteProject", Messages.deleteProjectRequest) { request, arena in
                #expect(request.pointee.project.string == "depot")
                #expect(request.pointee.allow_missing == 1)
                return arena.make(Messages.deleteProjectResponse)
            },
        ]
        // The client's own project plays no part in calls about projects.
        try await withServer(methods, project: "other") { client, _ in
            #expect(try await client.createProject("depot") == project)
            #expect(try await client.getProject("depot") == project)
            let page = try await client.listProjects(pageSize: 9, position: .token("t"), includesTotal: true)
            #expect(page == Page(items: [project], nextPageToken: "", totalCount: 1))
            try await client.deleteProject("depot", allowMissing: true)
        }
    }

    @Test func cohortCallsActInTheClientsProject() async throws {
        let cohort = Cohort(id: 2, name: "Beta", slug: "beta", deviceCount: 7)
        let methods = [
            method("Projects", "CreateCohort", Messages.createCohortRequest) { request, arena in
                #expect(request.pointee.project.string == "p")
                #expect(request.pointee.cohort.pointee.name.string == "Beta")
                return arena.message(cohort)
            },
            method("Projects", "GetCohort", Messages.getCohortRequest) { request, arena in
                #expect(request.pointee.project.string == "p")
                #expect(request.pointee.cohort.string == "beta")
                return arena.message(cohort)
            },
            method("Projects", "ListCohorts", Messages.listCohortsRequest) { request, arena in
                #expect(request.pointee.project.string == "p")
                #expect(request.pointee.page == 2)
                let response = arena.make(Messages.listCohortsResponse)
                response.pointee.cohorts = arena.makePointerArray(count: 1)
                response.pointee.cohorts[0] = arena.message(cohort)
                response.pointee.n_cohorts = 1
                response.pointee.next_page_token = arena.text("n")
                return response
            },
            method("Projects", "UpdateCohort", Messages.updateCohortRequest) { request, arena in
                #expect(request.pointee.project.string == "p")
                #expect(request.pointee.cohort.pointee.slug.string == "beta")
                #expect(request.pointee.cohort.pointee.name.string == "New")
                #expect(request.pointee.update_mask.pointee.n_paths == 1)
                #expect(request.pointee.update_mask.pointee.paths[0].string == "name")
                return arena.message(cohort)
            },
            method("Projects", "DeleteCohort", Messages.deleteCohortRequest) { request, arena in
                #expect(request.pointee.project.string == "p")
                #expect(request.pointee.cohort.string == "beta")
                #expect(request.pointee.allow_missing == 0)
                return arena.make(Messages.deleteCohortResponse)
            },
        ]
        try await withServer(methods) { client, _ in
            let client = client.with(project: "p")
            #expect(try await client.createCohort("beta", name: "Beta") == cohort)
            #expect(try await client.getCohort("beta") == cohort)
            let page = try await client.listCohorts(position: .number(2))
            #expect(page == Page(items: [cohort], nextPageToken: "n", totalCount: 0))
            #expect(try await client.renameCohort("beta", to: "New") == cohort)
            try await client.deleteCohort("beta")
        }
    }

    @Test func listsOfWhatDevicesHaveInCommonActInTheClientsProject() async throws {
        let release = Release(id: 2, version: "1.0", revision: "b", deviceCount: 7)
        let version = HardwareVersion(hardwareVersion: "h1", deviceCount: 8)
        let key = AttributeKey(
            customMetric: CustomMetric(id: UUID(), stringKey: "Battery", dataType: .int), deviceCount: 9)
        let methods = [
            method("Projects", "ListReleases", Messages.listReleasesRequest) { request, arena in
                #expect(request.pointee.project.string == "p")
                #expect(request.pointee.page_size == 9)
                #expect(request.pointee.page_token.string == "t")
                #expect(request.pointee.page == 0)
                #expect(request.pointee.include_total == 1)
                let response = arena.make(Messages.listReleasesResponse)
                response.pointee.releases = arena.makePointerArray(count: 1)
                response.pointee.releases[0] = arena.message(release)
                response.pointee.n_releases = 1
                response.pointee.total_count = 3
                return response
            },
            method("Projects", "ListHardwareVersions", Messages.listHardwareVersionsRequest) { request, arena in
                #expect(request.pointee.project.string == "p")
                #expect(request.pointee.page == 2)
                let response = arena.make(Messages.listHardwareVersionsResponse)
                response.pointee.hardware_versions = arena.makePointerArray(count: 1)
                response.pointee.hardware_versions[0] = arena.message(version)
                response.pointee.n_hardware_versions = 1
                response.pointee.next_page_token = arena.text("n")
                return response
            },
            method("Projects", "ListAttributeKeys", Messages.listAttributeKeysRequest) { request, arena in
                #expect(request.pointee.project.string == "p")
                #expect(request.pointee.page_size == 100)
                let response = arena.make(Messages.listAttributeKeysResponse)
                response.pointee.attribute_keys = arena.makePointerArray(count: 1)
                response.pointee.attribute_keys[0] = arena.message(key)
                response.pointee.n_attribute_keys = 1
                return response
            },
        ]
        try await withServer(methods, project: "p") { client, _ in
            let releases = try await client.listReleases(pageSize: 9, position: .token("t"), includesTotal: true)
            #expect(releases == Page(items: [release], nextPageToken: "", totalCount: 3))
            let versions = try await client.listHardwareVersions(position: .number(2))
            #expect(versions == Page(items: [version], nextPageToken: "n", totalCount: 0))
            #expect(try await client.listAttributeKeys().items == [key])
        }
    }

    @Test func serverInfoIsReadWhole() async throws {
        let info = ServerInfo(
            version: "0.1.0",
            storeID: "8a3b6c1e-0000-4000-8000-000000000001",
            revision: 17,
            uptime: .microseconds(1_500_001),
            caller: ServerInfo.Caller(userID: 1, groupID: 2, processID: 3),
            limits: [ServerInfo.Limit(name: "page_size", value: 1_000, unit: "items")],
            memory: [ServerInfo.MemoryFigure(name: "rows", byteCount: 64)]
        )
        let get = method("Server", "GetServerInfo", Messages.getServerInfoRequest) { _, arena in arena.message(info) }
        try await withServer([get]) { client, _ in
            let answer = try await client.serverInfo()
            #expect(answer == info)
        }
    }
}
