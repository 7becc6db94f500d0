internal import ArgumentParser
internal import RollcallClient

/// `rollcall attributes unset`
struct AttributesUnset: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "unset",
        abstract: "Take attributes off a device, all or none of them.",
        discussion: """
            The keys keep their types in the project. Prints all attributes afterwards.

              rollcall attributes unset ABCD1234 battery location
            """
    )

    @Argument(help: "The device's serial.")
    var serial: String

    @Argument(help: ArgumentHelp("What to take off.", valueName: "key"))
    var keys: [String]

    @Option(help: ArgumentHelp("Refuse if the device has another etag than this, so has changed.", valueName: "etag"))
    var etag: String?

    @OptionGroup var request: RequestOptions
    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let reply = try await client.updateDeviceAttributes(
            self.serial,
            self.keys.map { AttributeUpdate(key: $0, value: nil) },
            etag: self.etag,
            requestID: self.request.requestID
        )
        try printer.whole(reply.attributes, "attributes", as: .attribute)
    }
}
