import Access
import Foundation
import Logging
@testable import RollcallDaemon
import RollcallTesting
import Testing

@Suite struct ConfigurationTests {
    private static let home = ["HOME": "/home/ada"]

    private func read(
        flags: DaemonFlags = DaemonFlags(), _ environment: [String: String] = [:], userID: UInt32 = 0
    ) async throws -> DaemonConfiguration {
        try await DaemonConfiguration.read(flags: flags, environment: environment, userID: userID)
    }

    /// The sentence that a reading is refused with.
    private func refusal(
        flags: DaemonFlags = DaemonFlags(), _ environment: [String: String] = [:], userID: UInt32 = 0
    ) async -> String? {
        do {
            _ = try await DaemonConfiguration.read(flags: flags, environment: environment, userID: userID)
            return nil
        } catch {
            #expect(error.code == .configuration)
            return error.message
        }
    }

    private func file(_ folder: TemporaryFolder, _ text: String) throws -> String {
        let path = folder.path("c.json")
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    @Test func defaultsAreTheContracts() async throws {
        let configuration = try await self.read()
        #expect(configuration.socketMode == 0o660)
        #expect(configuration.socketGroup == nil)
        #expect(configuration.access == nil)
        #expect(configuration.logLevel == .info)
        #expect(configuration.drainSeconds == 10)
        #expect(configuration.clockSkewSeconds == 300)
        #expect(configuration.metricsFile == nil)
        #expect(configuration.eventLoopCount >= 1)
    }

    /// Which source wins, for each number of sources that speak.
    @Test(arguments: [
        (["flag", "variable", "file", "service", "default"], "/flag.sock", "/flag"),
        (["variable", "file", "service", "default"], "/variable.sock", "/variable"),
        (["file", "service", "default"], "/file.sock", "/file"),
        (["service", "default"], "/service/rollcall.sock", "/state"),
        (["default"], "/run/rollcall/rollcall.sock", "/var/lib/rollcall"),
    ])
    func theFirstSourceThatSpeaksWins(speaking: [String], socket: String, data: String) async throws {
        let folder = try TemporaryFolder()
        var flags = DaemonFlags()
        var environment: [String: String] = [:]
        if speaking.contains("flag") {
            flags.socket = "/flag.sock"
            flags.data = "/flag"
        }
        if speaking.contains("variable") {
            environment["ROLLCALL_SOCKET"] = "/variable.sock"
            environment["ROLLCALL_DATA"] = "/variable"
        }
        if speaking.contains("file") {
            flags.config = try self.file(folder, #"{"socket": "/file.sock", "data": "/file"}"#)
        }
        if speaking.contains("service") {
            environment["RUNTIME_DIRECTORY"] = "/service:/other"
            environment["STATE_DIRECTORY"] = "/state"
        }
        let configuration = try await self.read(flags: flags, environment)
        #expect(configuration.socketPath == socket)
        #expect(configuration.dataFolder == data)
    }

    @Test(
        arguments: [
            ([:], nil, nil),
            (["HOME": "/home/ada"], nil, "/home/ada/.local/state/rollcall"),
            (
                ["HOME": "/home/ada", "XDG_RUNTIME_DIR": "/run/user/7", "XDG_STATE_HOME": "/s"],
                "/run/user/7/rollcall/rollcall.sock", "/s/rollcall"
            ),
            (["HOME": "/home/ada", "XDG_STATE_HOME": "relative"], nil, "/home/ada/.local/state/rollcall"),
        ] as [([String: String], String?, String?)])
    func aUsersPlacesComeFromTheSession(environment: [String: String], socket: String?, data: String?) {
        let defaults = Setting.defaults(environment, userID: 1_000)
        #expect(defaults[.socket] == socket)
        #expect(defaults[.data] == data)
    }

    @Test func everySettingIsReadFromTheFile() async throws {
        let folder = try TemporaryFolder()
        var flags = DaemonFlags()
        flags.config = try self.file(
            folder,
            """
            {"socket": "/s", "socket_mode": "0600", "socket_group": "staff", "data": "/d", "log_level": "debug",
             "access": ["user:1=reader@lab,shop", "everyone=admin"], "drain_seconds": 3, "event_loops": 5,
             "clock_skew_seconds": 7, "metrics_file": "/m.prom"}
            """
        )
        let configuration = try await self.read(flags: flags)
        #expect(configuration.socketPath == "/s")
        #expect(configuration.socketMode == 0o600)
        #expect(configuration.socketGroup == "staff")
        #expect(configuration.dataFolder == "/d")
        #expect(configuration.access?.map(\.text) == ["user:1=reader@lab,shop", "everyone=admin"])
        #expect(configuration.logLevel == .debug)
        #expect(configuration.drainSeconds == 3)
        #expect(configuration.eventLoopCount == 5)
        #expect(configuration.clockSkewSeconds == 7)
        #expect(configuration.metricsFile == "/m.prom")
    }

    @Test func everySettingIsReadFromTheEnvironment() async throws {
        let configuration = try await self.read([
            "ROLLCALL_SOCKET": "/s", "ROLLCALL_SOCKET_MODE": "600", "ROLLCALL_SOCKET_GROUP": "staff",
            "ROLLCALL_DATA": "/d", "ROLLCALL_ACCESS": "user:1=reader@lab,shop; everyone=admin",
            "ROLLCALL_LOG_LEVEL": "DEBUG", "ROLLCALL_DRAIN_SECONDS": "3", "ROLLCALL_EVENT_LOOPS": "5",
            "ROLLCALL_CLOCK_SKEW_SECONDS": "7", "ROLLCALL_METRICS_FILE": "/m.prom",
        ])
        #expect(configuration.socketPath == "/s")
        #expect(configuration.socketMode == 0o600)
        #expect(configuration.socketGroup == "staff")
        #expect(configuration.dataFolder == "/d")
        #expect(configuration.access?.map(\.text) == ["user:1=reader@lab,shop", "everyone=admin"])
        #expect(configuration.logLevel == .debug)
        #expect(configuration.drainSeconds == 3)
        #expect(configuration.eventLoopCount == 5)
        #expect(configuration.clockSkewSeconds == 7)
        #expect(configuration.metricsFile == "/m.prom")
    }

    @Test(arguments: [
        ("ROLLCALL_DRAIN_SECONDS", "soon", "ROLLCALL_DRAIN_SECONDS must be a whole number from 0 to 3600."),
        ("ROLLCALL_DRAIN_SECONDS", "-1", "ROLLCALL_DRAIN_SECONDS must be a whole number from 0 to 3600, not -1."),
        ("ROLLCALL_EVENT_LOOPS", "0", "ROLLCALL_EVENT_LOOPS must be a whole number from 1 to 256, not 0."),
        (
            "ROLLCALL_SOCKET_MODE", "rw",
            "ROLLCALL_SOCKET_MODE must be three or four octal digits up to 0777, such as 0660, written as text, not \"rw\"."
        ),
        (
            "ROLLCALL_LOG_LEVEL", "loud",
            "ROLLCALL_LOG_LEVEL must be one of trace, debug, info, notice, warning, error, critical, not \"loud\"."
        ),
        ("ROLLCALL_SOCKET", "", "ROLLCALL_SOCKET must be a path of 1 to 103 bytes, not \"\"."),
        (
            "ROLLCALL_ACCESS", "everyone=reader; everyone=write",
            "ROLLCALL_ACCESS: The rule \"everyone=write\" gives the role \"write\", which there is not; the nearest is \"writer\"."
        ),
        (
            "ROLLCALL_ACCESS", "user:no-such-user=reader",
            "ROLLCALL_ACCESS: The rule \"user:no-such-user=reader\" is for a user \"no-such-user\", whom this system does not know."
        ),
    ])
    func aBadVariableIsNamedWithWhatWouldBeRight(name: String, value: String, sentence: String) async {
        #expect(await self.refusal([name: value]) == sentence)
    }

    @Test func rulesOfAFlagReplaceThoseOfTheFile() async throws {
        let folder = try TemporaryFolder()
        var flags = DaemonFlags()
        flags.config = try self.file(folder, #"{"access": ["everyone=admin"]}"#)
        flags.access = ["group:0=reader", "user:1=writer"]
        #expect(try await self.read(flags: flags).access?.map(\.text) == ["group:0=reader", "user:1=writer"])
        flags.access = ["everyone"]
        #expect(
            await self.refusal(flags: flags)
                == "--access: The rule \"everyone\" has no \"=\"; one reads WHO=ROLES or WHO=ROLES@PROJECTS.")
    }

    /// Which leaves root and the daemon's own user alone, unlike no rules.
    @Test func noRulesAtAllCanBeSaid() async throws {
        let folder = try TemporaryFolder()
        var flags = DaemonFlags()
        flags.config = try self.file(folder, #"{"access": []}"#)
        #expect(try await self.read(flags: flags).access == [])
    }

    @Test func thereMayBe256RulesAndNoMore() async throws {
        var flags = DaemonFlags()
        flags.access = Array(repeating: "everyone=reader", count: 256)
        #expect(try await self.read(flags: flags).access?.count == 256)
        flags.access?.append("everyone=reader")
        #expect(
            await self.refusal(flags: flags)
                == "--access must be at most 256 rules such as group:ops=admin, in the file as an array of texts, not 257."
        )
    }

    @Test func aBadFlagIsNamedAsItWasWritten() async {
        var flags = DaemonFlags()
        flags.drainSeconds = 99_999
        #expect(await self.refusal(flags: flags) == "--drain-seconds must be a whole number from 0 to 3600, not 99999.")
    }

    @Test(arguments: [
        (
            #"{"socket_mode": 660}"#,
            #""socket_mode" in FILE must be three or four octal digits up to 0777, such as 0660, written as text."#
        ),
        (
            #"{"access": "everyone=reader"}"#,
            #""access" in FILE must be at most 256 rules such as group:ops=admin, in the file as an array of texts."#
        ),
        (
            #"{"access": ["everyone=reader@"]}"#,
            #""access" in FILE: The rule "everyone=reader@" names a project "", which must not be empty; it takes 1 to 128 of [-A-Za-z0-9_]."#
        ),
        (#"{"drain_seconds": "soon"}"#, #""drain_seconds" in FILE must be a whole number from 0 to 3600."#),
        (
            #"{"sokcet_mode": "0660"}"#,
            #"The configuration file FILE has an unknown key "sokcet_mode"; the nearest known one is "socket_mode"."#
        ),
        ("[]", "The configuration file FILE is not a JSON object of settings."),
        ("{", "The configuration file FILE is not a JSON object of settings."),
    ])
    func aBadFileIsNamedWithTheKey(text: String, sentence: String) async throws {
        let folder = try TemporaryFolder()
        let path = try self.file(folder, text)
        #expect(await self.refusal(["ROLLCALL_CONFIG": path]) == sentence.replacing("FILE", with: path))
    }

    @Test func aMissingFileIsNamed() async {
        #expect(
            await self.refusal(["ROLLCALL_CONFIG": "/nowhere/c.json"])
                == "The configuration file /nowhere/c.json cannot be read: there is no such file."
        )
    }

    @Test func aUserWithoutASessionIsAskedForTheSocket() async {
        #expect(
            await self.refusal(Self.home, userID: 1_000)
                == "Nothing says where the socket is: give --socket or ROLLCALL_SOCKET."
        )
    }
}
