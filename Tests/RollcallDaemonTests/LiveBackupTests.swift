// Backups of the real daemon, and what becomes of them.

import DeviceModel
import DeviceStore
import Foundation
import RollcallClient
import RollcallTesting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct LiveBackupTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func backUp(_ daemon: DaemonProcess, _ words: [String]) async throws -> ProcessOutput {
        try await ChildProcess.run("rollcall", ["server", "backup", "--address", daemon.socketPath] + words)
    }

    private func restore(_ file: String, to folder: String, _ words: [String] = []) async throws -> ProcessOutput {
        try await ChildProcess.run("rollcalld", ["--restore", file, "--data", folder] + words)
    }

    /// `name=value` of a line.
    private func value(_ name: String, in line: String) -> String? {
        line.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("\(name)=") }
            .map { String($0.dropFirst(name.count + 1)) }
    }

    private func digest(of path: String) throws -> String {
        var digest = SHA256()
        digest.update(try Data(contentsOf: URL(filePath: path)))
        return digest.digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // MARK: Under load

    /// What was acknowledged: serials with the request ids that they were created under.
    private final class Load: Sendable {
        private let state = Mutex((created: [String: UUID](), isOver: false))

        var created: [String: UUID] { self.state.withLock { $0.created } }

        func end() { self.state.withLock { $0.isOver = true } }

        /// Creates devices and checks them in until it is over.
        func run(_ worker: Int, _ client: RollcallClient) async throws {
            var number = 0
            while !self.state.withLock({ $0.isOver }) {
                number += 1
                let (serial, id) = ("W\(worker)-\(number)", UUID())
                _ = try await client.createDevice(serial, ownerRef: "ada", hardwareVersion: "h1", requestID: id)
                _ = try await client.checkIn(serial, release: (version: "1.\(number % 5)", revision: ""))
                self.state.withLock { $0.created[serial] = id }
            }
        }
    }

    /// What a caller keeps of a store, and what is refused by another one.
    private struct Kept: Sendable {
        var query: ListQuery
        var bookmark: Bookmark
        var etag: String
        var info: ServerInfo
        var acknowledged: [String: UUID]
    }

    private func keep(_ client: RollcallClient, _ load: Load) async throws -> Kept {
        try await poll { load.created.count >= 40 }
        var query = ListQuery()
        query.pageSize = 10
        query.position = .token(try await client.listDevices(query).nextPageToken)
        let info = try await client.serverInfo()
        let bookmark = Bookmark(storeID: try #require(UUID(uuidString: info.storeID)), revision: info.revision)
        let etag = try await client.getDevice("W0-1").etag
        return Kept(query: query, bookmark: bookmark, etag: etag, info: info, acknowledged: load.created)
    }

    /// A backup is taken while devices are created, and holds every one that was acknowledged before it began.
    @Test func whatWasAcknowledgedBeforeABackupUnderLoadIsThereAfterTheRestore() async throws {
        let file = self.folder.path("backup.sqlite")
        let kept = try await DaemonProcess.with(in: self.folder) { daemon in
            try await daemon.withClient { client in
                let load = Load()
                return try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<4 { group.addTask { try await load.run(worker, client) } }
                    let kept = try await self.keep(client, load)
                    let output = try await self.backUp(daemon, [file])
                    #expect(output.end == .exit(0), "\(output.standardError)")
                    // Commits go on.
                    let count = load.created.count
                    try await poll { load.created.count > count }
                    load.end()
                    try await group.waitForAll()
                    return kept
                }
            }
        }
        let target = try TemporaryFolder()
        let output = try await self.restore(file, to: target.path("data"))
        #expect(output.end == .exit(0), "\(output.standardError)")
        #expect(self.value("former_store_id", in: output.standardOutput) == kept.info.storeID)
        let deviceCount = try #require(self.value("devices", in: output.standardOutput).flatMap { Int64($0) })
        #expect(deviceCount >= Int64(kept.acknowledged.count))
        try await DaemonProcess.with(in: target) { daemon in
            try await daemon.withClient { client in
                let info = try await client.serverInfo()
                #expect(info.storeID == self.value("store_id", in: output.standardOutput))
                #expect(info.storeID != kept.info.storeID)
                #expect(self.value("revision", in: output.standardOutput) == "\(info.revision)")
                #expect(info.revision >= kept.info.revision)
                #expect(try await client.countDevices().count == deviceCount)
                for serial in kept.acknowledged.keys {
                    let device = try await client.getDevice(serial)
                    #expect(device.ownerRef == "ada" && device.lastSeenRelease != nil, "\(serial)")
                }
                try await self.expectRefusals(of: kept, client)
                try await self.expectMemory(of: kept, client)
            }
        }
    }

    /// What a caller kept of the former store is refused, each in its way.
    private func expectRefusals(of kept: Kept, _ client: RollcallClient) async throws {
        try await expect(.badFields(["page_token"], "PAGE_TOKEN_INVALID")) { try await client.listDevices(kept.query) }
        try await expect(.init(.outOfRange, "REVISION_OUT_OF_RANGE")) {
            try await client.watchDevices(from: kept.bookmark) { events in
                for try await _ in events { return }
            }
        }
        try await expect(.init(.aborted, "ETAG_STALE", resource: "Device W0-1")) {
            try await client.updateDevice("W0-1", ownerRef: "bob", etag: kept.etag)
        }
    }

    /// What took place before the backup takes place once, as before.
    private func expectMemory(of kept: Kept, _ client: RollcallClient) async throws {
        let (serial, id) = try #require(kept.acknowledged.first)
        let device = try await client.getDevice(serial)
        let again = try await client.createDevice(serial, ownerRef: "ada", hardwareVersion: "h1", requestID: id)
        #expect(again == device)
    }

    // MARK: Protocols

    @Test(arguments: TestProtocol.allCases) func aBackupIsTheSameOverBothProtocols(wire: TestProtocol) async throws {
        let (file, target) = (self.folder.path("backup.sqlite"), self.folder.path("restored"))
        try await DaemonProcess.with(in: self.folder) { daemon in
            try await daemon.withClient(wire) { client in
                for number in 1...50 {
                    _ = try await client.createDevice("A-\(number)", ownerRef: "ada", hardwareVersion: "h1")
                }
                let bytes = Mutex(Data())
                let summary = try await client.backup { part in
                    bytes.withLock { $0 += part.bytes }
                }
                #expect(summary.revision == 50)
                #expect(summary.storeID.uuidString.lowercased() == (try await client.serverInfo().storeID))
                try bytes.withLock { $0 }.write(to: URL(filePath: file))
            }
        }
        let restored = try SQLiteStore.restore(file, to: target, replacing: false)
        #expect(restored.deviceCount == 50 && restored.revision.rawValue == 50)
    }

    /// Whoever goes away in the middle keeps nobody from making a backup, and leaves nothing in the data folder.
    @Test(arguments: TestProtocol.allCases) func aCallerThatGoesAwayEndsItsBackup(wire: TestProtocol) async throws {
        struct Gone: Error {}
        try await DaemonProcess.with(in: self.folder) { daemon in
            await #expect(throws: Gone.self) {
                try await daemon.withClient(wire) { client in
                    _ = try await client.backup { _ in throw Gone() }
                }
            }
            try await daemon.withClient(wire) { client in
                try await poll {
                    do {
                        return try await client.backup { _ in }.byteCount > 0
                    } catch {
                        guard (error as? RollcallError)?.reason == "LIMIT_EXCEEDED" else { throw error }
                        return false
                    }
                }
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: daemon.dataFolder)
            #expect(!names.contains { $0.contains("copy") }, "\(names)")
        }
    }

    // MARK: The programs

    @Test func aBackupIsAFileOfItsOwnerThatIsWhatItSays() async throws {
        let (file, other) = (self.folder.path("backup.sqlite"), self.folder.path("other"))
        try await DaemonProcess.with(in: self.folder) { daemon in
            let output = try await self.backUp(daemon, [file])
            #expect(output.end == .exit(0), "\(output.standardError)")
            #expect(output.standardOutput.isEmpty)
            let line = output.standardError
            #expect(line.hasPrefix("backed up: bytes=") && line.split(separator: "\n").count == 1)
            #expect(self.value("sha256", in: line) == (try self.digest(of: file)))
            let attributes = try FileManager.default.attributesOfItem(atPath: file)
            #expect(self.value("bytes", in: line) == "\(try #require(attributes[.size] as? Int))")
            #expect(self.value("revision", in: line) == "0")
            #expect(attributes[.posixPermissions] as? Int == 0o600)

            // Nothing that is there is replaced unless that is asked for.
            try Data("mine".utf8).write(to: URL(filePath: file))
            let refused = try await self.backUp(daemon, [file])
            #expect(refused.end == .exit(2))
            #expect(refused.standardError == "Error: \(file) is there already; give --force to replace it.\n")
            #expect(try Data(contentsOf: URL(filePath: file)) == Data("mine".utf8))
            try Data("mine".utf8).write(to: URL(filePath: other + ".partial"))
            let unfinished = try await self.backUp(daemon, [other, "--force"])
            #expect(unfinished.end == .exit(2) && unfinished.standardError.contains(other + ".partial"))
            #expect(try Data(contentsOf: URL(filePath: other + ".partial")) == Data("mine".utf8))
            try FileManager.default.removeItem(atPath: other + ".partial")
            try FileManager.default.createSymbolicLink(atPath: other, withDestinationPath: file)
            let linked = try await self.backUp(daemon, [other, "--force"])
            #expect(linked.end == .exit(2))
            #expect(try Data(contentsOf: URL(filePath: file)) == Data("mine".utf8))
            for words in [["-"], [""], [self.folder.path("no/folder")], [self.folder.path]] {
                #expect(try await self.backUp(daemon, words).end == .exit(2), "\(words)")
            }
            let forced = try await self.backUp(daemon, [file, "--force"])
            #expect(forced.end == .exit(0))
            #expect(self.value("sha256", in: forced.standardError) == (try self.digest(of: file)))
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: self.folder.path)
        // The daemon was killed, and left its socket.
        #expect(names.filter { !$0.hasPrefix("r.sock") }.sorted() == ["backup.sqlite", "data", "other"])
    }

    @Test func aBackupThatIsRefusedLeavesNoFile() async throws {
        let store = FailingStore(MemoryStore())
        store.failSnapshots(next: 1)
        let file = self.folder.path("backup.sqlite")
        try await DaemonHarness.with(in: self.folder, store: store) { harness in
            let words = ["server", "backup", file, "--address", harness.socketPath]
            let refused = try await ChildProcess.run("rollcall", words)
            #expect(refused.end == .exit(1))
            #expect(
                refused.standardError
                    == "rollcall: The backup cannot be made: no space for a copy of the test's store; free some.\n")
            let names = try FileManager.default.contentsOfDirectory(atPath: self.folder.path)
            #expect(!names.contains { $0.hasPrefix("backup") }, "\(names)")
            #expect(try await ChildProcess.run("rollcall", words).end == .exit(0))
        }
    }

    @Test func aRestoreNeedsAFolderThatNobodyHasAndAFileThatIsWhole() async throws {
        let (file, data) = (self.folder.path("backup.sqlite"), self.folder.path("data"))
        try await DaemonProcess.with(in: self.folder) { daemon in
            #expect(try await self.backUp(daemon, [file]).end == .exit(0))
            for words in [[], ["--force"]] {
                let output = try await self.restore(file, to: data, words)
                #expect(output.end == .exit(1))
                #expect(output.standardError.contains("(process \(daemon.child.processID))"), "\(output.standardError)")
            }
            #expect(await daemon.stop() == .exit(0))
        }
        let there = try await self.restore(file, to: data)
        #expect(there.end == .exit(1))
        #expect(
            there.standardError
                == "rollcalld: there is a store in \(data) already; give --force to have it moved aside\n")
        let forced = try await self.restore(file, to: data, ["--force"])
        #expect(forced.end == .exit(0), "\(forced.standardError)")
        let lines = forced.standardOutput.split(separator: "\n")
        #expect(lines.count == 2 && lines[1].hasPrefix("restored: devices=0 revision=0 store_id="))
        let moved = try #require(lines.first?.trimmingPrefix("moved aside: "))
        #expect(FileManager.default.fileExists(atPath: String(moved)))

        let bytes = try Data(contentsOf: URL(filePath: file))
        try bytes.dropLast(1).write(to: URL(filePath: file))
        let damaged = try await self.restore(file, to: self.folder.path("new"))
        #expect(damaged.end == .exit(1))
        #expect(damaged.standardError.contains(file) && damaged.standardOutput.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: self.folder.path("new/\(SQLiteStore.fileName)")))
        #expect(try await ChildProcess.run("rollcalld", ["--force"]).end == .exit(2))
        // Where the socket is does not matter.
        try bytes.write(to: URL(filePath: file))
        let state = self.folder.path("state")
        let alone = try await ChildProcess.run(
            "rollcalld", ["--restore", file], environment: ["STATE_DIRECTORY": state])
        #expect(alone.end == .exit(0), "\(alone.standardError)")
        #expect(FileManager.default.fileExists(atPath: "\(state)/\(SQLiteStore.fileName)"))
    }
}
