import DeviceModel
import DeviceStore
import Foundation
import RollcallClient
import RollcallTesting
import Testing

/// The program itself: what an operator sees of its starts and ends.
@Suite struct ProcessTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    /// Runs a second daemon that is expected not to start.
    private func start(socket: String, data: String) async throws -> ProcessOutput {
        try await ChildProcess.run("rollcalld", ["--socket", socket, "--data", data])
    }

    private var database: String {
        self.folder.path("data/\(SQLiteStore.fileName)")
    }

    /// What a start on the present store ends with.
    private func refusedStart() async throws -> ProcessOutput {
        try await self.start(socket: self.folder.path("r.sock"), data: self.folder.path("data"))
    }

    @Test func theVersionIsPrinted() async throws {
        let output = try await ChildProcess.run("rollcalld", ["--version"])
        #expect(output.end == .exit(0))
        #expect(output.standardOutput == "\(RollcallVersion.current)\n")
    }

    @Test func theHelpFitsATerminalAndNamesEveryVariable() async throws {
        let output = try await ChildProcess.run("rollcalld", ["--help"])
        #expect(output.end == .exit(0))
        for name in ["ROLLCALL_SOCKET ", "ROLLCALL_DATA ", "ROLLCALL_CLOCK_SKEW_SECONDS ", "SIGTERM", "143"] {
            #expect(output.standardOutput.contains(name), "\(name)")
        }
        let discussion = output.standardOutput.prefix { $0 != "[" }
        #expect(discussion.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test(arguments: [["--sokcet", "x"], ["--drain-seconds", "soon"], ["--log-level", "loud"], ["stray"]])
    func aBadCommandLineEndsWith2AndASentence(arguments: [String]) async throws {
        let output = try await ChildProcess.run("rollcalld", arguments)
        #expect(output.end == .exit(2))
        #expect(output.standardOutput == "")
        #expect(output.standardError.contains("'\(arguments[0])'") || output.standardError.contains(arguments[0]))
    }

    @Test func itSaysThatItListensWhereAndOnWhat() async throws {
        try await DaemonProcess.with(in: self.folder) { daemon in
            #expect(await daemon.stop() == .exit(0))
            let lines = daemon.child.standardError.split(separator: "\n")
            let listening = try #require(lines.first)
            #expect(listening.hasSuffix("listening"))
            #expect(listening.contains("socket=\(daemon.socketPath)"))
            #expect(listening.contains("data=\(daemon.dataFolder)"))
            #expect(listening.contains("devices=0"))
            #expect(lines.last?.hasSuffix("stopped") == true)
            #expect(lines.count == 3, "\(lines)")
            #expect(!FileManager.default.fileExists(atPath: daemon.socketPath))
        }
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func aSignalDrainsAndWhatWasAcknowledgedIsThereAfterARestart(signal: Int32) async throws {
        let acknowledged = try await DaemonProcess.with(in: self.folder) { daemon in
            let client = try await RollcallClient.connect(address: daemon.socketPath)
            let acknowledged = await withTaskGroup(of: String?.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let serial = "D\(index)"
                        do throws(RollcallError) {
                            _ = try await client.createDevice(serial, ownerRef: "ada", hardwareVersion: "h1")
                            return serial
                        } catch {
                            // Refused by the drain, or the connection went first; nothing else is allowed.
                            #expect(error.code == .unavailable, "\(error)")
                            return nil
                        }
                    }
                }
                var serials: [String] = []
                for await serial in group {
                    if serials.isEmpty {
                        daemon.child.signal(signal)
                    }
                    serials += [serial].compactMap(\.self)
                }
                return serials
            }
            #expect(await daemon.child.end() == .exit(0))
            await client.close()
            return acknowledged
        }
        #expect(!acknowledged.isEmpty)
        try await DaemonProcess.with(in: self.folder) { daemon in
            let client = try await RollcallClient.connect(address: daemon.socketPath)
            for serial in acknowledged {
                #expect(try await client.getDevice(serial).deviceSerial == serial)
            }
            await client.close()
        }
    }

    /// Both signals are pending when the stopped process goes on, so that the second comes whatever the first has done.
    @Test func aSecondSignalEndsItAtOnce() async throws {
        try await DaemonProcess.with(in: self.folder) { daemon in
            daemon.child.signal(SIGSTOP)
            daemon.child.signal(SIGTERM)
            daemon.child.signal(SIGINT)
            daemon.child.signal(SIGCONT)
            let end = await daemon.child.end()
            #expect([.exit(128 + SIGTERM), .exit(128 + SIGINT)].contains(end))
        }
    }

    @Test func theSecondOfTwoDaemonsOnOneSocketRefuses() async throws {
        try await DaemonProcess.with(in: self.folder) { daemon in
            let output = try await self.start(socket: daemon.socketPath, data: self.folder.path("other"))
            #expect(output.end == .exit(1))
            #expect(
                output.standardError
                    == "rollcalld: The socket \(daemon.socketPath) belongs to another daemon, process \(daemon.child.processID).\n"
            )
            #expect(!FileManager.default.fileExists(atPath: self.folder.path("other")))
            let client = try await RollcallClient.connect(address: daemon.socketPath)
            _ = try await client.serverInfo()
            await client.close()
        }
    }

    @Test func theSecondOfTwoDaemonsOnOneDataFolderRefuses() async throws {
        try await DaemonProcess.with(in: self.folder) { daemon in
            let output = try await self.start(socket: self.folder.path("o.sock"), data: daemon.dataFolder)
            #expect(output.end == .exit(1))
            #expect(output.standardError.contains(daemon.dataFolder))
            #expect(output.standardError.contains("\(daemon.child.processID)"))
            #expect(output.standardError.split(separator: "\n").count == 1)
            #expect(!FileManager.default.fileExists(atPath: self.folder.path("o.sock")))
        }
    }

    @Test func aSocketThatAKilledDaemonLeftIsReplaced() async throws {
        try await DaemonProcess.with(in: self.folder) { daemon in
            daemon.child.signal(SIGKILL)
            #expect(await daemon.child.end() == .signal(SIGKILL))
            #expect(FileManager.default.fileExists(atPath: daemon.socketPath))
        }
        try await DaemonProcess.with(in: self.folder) { daemon in
            #expect(await daemon.stop() == .exit(0))
        }
    }

    @Test func aStoreOfANewerVersionIsRefusedUntouched() async throws {
        try await DaemonProcess.with(in: self.folder) { _ = await $0.stop() }
        var bytes = try Data(contentsOf: URL(filePath: self.database))
        // SQLite keeps user_version at offset 60, big-endian (https://www.sqlite.org/fileformat2.html).
        bytes.replaceSubrange(60..<64, with: [0, 0, 3, 231])
        try bytes.write(to: URL(filePath: self.database))
        let output = try await self.refusedStart()
        #expect(output.end == .exit(1))
        #expect(output.standardError.contains(self.database))
        #expect(output.standardError.contains("newer"))
        #expect(try Data(contentsOf: URL(filePath: self.database)) == bytes)
    }

    @Test func theWALOfADatabaseThatIsGoneIsRefusedUntouched() async throws {
        try await DaemonProcess.with(in: self.folder) { daemon in
            let client = try await RollcallClient.connect(address: daemon.socketPath)
            _ = try await client.createDevice("D1", ownerRef: "ada", hardwareVersion: "h1")
            daemon.child.signal(SIGKILL)
            #expect(await daemon.child.end() == .signal(SIGKILL))
            await client.close()
        }
        let database = try Data(contentsOf: URL(filePath: self.database))
        let log = try Data(contentsOf: URL(filePath: self.database + "-wal"))
        #expect(!log.isEmpty)
        try FileManager.default.removeItem(atPath: self.database)
        let output = try await self.refusedStart()
        #expect(output.end == .exit(1))
        #expect(output.standardError.contains(self.database + "-wal"))
        #expect(!FileManager.default.fileExists(atPath: self.database))
        #expect(try Data(contentsOf: URL(filePath: self.database + "-wal")) == log)
        // Put back, the file and its WAL are the store that they were.
        try database.write(to: URL(filePath: self.database))
        try await DaemonProcess.with(in: self.folder) { daemon in
            let client = try await RollcallClient.connect(address: daemon.socketPath)
            #expect(try await client.getDevice("D1").deviceSerial == "D1")
            await client.close()
        }
    }

    @Test func aFileThatIsNoStoreIsRefusedUntouched() async throws {
        let bytes = Data((0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try FileManager.default.createDirectory(
            atPath: self.folder.path("data"), withIntermediateDirectories: true
        )
        try bytes.write(to: URL(filePath: self.database))
        let output = try await self.refusedStart()
        #expect(output.end == .exit(1))
        #expect(output.standardError.contains(self.database))
        #expect(try Data(contentsOf: URL(filePath: self.database)) == bytes)
        #expect(!FileManager.default.fileExists(atPath: self.folder.path("r.sock")))
    }

    /// A process that may have 64 descriptors runs out of them long before its limit of connections.
    @Test func withoutDescriptorsItWaitsAndServesAgainLater() async throws {
        let socketPath = self.folder.path("r.sock")
        let script = "ulimit -n 64; exec \"$0\" --socket '\(socketPath)' --data '\(self.folder.path("data"))'"
        try await ChildProcess.with("/bin/sh", ["-c", script, ChildProcess.path(of: "rollcalld")]) { child in
            var connections: [RawConnection] = []
            let deadline = Date(timeIntervalSinceNow: 60)
            while connections.count < 100, Date() < deadline, child.isRunning {
                if let connection = RawConnection(socketPath) {
                    connections.append(connection)
                } else {
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            #expect(connections.count == 100)
            while !child.standardError.contains("accept failed"), Date() < deadline, child.isRunning {
                try await Task.sleep(for: .milliseconds(2))
            }
            for connection in connections {
                connection.close()
            }
            let client = try await RollcallClient.connect(address: socketPath)
            _ = try await client.serverInfo()
            await client.close()
            child.signal(SIGTERM)
            #expect(await child.end() == .exit(0))
        }
    }
}
