// `rollcall watch` as a person has it.

import Foundation
import RollcallClient
import RollcallTesting
import Testing

@Suite(.timeLimit(.minutes(1))) struct WatchCommandTests {
    /// Waits until the command has printed a line that holds `text`.
    private static func printed(_ text: String, by child: ChildProcess) async throws {
        while !child.standardOutput.contains(text) {
            try #require(child.isRunning, "\(child.standardError)")
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test func aWatchGoesOnByItselfAfterARestart() async throws {
        let folder = try TemporaryFolder()
        let words = ["watch", "--address", folder.path("r.sock"), "--output", "ndjson"]
        try await ChildProcess.with("rollcalld", Self.daemonWords(folder)) { daemon in
            let client = try await Self.client(folder, daemon)
            _ = try await client.createDevice("A", ownerRef: "ada", hardwareVersion: "h1")
            try await ChildProcess.with("rollcall", words) { watch in
                try await Self.printed(#""event": "bookmark", "revision": 1"#, by: watch)
                await client.close()
                daemon.signal(SIGTERM)
                #expect(await daemon.end() == .exit(0))
                try await ChildProcess.with("rollcalld", Self.daemonWords(folder)) { daemon in
                    let client = try await Self.client(folder, daemon)
                    _ = try await client.createDevice("B", ownerRef: "ada", hardwareVersion: "h1")
                    try await Self.printed(#""event": "entered", "revision": 2"#, by: watch)
                    await client.close()
                }
                let events = watch.standardOutput.split(separator: "\n").filter { !$0.contains("bookmark") }
                #expect(events.count == 2, "\(events)")
                watch.signal(SIGINT)
                #expect(await watch.end() == .exit(130))
            }
        }
    }

    private static func daemonWords(_ folder: TemporaryFolder) -> [String] {
        ["--socket", folder.path("r.sock"), "--data", folder.path("data")]
    }

    /// A client, once the daemon answers.
    private static func client(_ folder: TemporaryFolder, _ daemon: ChildProcess) async throws -> RollcallClient {
        while true {
            do throws(RollcallError) {
                return try await RollcallClient.connect(address: folder.path("r.sock"))
            } catch {
                try #require(daemon.isRunning, "\(daemon.standardError)")
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }
}
