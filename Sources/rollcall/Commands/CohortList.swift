internal import ArgumentParser
internal import RollcallClient

/// `rollcall cohort list`
struct CohortList: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the cohorts of a project and how many devices are in each.",
        discussion: """
              rollcall cohort list --project warehouse
            """
    )

    @OptionGroup var pages: PageOptions
    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        try await self.pages.show("cohorts", as: .cohort, to: printer) { position, itemCount, includesTotal in
            try await client.listCohorts(pageSize: itemCount, position: position, includesTotal: includesTotal)
        }
    }
}
