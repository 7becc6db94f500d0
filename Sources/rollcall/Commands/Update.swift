internal import ArgumentParser
internal import RollcallClient

/// `rollcall update`
struct Update: ClientCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change the owner, hardware version or cohort of a device.",
        discussion: """
            Changes what is given and nothing else, and prints the device as stored.

              rollcall update ABCD1234 --cohort beta
              rollcall update ABCD1234 --owner-ref someone_else --etag 3f2a9c10-1b
            """
    )

    @Argument(help: "The device's serial.")
    var serial: String

    @Option(help: ArgumentHelp("The new owner: any text of 1 to 256 characters.", valueName: "owner"))
    var ownerRef: String?

    @Option(help: ArgumentHelp("The new hardware version: 1 to 128 of [-A-Za-z0-9_.+:].", valueName: "version"))
    var hardwareVersion: String?

    @Option(help: ArgumentHelp("The cohort to move it to.", valueName: "slug"))
    var cohort: String?

    @Option(help: ArgumentHelp("Refuse if the device has another etag than this, so has changed.", valueName: "etag"))
    var etag: String?

    @Flag(help: "Create the device if it does not exist; then it needs an owner and a hardware version.")
    var allowMissing = false

    @OptionGroup var validation: ValidationOptions
    @OptionGroup var request: RequestOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if self.ownerRef == nil, self.hardwareVersion == nil, self.cohort == nil {
            throw ValidationError("Say what to change: --owner-ref, --hardware-version or --cohort.")
        }
    }

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let device = try await client.updateDevice(
            self.serial,
            ownerRef: self.ownerRef,
            hardwareVersion: self.hardwareVersion,
            cohort: self.cohort,
            etag: self.etag,
            allowMissing: self.allowMissing,
            validateOnly: self.validation.validateOnly,
            requestID: self.request.requestID
        )
        try printer.one(device, as: .device())
    }
}
