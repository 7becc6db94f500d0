internal import ArgumentParser

/// `rollcall project`
struct ProjectCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project",
        abstract: "Create, show, list and delete projects.",
        discussion: """
            A project is a fleet of its own: serials, cohorts and attribute keys of one mean nothing in another. The \
            project 'default' is always there.
            """,
        subcommands: [ProjectCreate.self, ProjectGet.self, ProjectList.self, ProjectDelete.self]
    )
}
