internal import ArgumentParser
internal import RollcallClient

/// `rollcall check-in`
struct CheckIn: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-in",
        abstract: "Record that a device was seen.",
        discussion: """
            Sets last_seen and the release last seen, and attributes if some are given. A time before last_seen is \
            accepted and changes nothing of the device.

              rollcall check-in ABCD1234 --release 1.2.3 --revision 11d95ef2
              rollcall check-in ABCD1234 --attribute battery=80
              rollcall check-in NEW42 --create-missing --hardware-version hwrev1
            """
    )

    @Argument(help: "The device's serial.")
    var serial: String

    @Option(help: ArgumentHelp("The version of the release that it runs: 1 to 128 characters.", valueName: "version"))
    var release: String?

    @Option(help: ArgumentHelp("The revision of that release: up to 128 characters.", valueName: "revision"))
    var revision: String?

    @Option(
        help: ArgumentHelp("When it was seen, such as 2019-01-19T05:01:13Z. Default: now.", valueName: "time"),
        transform: Timestamp.argument
    )
    var time: Timestamp?

    @Option(help: ArgumentHelp("Hardware version of a device that is to be registered.", valueName: "version"))
    var hardwareVersion: String?

    @Option(
        help: ArgumentHelp(
            "An attribute to set; may be given more than once. VALUE is as in 'rollcall attributes set'.",
            valueName: "key=value"
        ),
        transform: AttributeAssignment.argument
    )
    var attribute: [AttributeAssignment] = []

    @Flag(help: "Register the device if it does not exist; then it needs --hardware-version.")
    var createMissing = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if self.revision != nil, self.release == nil {
            throw ValidationError("--revision needs --release.")
        }
        if self.createMissing, self.hardwareVersion == nil {
            throw ValidationError("--create-missing needs --hardware-version.")
        }
    }

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let device = try await self.attribute.send { updates, _ throws(RollcallError) in
            try await client.checkIn(
                self.serial,
                time: self.time,
                release: self.release.map { ($0, self.revision ?? "") },
                hardwareVersion: self.hardwareVersion,
                attributes: updates,
                createMissing: self.createMissing
            )
        }
        try printer.one(device, as: .device())
    }
}
