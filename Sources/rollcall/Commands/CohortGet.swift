internal import ArgumentParser
internal import RollcallClient

/// `rollcall cohort get`
struct CohortGet: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show one cohort and how many devices are in it.",
        discussion: """
              rollcall cohort get beta
            """
    )

    @Argument(help: "The cohort's slug.")
    var slug: String

    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        try printer.one(try await client.getCohort(self.slug), as: .cohort)
    }
}
