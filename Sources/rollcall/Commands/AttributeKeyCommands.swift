internal import ArgumentParser

/// `rollcall attribute-key`
struct AttributeKeyCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attribute-key",
        abstract: "List the attribute keys of a project.",
        discussion: """
            A key has one type in its whole project, which its first value gives it.
            """,
        subcommands: [AttributeKeyList.self]
    )
}
