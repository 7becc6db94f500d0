// The program: parses, runs, and turns how it went into an exit code.

internal import ArgumentParser
internal import Glibc
internal import NIOCore

@main
enum Main {
    static func main() async {
        // A reader that goes away is told to us by the write; a person who interrupts wants out now.
        signal(SIGPIPE, SIG_IGN)
        Interruption.endsTheProgram()
        // One connection needs one event loop, and start-up is not to pay for more threads.
        NIOSingletons.groupLoopCountSuggestion = 1
        exit(await self.run(CommandLineWords(words: Array(CommandLine.arguments.dropFirst()))).rawValue)
    }

    private static func run(_ line: CommandLineWords) async -> ExitStatus {
        do {
            var command = try RollcallCommand.parseAsRoot(line.normalized)
            if let command = command as? any ClientCommand {
                return await command.execute()
            }
            // Help, or a group of commands without one of them, which answers with help too.
            try command.run()
            return .done
        } catch {
            return Self.report(error, line)
        }
    }

    /// Prints what the parser has to say: help to standard output, a mistake to standard error.
    private static func report(_ error: any Error, _ line: CommandLineWords) -> ExitStatus {
        let isHelp = RollcallCommand.exitCode(for: error).isSuccess
        let output: Output = isHelp ? .standardOutput(environment: [:]) : .standardError(environment: [:])
        var text = RollcallCommand.fullMessage(for: error)
        if !isHelp, let sentence = line.unknownCommand(of: RollcallCommand.self) {
            text = "Error: \(sentence.visible)\nSee 'rollcall --help' for more information."
        }
        // If it cannot be shown, the exit code still says it.
        try? output.write(text.isEmpty ? "" : text + "\n")
        return isHelp ? .done : .usage
    }
}
