internal import ArgumentParser
internal import RollcallClient

/// `rollcall create`
struct Create: ClientCommand {
    static let configuration = CommandConfiguration(
        abstract: "Register a device.",
        discussion: """
            Prints the device as stored. A serial that exists is refused, and the stored device stays as it is.

              rollcall create ABCD1234 --owner-ref ada --hardware-version hwrev1
            """
    )

    @Argument(help: "The serial: 1 to 128 of [-A-Za-z0-9_.:]; it never changes.")
    var serial: String

    @Option(help: ArgumentHelp("Whom the device belongs to: any text of 1 to 256 characters.", valueName: "owner"))
    var ownerRef: String

    @Option(help: ArgumentHelp("Its hardware version: 1 to 128 of [-A-Za-z0-9_.+:].", valueName: "version"))
    var hardwareVersion: String

    @Option(help: ArgumentHelp("The cohort to put it in. Default: 'default'.", valueName: "slug"))
    var cohort: String?

    @OptionGroup var validation: ValidationOptions
    @OptionGroup var request: RequestOptions
    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let device = try await client.createDevice(
            self.serial,
            ownerRef: self.ownerRef,
            hardwareVersion: self.hardwareVersion,
            cohort: self.cohort,
            validateOnly: self.validation.validateOnly,
            requestID: self.request.requestID
        )
        try printer.one(device, as: .device())
    }
}
