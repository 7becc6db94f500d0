internal import ArgumentParser
internal import RollcallClient

/// `rollcall delete`
struct Delete: ClientCommand {
    static let configuration = CommandConfiguration(
        abstract: "Delete a device with its attributes.",
        discussion: """
            Prints no data. Deleting is for good: a device of the same serial registered later is a new one.

              rollcall delete ABCD1234
            """
    )

    @Argument(help: "The device's serial.")
    var serial: String

    @Option(help: ArgumentHelp("Refuse if the device has another etag than this, so has changed.", valueName: "etag"))
    var etag: String?

    @Flag(help: "A device that does not exist is no error.")
    var allowMissing = false

    @OptionGroup var request: RequestOptions
    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        try await client.deleteDevice(
            self.serial, etag: self.etag, allowMissing: self.allowMissing, requestID: self.request.requestID
        )
        printer.note("Deleted device \(self.serial).")
    }
}
