// rollcall.v1.Project and Cohort, and the lists of them.

package import CRollcallProto
package import DeviceModel
package import ProtobufC

extension Arena {
    /// `project` as a message.
    package func message(_ project: Project) -> UnsafeMutablePointer<Rollcall__V1__Project> {
        let message = self.make(Messages.project)
        message.pointee.id = project.id
        message.pointee.slug = self.text(project.slug)
        message.pointee.name = self.text(project.name)
        message.pointee.created_date = self.message(project.createdDate)
        return message
    }

    /// `cohort` as a message; 0 devices where it has no count.
    package func message(_ cohort: Cohort) -> UnsafeMutablePointer<Rollcall__V1__Cohort> {
        let message = self.make(Messages.cohort)
        message.pointee.id = cohort.id
        message.pointee.name = self.text(cohort.name)
        message.pointee.slug = self.text(cohort.slug)
        message.pointee.count_devices = cohort.deviceCount ?? 0
        return message
    }
}

extension Project {
    /// - Throws: ``WireValueError`` where `created_date` is absent or out of its range.
    package init(from message: UnsafePointer<Rollcall__V1__Project>) throws(WireValueError) {
        let message = message.pointee
        self.init(
            id: message.id,
            slug: message.slug.string,
            name: message.name.string,
            createdDate: try Timestamp(from: required(message.created_date, "created_date"), field: "created_date")
        )
    }
}

extension Cohort {
    /// - Parameter isCounted: Whether the message's count means something: not where a device refers to its cohort.
    package init(from message: UnsafePointer<Rollcall__V1__Cohort>, isCounted: Bool = true) {
        self.init(
            id: message.pointee.id,
            name: message.pointee.name.string,
            slug: message.pointee.slug.string,
            deviceCount: isCounted ? message.pointee.count_devices : nil
        )
    }
}

extension Page<Project> {
    /// - Throws: ``WireValueError`` naming a field of a project that is absent or out of its range.
    package init(from message: UnsafePointer<Rollcall__V1__ListProjectsResponse>) throws(WireValueError) {
        let message = message.pointee
        self.init([], endingAs: message)
        for project in elements(message.projects, count: message.n_projects) {
            self.items.append(try Project(from: project))
        }
    }
}

extension Page<Cohort> {
    package init(from message: UnsafePointer<Rollcall__V1__ListCohortsResponse>) {
        let message = message.pointee
        self.init(elements(message.cohorts, count: message.n_cohorts).map { Cohort(from: $0) }, endingAs: message)
    }
}

extension FieldCheck {
    /// The slug of the project that a request names; empty means the default one.
    package mutating func project(_ text: ProtobufCBinaryData) -> String {
        guard !text.bytes.isEmpty else { return Project.defaultSlug }
        let slug = text.string
        self.slug(slug, field: "project")
        return slug
    }
}
