// What one caller may do, in every project and in single ones.

internal import DeviceModel

/// The roles of a caller.
package struct Grants: Hashable, Sendable {
    /// The roles in one project.
    package struct InProject: Hashable, Sendable {
        package let slug: String
        package fileprivate(set) var roles: Roles
    }

    /// Those that hold in every project.
    package private(set) var everywhere: Roles = []
    /// Single projects by slug, with roles that do not hold everywhere; those that do are among them.
    package private(set) var projects: [InProject] = []

    /// No role anywhere.
    package init() {}

    /// The role, and what it includes, in every project.
    package init(everywhere role: Role) {
        self.everywhere = role.included
    }

    /// Roles in whichever project, taken together.
    package var somewhere: Roles {
        self.projects.reduce(self.everywhere) { $0.union($1.roles) }
    }

    /// The roles in a project.
    ///
    /// - Parameter slug: Empty means the default project.
    /// - Complexity: O(single projects); no allocation.
    package func roles(in slug: UnsafeRawBufferPointer) -> Roles {
        let found = self.projects.first { project in
            slug.isEmpty
                ? project.slug == Project.defaultSlug
                : project.slug.utf8.count == slug.count && project.slug.utf8.elementsEqual(slug)
        }
        return found?.roles ?? self.everywhere
    }

    /// Gives roles in `projects`, or in every one where that is empty.
    package mutating func add(_ roles: Roles, in projects: [String]) {
        if projects.isEmpty {
            self.everywhere.formUnion(roles)
            for index in self.projects.indices {
                self.projects[index].roles.formUnion(roles)
            }
        }
        for slug in projects {
            let index = self.projects.firstIndex { $0.slug >= slug } ?? self.projects.endIndex
            if index == self.projects.endIndex || self.projects[index].slug != slug {
                self.projects.insert(InProject(slug: slug, roles: self.everywhere), at: index)
            }
            self.projects[index].roles.formUnion(roles)
        }
        self.projects.removeAll { self.everywhere.isSuperset(of: $0.roles) }
    }
}
