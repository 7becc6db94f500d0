internal import ArgumentParser
internal import DeviceModel
internal import FoundationEssentials
internal import RollcallClient

/// `rollcall server backup`
struct ServerBackupCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy everything that the daemon keeps to a file, for 'rollcalld --restore'.",
        discussion: """
            The copy is of one moment, and the daemon goes on meanwhile. It is written to FILE.partial, which only you may \
            read, held against the SHA-256 of what was sent, synced, and given its name; where that fails, nothing is left.

            The last line on standard error says what it is, with the SHA-256 that sha256sum shows of it:
            backed up: bytes=… revision=… store_id=… sha256=…

              rollcall server backup rollcall-$(date +%F).sqlite
            """
    )

    @Argument(help: "The file to write.", completion: .file())
    var file: String

    @Flag(help: "Replace the file if it is there.")
    var force = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard !self.file.isEmpty, self.file != "-" else {
            throw ValidationError("A backup is checked before it gets its name; say which file it is to be.")
        }
    }

    func run(_ client: RollcallClient, _ printer: Printer) async throws {
        let output = try ByteOutput(newFile: self.file, replacing: self.force)
        let progress = ProgressLine(printer.words)
        let summary: BackupSummary
        do {
            // How long it goes on is for its caller to say.
            summary = try await client.with(timeout: self.global.timeout?.duration).backup { part in
                try output.write(part.bytes)
                progress.show {
                    "\((part.position + Int64(part.bytes.count)) >> 20) of \(part.totalByteCount >> 20) MiB"
                }
            }
            progress.clear()
            try output.finish()
        } catch {
            progress.clear()
            output.discard()
            throw error
        }
        let digest = summary.sha256.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        try printer.words.write(
            "backed up: bytes=\(summary.byteCount) revision=\(summary.revision) "
                + "store_id=\(summary.storeID.uuidString.lowercased()) sha256=\(digest)\n")
    }
}
