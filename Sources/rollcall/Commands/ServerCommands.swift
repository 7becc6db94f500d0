internal import ArgumentParser

/// `rollcall server`
struct ServerCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Ask the daemon about itself, or for a copy of what it keeps.",
        subcommands: [ServerInfoCommand.self, ServerStatsCommand.self, ServerBackupCommand.self]
    )
}
