internal import ArgumentParser

/// `rollcall hardware-version`
struct HardwareVersionCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hardware-version",
        abstract: "List the hardware versions of a project.",
        subcommands: [HardwareVersionList.self]
    )
}
