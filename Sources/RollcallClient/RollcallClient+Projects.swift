// Calls of the services `rollcall.v1.Projects` and `rollcall.v1.Server`.

public import DeviceModel
internal import DeviceWire
public import FoundationEssentials
internal import ProtobufC
internal import RPC

extension RollcallClient {
    // MARK: Projects

    /// Creates a project.
    ///
    /// - Parameters:
    ///   - slug: 1 to 128 of `[-A-Za-z0-9_]`.
    ///   - name: What people read; nil for the slug.
    ///   - validateOnly: Checks everything and stores nothing.
    ///   - requestID: Makes a repeat answer the first call's outcome, for a day.
    /// - Throws: ``RollcallError`` ALREADY_EXISTS if the slug is taken; INVALID_ARGUMENT listing every bad field.
    public func createProject(
        _ slug: String, name: String? = nil, validateOnly: Bool = false, requestID: UUID? = nil
    ) async throws(RollcallError) -> Project {
        try await self.call(
            .projects("CreateProject"),
            {
                $0.createProjectRequest(slug: slug, name: name, validateOnly: validateOnly, requestID: requestID)
            },
            reply: Messages.project,
            Project.init(from:)
        )
    }

    /// Returns one project.
    ///
    /// - Throws: ``RollcallError`` NOT_FOUND if there is none of that slug.
    public func getProject(_ slug: String) async throws(RollcallError) -> Project {
        try await self.call(
            .projects("GetProject"),
            { $0.getProjectRequest(slug: slug) },
            reply: Messages.project,
            Project.init(from:)
        )
    }

    /// Returns one page of the projects, by id.
    ///
    /// - Parameters:
    ///   - pageSize: 1 to 1,000.
    ///   - includesTotal: Counts all of them too.
    /// - Throws: ``RollcallError`` INVALID_ARGUMENT for a token that is not of this list.
    public func listProjects(
        pageSize: Int = 100, position: PagePosition = .first, includesTotal: Bool = false
    ) async throws(RollcallError) -> Page<Project> {
        try await self.call(
            .projects("ListProjects"),
            {
                $0.pageRequest(
                    Messages.listProjectsRequest, pageSize: pageSize, position: position, includesTotal: includesTotal
                )
            },
            reply: Messages.listProjectsResponse,
            Page<Project>.init(from:)
        )
    }

    /// Deletes a project that has no devices.
    ///
    /// - Parameters:
    ///   - allowMissing: A project that does not exist is then no error.
    ///   - requestID: Makes a repeat answer the first call's outcome, for a day.
    /// - Throws: ``RollcallError`` NOT_FOUND unless `allowMissing`; FAILED_PRECONDITION while it has devices, and
    ///   always for `default`.
    public func deleteProject(
        _ slug: String, allowMissing: Bool = false, requestID: UUID? = nil
    ) async throws(RollcallError) {
        try await self.call(
            .projects("DeleteProject"),
            { $0.deleteProjectRequest(slug: slug, allowMissing: allowMissing, requestID: requestID) },
            reply: Messages.deleteProjectResponse,
            { _ in }
        )
    }

    // MARK: Cohorts

    /// Creates a cohort in the client's project.
    ///
    /// - Parameters:
    ///   - slug: 1 to 128 of `[-A-Za-z0-9_]`.
    ///   - name: What people read; nil for the slug.
    ///   - validateOnly: Checks everything and stores nothing.
    ///   - requestID: Makes a repeat answer the first call's outcome, for a day.
    /// - Throws: ``RollcallError`` ALREADY_EXISTS if the slug is taken; INVALID_ARGUMENT listing every bad field.
    public func createCohort(
        _ slug: String, name: String? = nil, validateOnly: Bool = false, requestID: UUID? = nil
    ) async throws(RollcallError) -> Cohort {
        try await self.call(
            .projects("CreateCohort"),
            {
                $0.createCohortRequest(
                    project: self.project, slug: slug, name: name, validateOnly: validateOnly, requestID: requestID
                )
            },
            reply: Messages.cohort,
            { Cohort(from: $0) }
        )
    }

