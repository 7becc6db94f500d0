public import ArgumentParser
public import DeviceModel
internal import Glibc
internal import RollcallClient

/// `rollcall import`
struct Import: ClientCommand {
    static let configuration = CommandConfiguration(
        abstract: "Register the devices of a file.",
        discussion: """
            Reads what 'rollcall export' writes, NDJSON or CSV, and any CSV file whose header names its columns: \
            device_serial, owner_ref, hardware_version, cohort, last_seen, last_seen_release_version, \
            last_seen_release_revision and attributes.<key>; id, dates and etag may be there and are given anew. An \
            attribute in quotes is a text; one without is a number or a boolean where it looks like one, and nothing \
            where it is empty.

            Each device succeeds or fails alone. Exit code 0 means that all were imported, 1 that some were not. The last \
            line on standard error sums up: imported: created=198 updated=0 failed=2 lines=201

            When it is interrupted, or the connection is lost, it says through which line everything is stored; the same \
            command with --skip-lines goes on from there.

              rollcall import fleet.ndjson
              rollcall import --mode upsert --failures failed.csv fleet.csv
              rollcall export --project a | rollcall import --project b -
            """
    )

    @Argument(help: ArgumentHelp("The file, or - for standard input.", valueName: "file"), completion: .file())
    var file: String

    @Option(
        help: ArgumentHelp(
            "create, where a serial that exists fails, or upsert, where its device is changed to what the file has.",
            valueName: "mode")
    )
    var mode = ImportMode.create

    @Flag(help: "Create the cohorts that the project does not have.")
    var createCohorts = false

    @Flag(help: "Check every device against what is stored, and store nothing.")
    var validateOnly = false

    @Option(
        help: ArgumentHelp("Write line, serial and reason of what fails to this CSV file.", valueName: "file"),
        completion: .file()
    )
    var failures: String?

    @Option(help: ArgumentHelp("Leave out the devices on the first <count> lines.", valueName: "count"))
    var skipLines = 0

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if self.skipLines < 0 {
            throw ValidationError("--skip-lines must be at least 0.")
        }
        if self.global.output != nil {
            throw ValidationError("--output does not go with an import, which prints no data.")
        }
    }

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        if let failures = self.failures, Self.isSameFile(failures, self.file) {
            throw InputError("--failures names the file that is imported; name another one.")
        }
        let ledger = ImportLedger(words: printer.words)
        let file = try ImportFile(
            self.file, mode: self.mode, createsCohorts: self.createCohorts, skippedLineCount: self.skipLines, ledger)
        // A header that is not right is refused before anything is sent.
        try await file.readHeader()
        let failures = try self.failures.map { path throws(InputError) in try ByteOutput(path: path) }
        try ledger.report(to: failures)
        Interruption.expect()
        let line = ProgressLine(printer.words)
        do {
            // How long it goes on is for its caller to say.
            let patient = client.with(timeout: self.global.timeout?.duration)
            try await patient.importDevices(file, mode: self.mode, validateOnly: self.validateOnly) { progress in
                try ledger.take(progress)
                line.show { ledger.progressText(elapsedSeconds: line.elapsedSeconds, byteCount: file.byteCount) }
            }
            line.clear()
            try failures?.finish()
        } catch {
            line.clear()
            // What is known to have failed is worth keeping, all the more when the rest is to be repeated.
            try? failures?.finish()
            try? printer.words.write(ledger.resumption(isStored: !self.validateOnly))
            throw error
        }
        try self.end(ledger, printer)
    }

    private static func isSameFile(_ path: String, _ other: String) -> Bool {
        var (one, two) = (stat(), stat())
        return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_ino == two.st_ino && one.st_dev == two.st_dev
    }

    private func end(_ ledger: ImportLedger, _ printer: Printer) throws {
        let isInterrupted = Interruption.hasCome
        let fault = ledger.fileFault
        if isInterrupted || fault != nil {
            try printer.words.write(ledger.resumption(isStored: !self.validateOnly))
        }
        if let fault {
            try printer.words.write("rollcall: \(fault)".visible + "\n")
        }
        try printer.words.write(
            ledger.summary(hasFailuresFile: self.failures != nil, verb: self.validateOnly ? "checked" : "imported"))
        if isInterrupted { throw CommandEnd(status: .interrupted) }
        if fault != nil || ledger.failedCount > 0 { throw CommandEnd(status: .refused) }
    }
}

extension ImportMode: ExpressibleByArgument {
    /// Reads `create` or `upsert`.
    public init?(argument: String) {
        switch argument.lowercased() {
        case "create": self = .create
        case "upsert": self = .upsert
        default: return nil
        }
    }

    public static var allValueStrings: [String] { ["create", "upsert"] }

    public var defaultValueDescription: String { self == .create ? "create" : "upsert" }
}
