internal import ArgumentParser
internal import RollcallClient

/// `rollcall project get`
struct ProjectGet: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show one project.",
        discussion: """
              rollcall project get warehouse
            """
    )

    @Argument(help: "The project's slug.")
    var slug: String

    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        try printer.one(try await client.getProject(self.slug), as: .project)
    }
}