    /// Returns one cohort with its count of devices.
    ///
    /// - Throws: ``RollcallError`` NOT_FOUND if the project has none of that slug.
    public func getCohort(_ slug: String) async throws(RollcallError) -> Cohort {
        try await self.call(
            .projects("GetCohort"),
            { $0.getCohortRequest(project: self.project, slug: slug) },
            reply: Messages.cohort,
            { Cohort(from: $0) }
        )
    }

    /// Returns one page of the project's cohorts, by id.
    ///
    /// - Parameters:
    ///   - pageSize: 1 to 1,000.
    ///   - includesTotal: Counts all of them too.
    /// - Throws: ``RollcallError`` INVALID_ARGUMENT for a token that is not of this list.
    public func listCohorts(
        pageSize: Int = 100, position: PagePosition = .first, includesTotal: Bool = false
    ) async throws(RollcallError) -> Page<Cohort> {
        try await self.call(
            .projects("ListCohorts"),
            {
                $0.pageRequest(
                    Messages.listCohortsRequest, project: self.project, pageSize: pageSize, position: position,
                    includesTotal: includesTotal
                )
            },
            reply: Messages.listCohortsResponse,
            { Page<Cohort>(from: $0) }
        )
    }

    /// Gives a cohort another name; its slug stays, and no device's etag moves.
    ///
    /// - Parameters:
    ///   - name: 1 to 128 characters.
    ///   - validateOnly: Checks everything and stores nothing.
    ///   - requestID: Makes a repeat answer the first call's outcome, for a day.
    /// - Throws: ``RollcallError`` NOT_FOUND if the project has none of that slug; INVALID_ARGUMENT for a bad name.
    public func renameCohort(
        _ slug: String, to name: String, validateOnly: Bool = false, requestID: UUID? = nil
    ) async throws(RollcallError) -> Cohort {
        try await self.call(
            .projects("UpdateCohort"),
            {
                $0.renameCohortRequest(
                    project: self.project, slug: slug, name: name, validateOnly: validateOnly, requestID: requestID
                )
            },
            reply: Messages.cohort,
            { Cohort(from: $0) }
        )
    }

    /// Deletes a cohort that no device is in.
    ///
    /// - Parameters:
    ///   - allowMissing: A cohort that does not exist is then no error.
    ///   - requestID: Makes a repeat answer the first call's outcome, for a day.
    /// - Throws: ``RollcallError`` NOT_FOUND unless `allowMissing`; FAILED_PRECONDITION while devices are in it, and
    ///   always for `default`.
    public func deleteCohort(
        _ slug: String, allowMissing: Bool = false, requestID: UUID? = nil
    ) async throws(RollcallError) {
        try await self.call(
            .projects("DeleteCohort"),
            {
                $0.deleteCohortRequest(
                    project: self.project, slug: slug, allowMissing: allowMissing, requestID: requestID
                )
            },
            reply: Messages.deleteCohortResponse,
            { _ in }
        )
    }

    // MARK: Server

    /// Returns version, store, limits and memory of the server, and who it takes this process for.
    public func serverInfo() async throws(RollcallError) -> ServerInfo {
        try await self.call(
            .server("GetServerInfo"),
            { $0.getServerInfoRequest() },
            reply: Messages.getServerInfoResponse,
            ServerInfo.init(from:)
        )
    }

    /// Returns what the server has counted and measured since its start; ``ServerStats/since(_:)`` of two answers tells what
    /// happened between them.
    public func serverStats() async throws(RollcallError) -> ServerStats {
        try await self.call(
            .server("GetStats"),
            { $0.getStatsRequest() },
            reply: Messages.getStatsResponse,
            ServerStats.init(from:)
        )
    }
}
