internal import ArgumentParser
internal import RollcallClient

/// `rollcall release list`
struct ReleaseList: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the releases of a project and how many devices were last seen with each.",
        discussion: """
              rollcall release list --all
            """
    )

    @OptionGroup var pages: PageOptions
    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        try await self.pages.show("releases", as: .release, to: printer) { position, itemCount, includesTotal in
            try await client.listReleases(pageSize: itemCount, position: position, includesTotal: includesTotal)
        }
    }
}
