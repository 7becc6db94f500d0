internal import ArgumentParser
internal import DeviceText
internal import JSONText
internal import NIOCore
internal import RPC
internal import RollcallClient
internal import Synchronization

/// `rollcall export`
struct Export: ClientCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write every device that matches to a file, for 'rollcall import' or for other programs.",
        discussion: """
            Devices come by id, each as it is when its turn comes. NDJSON, a JSON object a line as 'rollcall get --view \
            full' shows it, holds everything. CSV has a column for each field and, as attributes.<key>, for each attribute \
            key that the project has at the beginning; what it does not hold are the times of attributes. In it, an \
            attribute in quotes is a text and one without is a number or a boolean where it looks like one.

            The last line on standard error says how many there were: exported: devices=200

              rollcall export --file fleet.ndjson
              rollcall export --output csv --cohort beta > beta.csv
            """
    )

    @OptionGroup var filters: FilterOptions

    @Option(help: ArgumentHelp("How much of each: full, or basic without its attributes.", valueName: "view"))
    var view = DeviceView.full

    @Option(
        help: ArgumentHelp(
            "Write to this file, which appears once it is whole, and not to standard output.", valueName: "file"),
        completion: .file()
    )
    var file: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try self.filters.requireActivityOfWindow()
        if self.global.output == .table || self.global.output == .json {
            throw ValidationError("An export is ndjson or csv: a device a line, however many there are.")
        }
    }

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let format: DeviceFileFormat = self.global.output == .csv ? .csv : .ndjson
        let keys = format == .csv && self.view == .full ? try await Self.attributeKeys(client) : []
        let output = try ByteOutput(path: self.file)
        let isForPerson = self.file == nil && printer.data.isTerminal
        let progress = isForPerson ? nil : ProgressLine(printer.words)
        let state = Mutex((writer: DeviceLineWriter(format, view: self.view, attributeKeys: keys), count: 0))
        do {
            // How long it goes on is for its caller to say.
            let patient = client.with(timeout: self.global.timeout?.duration)
            let request = patient.exportRequest(self.filters.deviceFilter, view: self.view)
            let name = MethodName(service: "rollcall.v1.Devices", method: "ExportDevices")
            try await patient.serverStream(name, request) { message in
                let (bytes, count) = try state.withLock { state in
                    state.count += try message.withUnsafeReadableBytes { try state.writer.write($0) }
                    return (state.writer.take(), state.count)
                }
                try isForPerson ? printer.data.write(Self.visible(bytes)) : output.write(bytes)
                progress?.show { "\(count) devices" }
            }
            // What no device came after: the header.
            try output.write(state.withLock { $0.writer.take() })
            progress?.clear()
            try output.finish()
        } catch {
            progress?.clear()
            output.discard()
            throw error
        }
        try printer.words.write("exported: devices=\(state.withLock { $0.count })\n")
    }

    private static func attributeKeys(_ client: RollcallClient) async throws(RollcallError) -> [String] {
        var keys: [String] = []
        var position = PagePosition.first
        while true {
            let page = try await client.listAttributeKeys(pageSize: 1_000, position: position)
            keys += page.items.map(\.customMetric.stringKey)
            guard !page.nextPageToken.isEmpty else { return keys }
            position = .token(page.nextPageToken)
        }
    }

    /// With what would steer a terminal written out, but for line ends.
    private static func visible(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).unicodeScalars.reduce(into: "") { text, scalar in
            let isPlain = scalar == "\r" || scalar == "\n" || !scalar.steersTerminal
            text += isPlain ? String(scalar) : String(scalar).visible
        }
    }
}
