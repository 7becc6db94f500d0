// The options that every command has.

internal import ArgumentParser
internal import FoundationEssentials
internal import RollcallClient

/// Where the server is, which project is meant, how long to wait, and how to print.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the server listens: unix:///path, or a path.",
            discussion: """
                Default: ROLLCALL_ADDRESS, else your own socket ($XDG_RUNTIME_DIR/rollcall/rollcall.sock) if there is \
                one, else the system's (/run/rollcall/rollcall.sock).
                """,
            valueName: "address"
        ),
        completion: .file()
    )
    var address: String?

    @Option(help: ArgumentHelp("The project to act in. Default: ROLLCALL_PROJECT, else 'default'.", valueName: "slug"))
    var project: String?

    @Option(
        help: ArgumentHelp(
            "How long a call may take, in seconds. Default: 30; no end for import, export, watch and call.",
            valueName: "seconds"))
    var timeout: Seconds?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "How to print: table, json, ndjson or csv. Default: table on a terminal, else json.",
            discussion: "JSON takes one line, or is indented on a terminal; ndjson is an object a line, no envelope.",
            valueName: "format"
        )
    )
    var output: OutputFormat?

    /// A bad address is a mistake of the command line or of the environment, not a server that is not there.
    func validate() throws {
        let address = self.address ?? ProcessInfo.processInfo.environment["ROLLCALL_ADDRESS"] ?? ""
        guard self.address != nil || !address.isEmpty else { return }
        do throws(RollcallError) {
            _ = try ServerAddress(address)
        } catch {
            throw ValidationError(error.message)
        }
    }
}

/// A positive number of seconds on the command line, such as `30` or `0.5`.
struct Seconds: ExpressibleByArgument, Hashable, Sendable, CustomStringConvertible {
    let duration: Duration

    init(whole seconds: Int) {
        self.duration = .seconds(seconds)
    }

    var description: String { "\(self.duration / .seconds(1))" }

    init?(argument: String) {
        // A billion seconds is as good as for ever, and safely within a Duration.
        guard let seconds = Double(argument), seconds > 0, seconds <= 1_000_000_000 else { return nil }
        self.duration = .seconds(seconds)
    }
}
