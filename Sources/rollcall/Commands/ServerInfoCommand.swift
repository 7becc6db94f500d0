internal import ArgumentParser
internal import RollcallClient

/// `rollcall server info`
struct ServerInfoCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract:
            "Show the daemon's version, store, uptime, limits and memory, whether it takes changes, and who it takes you for.",
        discussion: """
              rollcall server info --output json
            """
    )

    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        try printer.one(try await client.serverInfo(), as: .serverInfo)
    }
}
