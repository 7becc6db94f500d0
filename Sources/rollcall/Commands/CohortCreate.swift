internal import ArgumentParser
internal import RollcallClient

/// `rollcall cohort create`
struct CohortCreate: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a cohort.",
        discussion: """
              rollcall cohort create beta --name 'Beta Channel'
            """
    )

    @Argument(help: "The slug: 1 to 128 of [-A-Za-z0-9_]; it never changes.")
    var slug: String

    @Option(help: ArgumentHelp("What people read: 1 to 128 characters. Default: the slug.", valueName: "name"))
    var name: String?

    @OptionGroup var validation: ValidationOptions
    @OptionGroup var request: RequestOptions
    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let cohort = try await client.createCohort(
            self.slug,
            name: self.name,
            validateOnly: self.validation.validateOnly,
            requestID: self.request.requestID
        )
        try printer.one(cohort, as: .cohort)
    }
}
