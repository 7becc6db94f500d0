// The root of the commands.

internal import ArgumentParser
internal import DeviceModel

/// `rollcall`
struct RollcallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollcall",
        abstract: "Keep track of a fleet of devices: who has which, and when it was last seen.",
        usage: "rollcall <command> [<options>] …",
        discussion: """
            Talks to the daemon rollcalld over its Unix socket. Data goes to standard output, words to standard error.

              rollcall create ABCD1234 --owner-ref ada --hardware-version hwrev1
              rollcall check-in ABCD1234 --release 1.2.3
              rollcall list --cohort beta --sort=-last_seen
              rollcall count --by release

            Environment:
              ROLLCALL_ADDRESS   where the server listens, unless --address is given
              ROLLCALL_PROJECT   the project to act in, unless --project is given
              NO_COLOR           no emphasis on a terminal

            Exit codes:
              0  done              3  no server was reached
              1  refused           4  timed out
              2  wrong usage     130  interrupted
            """,
        version: RollcallVersion.current,
        groupedSubcommands: [
            CommandGroup(
                name: "Devices",
                subcommands: [
                    Create.self, Get.self, List.self, Count.self, Watch.self, Update.self, Delete.self, Purge.self,
                    CheckIn.self, Attributes.self,
                ]
            ),
            CommandGroup(name: "Many devices", subcommands: [Import.self, Export.self]),
            CommandGroup(
                name: "What devices belong to", subcommands: [ProjectCommands.self, CohortCommands.self]
            ),
            CommandGroup(
                name: "What devices have in common",
                subcommands: [ReleaseCommands.self, HardwareVersionCommands.self, AttributeKeyCommands.self]
            ),
            CommandGroup(name: "The daemon", subcommands: [ServerCommands.self]),
            CommandGroup(name: "Anything it answers", subcommands: [Call.self, Describe.self]),
        ]
    )
}
