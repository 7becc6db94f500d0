internal import ArgumentParser

/// `rollcall server`
struct ServerCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Ask the daemon about itself.",
        subcommands: [ServerInfoCommand.self]
    )
}
