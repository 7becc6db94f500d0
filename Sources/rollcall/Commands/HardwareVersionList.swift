internal import ArgumentParser
internal import RollcallClient

/// `rollcall hardware-version list`
struct HardwareVersionList: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the hardware versions of a project and how many devices have each.",
        discussion: """
              rollcall hardware-version list --output csv
            """
    )

    @OptionGroup var pages: PageOptions
    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        try await self.pages.show("hardware versions", as: .hardwareVersion, to: printer) {
            position, itemCount, includesTotal in
            try await client.listHardwareVersions(
                pageSize: itemCount, position: position, includesTotal: includesTotal)
        }
    }
}
