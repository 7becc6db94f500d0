import DeviceModel
import Foundation
import RollcallTesting
import Testing

@testable import DeviceStore

@Suite struct RestoreTests {
    /// A backup, and what is in it.
    private struct Backup {
        let folder = TemporaryFolder()
        let contents: StoreContents
        let head: StoreHead

        var path: String { self.folder.path + "/backup" }

        /// Of a store whose last batches are in the log alone.
        init(seed: UInt64) throws {
            let store = try SQLiteStore(folder: self.folder.path + "/source", options: .quiet)
            defer { store.close() }
            var history = try store.history(seed: seed)
            for _ in 0..<60 { try store.commit(history.batch()) }
            try store.settle()
            for _ in 0..<20 { try store.commit(history.batch()) }
            self.contents = history.contents
            self.head = try store.head()
            let snapshot = try #require(try store.snapshot { true })
            var bytes = [UInt8](repeating: 0, count: Int(snapshot.byteCount))
            #expect(try bytes.withUnsafeMutableBytes { try snapshot.read(at: 0, into: $0) } == bytes.count)
            try Data(bytes).write(to: URL(fileURLWithPath: self.path))
        }

        func bytes() throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: self.path))
        }

        func write(_ bytes: Data) throws {
            try bytes.write(to: URL(fileURLWithPath: self.path))
        }

        /// Changes something in the backup with SQL.
        func execute(_ sql: String) throws {
            let connection = try Connection(path: self.path, .init(label: "test"))
            try connection.perform { () throws(SQLiteFailure) in try connection.execute(sql) }
            try connection.close()
        }
    }

    private func failure(
        restoring path: String, to folder: TemporaryFolder, replacing: Bool = false
    ) -> StoreError? {
        do {
            _ = try SQLiteStore.restore(path, to: folder.path, replacing: replacing)
            return nil
        } catch {
            return error
        }
    }

    @Test func aBackupBecomesAStoreWithAHistoryOfItsOwn() throws {
        let (backup, folder) = (try Backup(seed: 81), TemporaryFolder())
        let before = try backup.bytes()
        let restored = try SQLiteStore.restore(backup.path, to: folder.path + "/new", replacing: false)
        #expect(restored.deviceCount == backup.contents.devices.count)
        #expect(restored.revision == backup.head.highWaterMarks.revision)
        #expect(restored.formerStoreID == backup.head.storeID && restored.storeID != backup.head.storeID)
        #expect(restored.replacedPath == nil)
        #expect(try backup.bytes() == before)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/new").sorted()
        #expect(names == ["rollcall.lock", "rollcall.sqlite"])
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/new/rollcall.sqlite")
        #expect(attributes[.posixPermissions] as? Int == 0o600)

        let store = try SQLiteStore(folder: folder.path + "/new")
        defer { store.close() }
        var head = backup.head
        head.storeID = restored.storeID
        #expect(try store.head() == head)
        #expect(try store.contents() == backup.contents)
        var history = HistoryGenerator(
            seed: 82, contents: backup.contents, marks: head.highWaterMarks, sequence: head.sequence)
        try store.commit(history.batch())
        #expect(try store.contents() == history.contents)
    }

    @Test func eachRestoreBeginsAnotherHistory() throws {
        let backup = try Backup(seed: 83)
        let ids = try (0..<3).map { _ in
            try SQLiteStore.restore(backup.path, to: TemporaryFolder().path, replacing: false).storeID
        }
        #expect(Set(ids + [backup.head.storeID]).count == 4)
    }

    // MARK: The folder

    @Test func aStoreThatIsThereIsRefusedAndUntouched() throws {
        let (backup, folder) = (try Backup(seed: 84), TemporaryFolder())
        try SQLiteStore(folder: folder.path).close()
        let before = try folder.files()
        let failure = try #require(self.failure(restoring: backup.path, to: folder))
        #expect(failure.code == .failed && failure.message.contains("--force"))
        #expect(try folder.files() == before)
    }

    /// With it goes the WAL, in which the last batches are.
    @Test func aStoreThatIsThereIsMovedAsideWhole() throws {
        let (backup, former) = (try Backup(seed: 85), TemporaryFolder())
        let running = try SQLiteStore(folder: former.path, options: .quiet)
        var history = try running.history(seed: 86)
        for _ in 0..<10 { try running.commit(history.batch()) }
        let folder = try former.copy()
        running.close()

        var replaced: [String] = []
        for number in 1...3 {
            let restored = try SQLiteStore.restore(backup.path, to: folder.path, replacing: true)
            replaced.append(try #require(restored.replacedPath))
            let store = try SQLiteStore(folder: folder.path)
            #expect(try store.contents() == backup.contents, "restore \(number)")
            store.close()
        }
        #expect(Set(replaced).count == 3)
        let first = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: first.path, withIntermediateDirectories: true)
        for suffix in ["", "-wal"] {
            try FileManager.default.moveItem(atPath: replaced[0] + suffix, toPath: first.database + suffix)
        }
        let store = try SQLiteStore(folder: first.path)
        defer { store.close() }
        #expect(try store.contents() == history.contents)
    }

    @Test func theStoresOwnFileMayBeRestored() throws {
        let (backup, folder) = (try Backup(seed: 87), TemporaryFolder())
        let first = try SQLiteStore.restore(backup.path, to: folder.path, replacing: false)
        let second = try SQLiteStore.restore(folder.database, to: folder.path, replacing: true)
        #expect(second.formerStoreID == first.storeID && second.storeID != first.storeID)
    }

    @Test func aFolderInUseIsRefused() throws {
        let (backup, folder) = (try Backup(seed: 88), TemporaryFolder())
        let store = try SQLiteStore(folder: folder.path)
        defer { store.close() }
        let failure = try #require(self.failure(restoring: backup.path, to: folder, replacing: true))
        #expect(failure.code == .locked)
        #expect(failure.message.contains("process \(ProcessInfo.processInfo.processIdentifier)"))
    }

    @Test func aRestoreThatWasBrokenOffKeepsAnEmptyStoreFromTakingItsPlace() throws {
        let (backup, folder) = (try Backup(seed: 89), TemporaryFolder())
        try SQLiteStore(folder: folder.path).close()
        let draft = folder.database + ".restoring"
        try Data("half".utf8).write(to: URL(fileURLWithPath: draft))
        // Beside a store it is in nobody's way.
        try SQLiteStore(folder: folder.path).close()
        #expect(!FileManager.default.fileExists(atPath: draft))

        try Data("half".utf8).write(to: URL(fileURLWithPath: draft))
        try FileManager.default.removeItem(atPath: folder.database)
        do {
            _ = try SQLiteStore(folder: folder.path)
            Issue.record("the store opened")
        } catch {
            #expect(error.code == .failed && error.message.contains(draft), "\(error)")
        }
        #expect(self.failure(restoring: draft, to: folder)?.code == .corrupt)
        #expect(self.failure(restoring: backup.path, to: folder) == nil)
        let store = try SQLiteStore(folder: folder.path)
        defer { store.close() }
        #expect(try store.contents() == backup.contents)
    }

    // MARK: The file

    /// Restoring must fail with `code` in a sentence that names the file, once into an empty folder, which stays empty, and once
    /// in the place of a store, which stays as it is.
    private func expectRefusal(
        _ code: StoreError.Code, of path: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let (empty, full) = (TemporaryFolder(), TemporaryFolder())
        try SQLiteStore(folder: full.path).close()
        try FileManager.default.createDirectory(atPath: empty.path, withIntermediateDirectories: true)
        for folder in [empty, full] {
            let before = try folder.files()
            let failure = self.failure(restoring: path, to: folder, replacing: true)
            #expect(failure?.code == code, "\(String(describing: failure))", sourceLocation: sourceLocation)
            #expect(failure?.message.contains(path) == true, sourceLocation: sourceLocation)
            #expect(try folder.files() == before, sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [0, 1, 99, 100, 4_096, 20_480, -1, -4_096]) func aFileThatIsCutShortIsRefused(
        byteCount: Int
    ) throws {
        let backup = try Backup(seed: 90)
        let bytes = try backup.bytes()
        try backup.write(bytes.prefix(byteCount < 0 ? bytes.count + byteCount : byteCount))
        try self.expectRefusal(.corrupt, of: backup.path)
    }

    @Test func aFileThatHasGrownIsRefused() throws {
        let backup = try Backup(seed: 91)
        try backup.write(try backup.bytes() + Data(repeating: 0, count: 4_096))
        try self.expectRefusal(.corrupt, of: backup.path)
    }

    /// Each page in turn is overwritten, but for those that nothing lies in.
    @Test func overwrittenPagesAreRefused() throws {
        let backup = try Backup(seed: 92)
        let bytes = try backup.bytes()
        for page in 1..<min(12, bytes.count / 4_096) {
            var damaged = bytes
            damaged.replaceSubrange(page * 4_096..<(page + 1) * 4_096, with: Data(repeating: 0x5A, count: 4_096))
            try backup.write(damaged)
            try self.expectRefusal(.corrupt, of: backup.path)
        }
    }

    @Test(arguments: [
        "UPDATE change_log SET record = x'0102' WHERE revision = (SELECT folded_through + 3 FROM head)",
        "DELETE FROM head",
        "PRAGMA application_id = 7",
    ])
    func contentsThatNoStoreHasAreRefused(sql: String) throws {
        let backup = try Backup(seed: 93)
        try backup.execute(sql)
        try self.expectRefusal(.corrupt, of: backup.path)
    }

    @Test func aNewerVersionIsRefused() throws {
        let backup = try Backup(seed: 94)
        try backup.execute("PRAGMA user_version = 99")
        try self.expectRefusal(.newerVersion, of: backup.path)
    }

    @Test func whatIsNoFileIsRefused() throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try #require(mkfifo(folder.path + "/pipe", 0o600) == 0)
        for path in [folder.path, folder.path + "/pipe", folder.path + "/none", "/dev/null"] {
            try self.expectRefusal(.failed, of: path)
        }
    }

    /// A copy of a database that is in use lacks what is in its WAL.
    @Test func aPartOfADatabaseIsRefused() throws {
        let backup = try Backup(seed: 95)
        try Data("more".utf8).write(to: URL(fileURLWithPath: backup.path + "-wal"))
        try self.expectRefusal(.corrupt, of: backup.path)
    }
}
