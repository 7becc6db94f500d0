// Requests of the services `rollcall.v1.Projects` and `rollcall.v1.Server` as a caller builds them.

package import CRollcallProto
package import FoundationEssentials
package import ProtobufC

extension Arena {
    /// A CreateProject request.
    ///
    /// - Parameter name: Nil for the slug.
    package func createProjectRequest(
        slug: String, name: String?, validateOnly: Bool, requestID: UUID?
    ) -> UnsafeMutablePointer<Rollcall__V1__CreateProjectRequest> {
        let project = self.make(Messages.project)
        project.pointee.slug = self.text(slug)
        project.pointee.name = self.text(name ?? "")
        let request = self.make(Messages.createProjectRequest)
        request.pointee.project = project
        request.pointee.validate_only = validateOnly ? 1 : 0
        request.pointee.request_id = self.optionalText(requestID)
        return request
    }

    /// A GetProject request.
    package func getProjectRequest(slug: String) -> UnsafeMutablePointer<Rollcall__V1__GetProjectRequest> {
        let request = self.make(Messages.getProjectRequest)
        request.pointee.project = self.text(slug)
        return request
    }

    /// A DeleteProject request.
    package func deleteProjectRequest(
        slug: String, allowMissing: Bool, requestID: UUID?
    ) -> UnsafeMutablePointer<Rollcall__V1__DeleteProjectRequest> {
        let request = self.make(Messages.deleteProjectRequest)
        request.pointee.project = self.text(slug)
        request.pointee.allow_missing = allowMissing ? 1 : 0
        request.pointee.request_id = self.optionalText(requestID)
        return request
    }

    /// A CreateCohort request.
    ///
    /// - Parameter name: Nil for the slug.
    package func createCohortRequest(
        project: String, slug: String, name: String?, validateOnly: Bool, requestID: UUID?
    ) -> UnsafeMutablePointer<Rollcall__V1__CreateCohortRequest> {
        let request = self.make(Messages.createCohortRequest)
        request.pointee.project = self.text(project)
        request.pointee.cohort = self.cohort(slug: slug, name: name)
        request.pointee.validate_only = validateOnly ? 1 : 0
        request.pointee.request_id = self.optionalText(requestID)
        return request
    }

    /// A GetCohort request.
    package func getCohortRequest(
        project: String, slug: String
    ) -> UnsafeMutablePointer<Rollcall__V1__GetCohortRequest> {
        let request = self.make(Messages.getCohortRequest)
        request.pointee.project = self.text(project)
        request.pointee.cohort = self.text(slug)
        return request
    }

    /// An UpdateCohort request that renames a cohort.
    package func renameCohortRequest(
        project: String, slug: String, name: String, validateOnly: Bool, requestID: UUID?
    ) -> UnsafeMutablePointer<Rollcall__V1__UpdateCohortRequest> {
        let request = self.make(Messages.updateCohortRequest)
        request.pointee.project = self.text(project)
        request.pointee.cohort = self.cohort(slug: slug, name: name)
        request.pointee.update_mask = self.fieldMask(["name"])
        request.pointee.validate_only = validateOnly ? 1 : 0
        request.pointee.request_id = self.optionalText(requestID)
        return request
    }

    /// A DeleteCohort request.
    package func deleteCohortRequest(
        project: String, slug: String, allowMissing: Bool, requestID: UUID?
    ) -> UnsafeMutablePointer<Rollcall__V1__DeleteCohortRequest> {
        let request = self.make(Messages.deleteCohortRequest)
        request.pointee.project = self.text(project)
        request.pointee.cohort = self.text(slug)
        request.pointee.allow_missing = allowMissing ? 1 : 0
        request.pointee.request_id = self.optionalText(requestID)
        return request
    }

    /// A GetServerInfo request.
    package func getServerInfoRequest() -> UnsafeMutablePointer<Rollcall__V1__GetServerInfoRequest> {
        self.make(Messages.getServerInfoRequest)
    }

    /// A GetStats request.
    package func getStatsRequest() -> UnsafeMutablePointer<Rollcall__V1__GetStatsRequest> {
        self.make(Messages.getStatsRequest)
    }

    private func cohort(slug: String, name: String?) -> UnsafeMutablePointer<Rollcall__V1__Cohort> {
        let cohort = self.make(Messages.cohort)
        cohort.pointee.slug = self.text(slug)
        cohort.pointee.name = self.text(name ?? "")
        return cohort
    }
}
