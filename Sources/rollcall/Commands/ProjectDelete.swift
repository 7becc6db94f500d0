internal import ArgumentParser
internal import RollcallClient

/// `rollcall project delete`
struct ProjectDelete: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a project that has no devices.",
        discussion: """
            Prints no data. Cohorts, releases and attribute keys go with the project; 'default' always stays.

              rollcall project delete warehouse
            """
    )

    @Argument(help: "The project's slug.")
    var slug: String

    @Flag(help: "A project that does not exist is no error.")
    var allowMissing = false

    @OptionGroup var request: RequestOptions
    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        try await client.deleteProject(
            self.slug, allowMissing: self.allowMissing, requestID: self.request.requestID
        )
        printer.note("Deleted project \(self.slug).")
    }
}
