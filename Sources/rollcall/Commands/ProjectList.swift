internal import ArgumentParser
internal import RollcallClient

/// `rollcall project list`
struct ProjectList: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the projects.",
        discussion: """
              rollcall project list --all
            """
    )

    @OptionGroup var pages: PageOptions
    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        try await self.pages.show("projects", as: .project, to: printer) { position, itemCount, includesTotal in
            try await client.listProjects(pageSize: itemCount, position: position, includesTotal: includesTotal)
        }
    }
}
