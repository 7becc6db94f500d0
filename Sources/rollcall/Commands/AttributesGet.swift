internal import ArgumentParser
internal import RollcallClient

/// `rollcall attributes get`
struct AttributesGet: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show the attributes of a device.",
        discussion: """
              rollcall attributes get ABCD1234
              rollcall attributes get ABCD1234 'battery*'
            """
    )

    @Argument(help: "The device's serial.")
    var serial: String

    @Argument(help: "Only keys that match, whatever their case; * stands for any characters.")
    var pattern: String?

    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let reply = try await client.deviceAttributes(self.serial, matching: self.pattern)
        try printer.whole(reply.attributes, "attributes", as: .attribute)
    }
}
