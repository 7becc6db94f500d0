// What a running daemon tells of itself, and how the command shows it.

import Foundation
import RPC
import RollcallClient
import RollcallTesting
import Testing

@Suite(.timeLimit(.minutes(1))) struct LiveStatsTests {
    @Test func callsAreCountedExactlyOverBothProtocols() async throws {
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            for (index, wire) in TestProtocol.allCases.enumerated() {
                try await daemon.withClient(wire) { client in
                    for number in 0..<3 {
                        _ = try await client.createDevice("S-\(index)\(number)", ownerRef: "ada", hardwareVersion: "h1")
                    }
                    for _ in 0..<4 { _ = try await client.getDevice("S-\(index)0") }
                    await #expect(throws: RollcallError.self) { _ = try await client.getDevice("S-none") }
                }
            }
            let stats = try await daemon.withClient { client in
                _ = try await client.serverStats()
                return try await client.serverStats()
            }
            for wire in TestProtocol.allCases.map(\.rawValue) {
                let calls = { (name: String) in
                    stats.calls.first { $0.wire == wire && $0.method == "rollcall.v1.\(name)" }
                }
                #expect(calls("Devices/CreateDevice")?.ended == [.init(code: 0, count: 3)])
                let gets = try #require(calls("Devices/GetDevice"))
                #expect(gets.ended == [.init(code: 0, count: 4), .init(code: 5, count: 1)])
                #expect(gets.latency.count == 5 && gets.failedCount == 1 && gets.openCount == 0)
            }
            let own = try #require(
                stats.calls.first { $0.wire == "ttrpc" && $0.method == "rollcall.v1.Server/GetStats" })
            #expect(own.count == 1 && own.openCount == 1)
            #expect(stats.writer.commitTimes.count == 6 && stats.writer.groupCallCounts.sum == 6)
            #expect(stats.store.syncTimes.count >= 6 && stats.store.databaseByteCount > 0)
            #expect(stats.store.syncTimes.quantile(0.5) <= stats.writer.commitTimes.max)
            #expect(stats.index.deviceCount == 6 && stats.index.projectCount == 1)
            #expect(stats.uptime > .zero && stats.process.residentByteCount > 1 << 20)
            #expect(
                stats.process.descriptorCount > 3 && stats.process.descriptorCount <= stats.process.descriptorCountMax)
            #expect(stats.process.processorTime > .zero)
        }
    }

    @Test func theCommandShowsThemOnce() async throws {
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            let words = ["server", "stats", "--address", daemon.socketPath]
            let table = try await ChildProcess.run("rollcall", words + ["--output", "table"])
            #expect(table.end == .exit(0), "\(table.standardError)")
            for part in ["up ", "write queue", "commits", "watchers"] {
                #expect(table.standardOutput.contains(part), "\(table.standardOutput)")
            }
            let again = try await ChildProcess.run("rollcall", words)
            #expect(again.end == .exit(0), "\(again.standardError)")
            #expect(again.standardOutput.contains(#""method": "rollcall.v1.Server/GetStats""#))
            #expect(again.standardOutput.contains(#""codes": {"OK": 1}"#), "\(again.standardOutput)")
            for refused in [["--output", "csv"], ["--watch", "--output", "json"], ["--watch", "0"]] {
                #expect(try await ChildProcess.run("rollcall", words + refused).end == .exit(2), "\(refused)")
            }
        }
    }

    @Test func theCommandGoesOnUntilItIsInterrupted() async throws {
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            let words = ["server", "stats", "--watch", "0.05", "--address", daemon.socketPath]
            try await ChildProcess.with("rollcall", words) { watch in
                try await poll { watch.standardOutput.split(separator: "\n").count >= 2 || !watch.isRunning }
                watch.signal(SIGINT)
                #expect(await watch.end() == .exit(130), "\(watch.standardError)")
                let lines = watch.standardOutput.split(separator: "\n")
                #expect(lines.count >= 2)
                for line in lines.prefix(2) {
                    // Of the time between two samples there is one call: the sample before.
                    #expect(
                        line.contains(#""method": "rollcall.v1.Server/GetStats", "count": 1, "calls_per_second": "#))
                    #expect(line.contains(#""interval_seconds": "#))
                }
            }
            try await ChildProcess.with("rollcall", words + ["--output", "table"]) { watch in
                try await poll { watch.standardOutput.split(separator: "\nup ").count >= 2 || !watch.isRunning }
                watch.signal(SIGINT)
                #expect(await watch.end() == .exit(130), "\(watch.standardError)")
                #expect(watch.standardOutput.contains("Server/GetStats") && watch.standardOutput.contains("/s"))
            }
        }
    }
}
