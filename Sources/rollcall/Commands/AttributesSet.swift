internal import ArgumentParser
internal import RollcallClient

/// `rollcall attributes set`
struct AttributesSet: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Set attributes of a device, all or none of them.",
        discussion: """
            VALUE is a JSON scalar: 20 is an INT, 20.5 a FLOAT, true a BOOL, "20" a STRING. Any other text is a STRING \
            as it stands. The type that the key has already rules: a STRING key takes 20 and true as text, a FLOAT key \
            takes 20 as 20.0. Prints all attributes afterwards.

              rollcall attributes set ABCD1234 battery=80 'location=Room 4'
            """
    )

    @Argument(help: "The device's serial.")
    var serial: String

    @Argument(help: ArgumentHelp("What to set.", valueName: "key=value"), transform: AttributeAssignment.argument)
    var assignments: [AttributeAssignment]

    @Option(
        help: ArgumentHelp("When the values were taken. Default: now. An older value is ignored.", valueName: "time"),
        transform: Timestamp.argument
    )
    var time: Timestamp?

    @Flag(help: "Unset every other attribute.")
    var replace = false

    @Option(help: ArgumentHelp("Refuse if the device has another etag than this, so has changed.", valueName: "etag"))
    var etag: String?

    @OptionGroup var request: RequestOptions
    @OptionGroup var global: GlobalOptions

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let reply = try await self.assignments.send(at: self.time, requestID: self.request.requestID) {
            updates, requestID throws(RollcallError) in
            try await client.updateDeviceAttributes(
                self.serial, updates, replacesOthers: self.replace, etag: self.etag, requestID: requestID
            )
        }
        try printer.whole(reply.attributes, "attributes", as: .attribute)
    }
}
