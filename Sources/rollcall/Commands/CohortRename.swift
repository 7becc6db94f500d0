internal import ArgumentParser
internal import RollcallClient

/// `rollcall cohort rename`
struct CohortRename: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename",
        abstract: "Give a cohort another name.",
        discussion: """
            The slug stays, and no device's etag changes.

              rollcall cohort rename beta 'Early adopters'
            """
    )

    @Argument(help: "The cohort's slug.")
    var slug: String

    @Argument(help: "The new name: 1 to 128 characters.")
    var name: String

    @OptionGroup var validation: ValidationOptions
    @OptionGroup var request: RequestOptions
    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let cohort = try await client.renameCohort(
            self.slug,
            to: self.name,
            validateOnly: self.validation.validateOnly,
            requestID: self.request.requestID
        )
        try printer.one(cohort, as: .cohort)
    }
}
