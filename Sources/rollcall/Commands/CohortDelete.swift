internal import ArgumentParser
internal import RollcallClient

/// `rollcall cohort delete`
struct CohortDelete: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a cohort that no device is in.",
        discussion: """
            Prints no data. The cohort 'default' always stays.

              rollcall cohort delete beta
            """
    )

    @Argument(help: "The cohort's slug.")
    var slug: String

    @Flag(help: "A cohort that does not exist is no error.")
    var allowMissing = false

    @OptionGroup var request: RequestOptions
    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        try await client.deleteCohort(
            self.slug, allowMissing: self.allowMissing, requestID: self.request.requestID
        )
        printer.note("Deleted cohort \(self.slug).")
    }
}
