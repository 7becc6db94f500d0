import Foundation
import RollcallClient
import RollcallTesting
import Testing

/// `rollcall purge` at the real daemon, by itself and at a terminal.
@Suite(.sharedDaemon, .timeLimit(.minutes(1))) struct LivePurgeCommandTests {
    /// Runs `body` with a client whose project has three devices of cohort `old` and one of none.
    private func withFleet(_ body: (RollcallClient, _ options: [String]) async throws -> Void) async throws {
        let daemon = try SharedDaemon.daemon()
        try await daemon.withClient { client in
            let client = client.with(project: try await client.createProject(UUID().uuidString).slug)
            _ = try await client.createCohort("old")
            _ = try await client.batchCreateDevices(
                ["A", "B", "C", "D"].map {
                    .init($0, ownerRef: "ada", hardwareVersion: "h1", cohort: $0 == "D" ? nil : "old")
                })
            try await body(client, ["--address", daemon.socketPath, "--project", client.project])
        }
    }

    /// Runs the program at a terminal where someone types `answer`.
    private func purgeAtTerminal(_ options: [String], answer: String) async throws -> ProcessOutput {
        let words = [ChildProcess.path(of: "rollcall"), "purge"] + options
        let command = words.map { "'\($0)'" }.joined(separator: " ")
        return try await ChildProcess.run("/usr/bin/script", ["-qec", command, "/dev/null"], input: answer)
    }

    @Test func withYesItDeletesAndTellsHowMany() async throws {
        try await self.withFleet { client, options in
            let counted = try await ChildProcess.run(
                "rollcall", ["purge", "--cohort", "old", "--validate-only"] + options)
            #expect(counted.end == .exit(0) && counted.standardOutput == "{\"data\": {\"count\": 3}}\n")
            #expect(try await client.countDevices().count == 4)
            let purged = try await ChildProcess.run(
                "rollcall", ["purge", "--filter", "cohort = old", "--yes", "--output", "table"] + options)
            #expect(purged.end == .exit(0) && purged.standardError == "Deleted 3 devices.\n", "\(purged.standardError)")
            #expect(purged.standardOutput.isEmpty)
            #expect(try await client.listDevices().items.map(\.deviceSerial) == ["D"])
        }
    }

    @Test func atATerminalItShowsTheCountAndAsks() async throws {
        try await self.withFleet { client, options in
            for answer in ["n\n", "\n"] {
                let declined = try await self.purgeAtTerminal(["--cohort", "old"] + options, answer: answer)
                #expect(declined.end == .exit(1))
                #expect(declined.standardOutput.contains("Delete 3 devices for good? [y/N] "))
                #expect(declined.standardOutput.contains("Nothing was deleted."), "\(declined.standardOutput)")
                #expect(try await client.countDevices().count == 4)
            }
            let nothing = try await self.purgeAtTerminal(["--owner-ref", "nobody"] + options, answer: "")
            #expect(nothing.end == .exit(0) && !nothing.standardOutput.contains("[y/N]"))
            #expect(nothing.standardOutput.contains("Deleted 0 devices."), "\(nothing.standardOutput)")
            let agreed = try await self.purgeAtTerminal(["--cohort", "old"] + options, answer: "y\n")
            #expect(agreed.end == .exit(0))
            #expect(agreed.standardOutput.contains("Deleted 3 devices."), "\(agreed.standardOutput)")
            #expect(try await client.listDevices().items.map(\.deviceSerial) == ["D"])
        }
    }
}
