// Projects and cohorts.

internal import DeviceModel
internal import DeviceQuery

extension PendingGroup {
    mutating func createProject(
        slug: String, name: String, validateOnly: Bool, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> Project {
        guard self.findProject(slug, index) == nil else {
            throw RegistryError(
                .alreadyExists, .projectExists, "Project \(quoted(slug)) already exists.",
                resource: .init(type: .project, name: slug))
        }
        guard self.projectCount(index) < self.limits.projectCountMax else {
            throw RegistryError(
                .resourceExhausted, .limitExceeded,
                "A store has at most \(self.limits.projectCountMax) projects (projects).")
        }
        guard !validateOnly else { return Project(id: 0, slug: slug, name: name, createdDate: self.now) }
        return Project(self.createProject(slug: slug, name: name))
    }

    /// - Returns: the deleted project's id; 0 where there was none and that was allowed.
    mutating func deleteProject(
        _ slug: String, allowMissing: Bool, validateOnly: Bool, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> ProjectID {
        guard let project = self.findProject(slug, index) else {
            guard allowMissing else { throw .projectNotFound(slug) }
            return ProjectID(rawValue: 0)
        }
        guard project.slug != Project.defaultSlug else {
            throw RegistryError(
                .failedPrecondition, .projectProtected, "Project 'default' cannot be deleted.",
                resource: .init(type: .project, name: project.slug))
        }
        let count = self.deviceCount(in: project.id, index)
        guard count == 0 else {
            throw RegistryError(
                .failedPrecondition, .projectNotEmpty,
                "Project \(quoted(project.slug)) still has \(counted(count, "device")); delete them first.",
                resource: .init(type: .project, name: project.slug))
        }
        if !validateOnly { self.deleteProject(project) }
        return project.id
    }

    mutating func createCohort(
        slug: String, name: String, in project: ProjectRecord, validateOnly: Bool, _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> Cohort {
        guard self.findCohort(slug, in: project.id, index) == nil else {
            throw RegistryError(
                .alreadyExists, .cohortExists,
                "Cohort \(quoted(slug)) is already in project \(quoted(project.slug)).",
                resource: .init(type: .cohort, name: slug))
        }
        try self.checkCohortCount(in: project.id, index)
        guard !validateOnly else { return Cohort(id: 0, name: name, slug: slug, deviceCount: 0) }
        return Cohort(self.createCohort(slug: slug, name: name, in: project.id), deviceCount: 0)
    }

    /// - Throws: RESOURCE_EXHAUSTED where the project has room for no other cohort.
    mutating func checkCohortCount(
        in project: ProjectID, _ index: borrowing RegistryIndex
    ) throws(RegistryError) {
        guard self.cohortCount(in: project, index) < self.limits.cohortCountMaxPerProject else {
            throw RegistryError(
                .resourceExhausted, .limitExceeded,
                "A project has at most \(self.limits.cohortCountMaxPerProject) cohorts (cohorts_per_project).")
        }
    }

    mutating func renameCohort(
        slug: String, to name: String, in project: ProjectRecord, validateOnly: Bool,
        _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> Cohort {
        var record = try self.cohort(slug, in: project, index)
        let count = self.deviceCount(inCohort: record.id, project: project.id, index)
        if !record.name.hasSameBytes(as: name) {
            if validateOnly {
                record.name = name
            } else {
                record = self.renameCohort(record, to: name)
            }
        }
        return Cohort(record, deviceCount: count)
    }

    /// - Returns: the deleted cohort's id; 0 where there was none and that was allowed.
    mutating func deleteCohort(
        slug: String, in project: ProjectRecord, allowMissing: Bool, validateOnly: Bool,
        _ index: borrowing RegistryIndex
    ) throws(RegistryError) -> CohortID {
        guard let record = self.findCohort(slug, in: project.id, index) else {
            guard allowMissing else { throw .cohortNotFound(slug, project: project.slug) }
            return CohortID(rawValue: 0)
        }
        guard slug != Cohort.defaultSlug else {
            throw RegistryError(
                .failedPrecondition, .cohortProtected, "Cohort 'default' cannot be deleted.",
                resource: .init(type: .cohort, name: slug))
        }
        let count = self.deviceCount(inCohort: record.id, project: project.id, index)
        guard count == 0 else {
            throw RegistryError(
                .failedPrecondition, .cohortNotEmpty,
                "Cohort \(quoted(slug)) still has \(counted(count, "device")); move them first.",
                resource: .init(type: .cohort, name: slug))
        }
        if !validateOnly { self.deleteCohort(record) }
        return record.id
    }
}

/// A number with its noun, in the plural where that is due.
func counted(_ count: Int, _ noun: String) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
}
