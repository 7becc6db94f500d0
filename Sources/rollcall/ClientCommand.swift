// What every command that talks to a server does around its own part.

internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import JSONText
internal import RollcallClient

/// Ends a command that has said everything itself.
struct CommandEnd: Error {
    let status: ExitStatus
}

/// A command that makes calls.
protocol ClientCommand: ParsableCommand {
    var global: GlobalOptions { get }

    /// Makes the calls and prints what they answer.
    ///
    /// - Throws: ``RollcallError`` of a call, ``InputError``, or ``OutputError``.
    func run(_ client: RollcallClient, _ printer: Printer) async throws
}

extension ClientCommand {
    /// Connects, runs, and reports a failure on standard error.
    func execute() async -> ExitStatus {
        let environment = ProcessInfo.processInfo.environment
        let data = Output.standardOutput(environment: environment)
        let words = Output.standardError(environment: environment)
        let printer = Printer(
            format: self.global.output ?? (data.isTerminal ? .table : .json), data: data, words: words
        )
        do {
            let client = try await RollcallClient.connect(
                address: self.global.address,
                project: self.global.project ?? environment["ROLLCALL_PROJECT"] ?? "",
                timeout: self.global.timeout?.duration ?? .seconds(30)
            )
            try await self.run(client, printer)
            return .done
        } catch let error as RollcallError {
            // JSON for whoever asked for it by name; everyone else reads a sentence.
            let isForProgram = self.global.output == .json || self.global.output == .ndjson
            // There is no one left to tell that telling failed.
            try? words.write(isForProgram ? error.json.text(.line) + "\n" : error.sentences)
            return ExitStatus(error)
        } catch let error as InputError {
            try? words.write("Error: \(error)".visible + "\n")
            return .usage
        } catch let end as CommandEnd {
            return end.status
        } catch OutputError.closed {
            return .done
        } catch OutputError.failed(let error) {
            try? words.write("rollcall: the output cannot be written: \(String(cString: strerror(error))).\n")
            return .refused
        } catch {
            try? words.write("rollcall: \(error)".visible + "\n")
            return .refused
        }
    }
}
