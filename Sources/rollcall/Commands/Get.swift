internal import ArgumentParser
internal import RollcallClient

/// `rollcall get`
struct Get: ClientCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show one device.",
        discussion: """
              rollcall get ABCD1234
              rollcall get ABCD1234 --view full --output json
            """
    )

    @Argument(help: "The device's serial.")
    var serial: String

    @Option(help: ArgumentHelp("How much of it: basic, or full with its attributes.", valueName: "view"))
    var view = DeviceView.basic

    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let device = try await client.getDevice(self.serial, view: self.view)
        try printer.one(device, as: .device(self.view))
    }
}
