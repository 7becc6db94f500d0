internal import ArgumentParser

/// `rollcall release`
struct ReleaseCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "List the releases of a project.",
        discussion: """
            A release is known by version and revision from the first check-in that reports it, and forgotten with the \
            last device that runs it.
            """,
        subcommands: [ReleaseList.self]
    )
}
