// Access rules as an operator handles them: asked about, changed while the daemon runs, tried as another user.

import Foundation
import RollcallClient
import RollcallTesting
import Testing

@testable import RollcallDaemon

@Suite struct AccessProcessTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func check(_ user: String, _ rules: [String]) async throws -> ProcessOutput {
        let places = ["--socket", self.folder.path("r.sock"), "--data", self.folder.path("data")]
        return try await ChildProcess.run(
            "rollcalld", places + rules.flatMap { ["--access", $0] } + ["--check-access", user])
    }

    // MARK: --check-access

    @Test func aUsersRolesAreShownByProject() async throws {
        let rules = ["user:4242=reporter+may_register@shop,lab", "everyone=reader", "user:4243=admin"]
        let output = try await self.check("4242", rules)
        #expect(output.end == .exit(0))
        #expect(output.standardError == "")
        #expect(
            output.standardOutput == """
                4242, in no group

                PROJECT  ROLES                         MAY
                (every)  reader                        get, list, count, export and watch devices, list what they share
                lab      reader+reporter+may_register  get, list, count, export and watch devices, list what they share; \
                get a device, check in, read and set attributes; register by check-in
                shop     reader+reporter+may_register  get, list, count, export and watch devices, list what they share; \
                get a device, check in, read and set attributes; register by check-in

                """
        )
        #expect(!FileManager.default.fileExists(atPath: self.folder.path("data")))
    }

    @Test func rootMayDoEverythingWhateverTheRules() async throws {
        let output = try await self.check("root", ["everyone=reader"])
        #expect(output.standardOutput.hasPrefix("root (0), in root (0)"))
        #expect(output.standardOutput.contains("(every)  admin  everything\n"))
    }

    @Test func aUserWithoutARoleIsToldSo() async throws {
        let output = try await self.check("4242", ["user:4243=admin"])
        #expect(
            output.standardOutput
                == "4242, in no group\n\nNo rule gives it a role: all it may ask for is GetServerInfo, health and reflection.\n"
        )
    }

    @Test func anUnknownUserIsRefused() async throws {
        let output = try await self.check("no-such-user", [])
        #expect(output.end == .exit(2))
        #expect(
            output.standardError
                == "rollcalld: --check-access must be the name or number of a user; this system knows no \"no-such-user\".\n"
        )
    }

    // MARK: SIGHUP

    @Test func aReloadTellsWhatChangedAndKeepsWhatWasWhereTheFileIsWrong() async throws {
        let path = self.folder.path("c.json")
        func write(_ text: String) throws {
            try Data(text.utf8).write(to: URL(filePath: path))
        }
        try write(#"{"access": ["user:4242=reader"]}"#)
        try await DaemonProcess.with(in: self.folder, ["--config", path]) { daemon in
            func reload(until line: String) async throws -> [Substring] {
                daemon.child.signal(SIGHUP)
                try await poll { daemon.child.standardError.contains(line) }
                return daemon.child.standardError.split(separator: "\n")
            }
            // SIGHUP is caught once the daemon answers.
            try await poll { daemon.child.standardError.contains("listening") }
            try write(#"{"access": ["user:4242=writer@lab"], "log_level": "debug"}"#)
            let lines = try await reload(until: " reloaded")
            let rules = try #require(lines.first { $0.contains("access rules changed") })
            #expect(rules.contains("user:4242=writer@lab"))
            #expect(rules.contains("user:4242=reader"))
            #expect(
                lines.contains {
                    $0.contains("log level changed") && $0.contains("from=info") && $0.contains("to=debug")
                })

            try write(#"{"access": ["user:4242=writre"]}"#)
            let after = try await reload(until: "settings kept")
            #expect(after.last { $0.contains("settings kept") }?.contains("the nearest is") == true)
            #expect(after.filter { $0.contains("access rules changed") }.count == 1)
            // The level that the first reload brought is in force.
            let client = try await RollcallClient.connect(address: daemon.socketPath)
            _ = try await client.serverInfo()
            await client.close()
            try await poll { daemon.child.standardError.contains("connection accepted") }
            #expect(await daemon.stop() == .exit(0))
        }
    }

    // MARK: Another user

    /// Such a caller can only be had by root.
    private static let canBeAnother =
        geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv")

    /// More groups than are asked for at first.
    @Test(.enabled(if: canBeAnother))
    func anotherUserIsKnownByItsSupplementaryGroups() async throws {
        let groups = (5_001...5_040).map { "\($0)" }
        let rules = ["--access", "group:5040=writer@lab", "--access", "group:6000=admin", "--socket-mode", "0666"]
        // Others must get at the socket and at a copy of the client.
        try #require(chmod(self.folder.path, 0o755) == 0)
        let client = self.folder.path("rollcall")
        try FileManager.default.copyItem(atPath: ChildProcess.path(of: "rollcall"), toPath: client)
        try await DaemonProcess.with(in: self.folder, rules) { daemon in
            func run(_ arguments: [String]) async throws -> ProcessOutput {
                let identity = ["--reuid", "4242", "--regid", "4243", "--groups", groups.joined(separator: ",")]
                return try await ChildProcess.run(
                    "/usr/bin/setpriv", identity + [client, "--address", daemon.socketPath] + arguments)
            }
            let info = try await run(["server", "info", "--output", "json"])
            #expect(info.standardOutput.contains(#""uid": 4242, "gid": 4243"#), "\(info)")
            #expect(info.standardOutput.contains("\"groups\": [\(groups.joined(separator: ", "))]"))
            #expect(info.standardOutput.contains(#""roles": [{"project": "lab", "roles": ["writer"]}]"#))
            let refused = try await run(["list"])
            #expect(refused.end == .exit(1))
            #expect(
                refused.standardError
                    == "rollcall: User 4242 may not call rollcall.v1.Devices/ListDevices in project 'default': that takes the role reader.\n"
            )
            let line = try #require(
                daemon.child.standardError.split(separator: "\n").first { $0.contains("call refused") })
            #expect(line.contains("audit=refused"))
            #expect(line.contains("peer.uid=4242"))
            #expect(line.contains("project=default"))
        }
    }
}
