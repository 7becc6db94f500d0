import DeviceModel
import Foundation
import RollcallTesting
import Synchronization
import Testing

@testable import DeviceStore

@Suite struct StoreFaultTests {
    // MARK: Files that are not for this program

    /// A closed store with something in it.
    private func filledFolder(seed: UInt64) throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        let store = try SQLiteStore(folder: folder.path)
        var history = try store.history(seed: seed)
        for _ in 0..<100 { try store.commit(history.batch()) }
        store.close()
        return folder
    }

    /// A copy of a store whose rows lie in the database and whose last batches lie in the WAL alone.
    private func splitFolder(seed: UInt64, sql: String? = nil) throws -> TemporaryFolder {
        let folder = try self.filledFolder(seed: seed)
        let store = try SQLiteStore(folder: folder.path, options: .quiet)
        var history = HistoryGenerator(
            seed: seed + 1_000, contents: try store.contents(), marks: try store.head().highWaterMarks,
            sequence: try store.head().sequence)
        for _ in 0..<5 { try store.commit(history.batch()) }
        if let sql {
            let connection = try Connection(path: folder.database, .init(label: "test"))
            try connection.perform { () throws(SQLiteFailure) in try connection.execute(sql) }
            try connection.close()
        }
        let copy = try folder.copy()
        store.close()
        return copy
    }

    /// Opening or loading must fail with `code` in a sentence that names the file, and must change no byte of it, add
    /// no file and tell of nothing else.
    private func expectRefusal(
        _ code: StoreError.Code, of folder: TemporaryFolder, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try folder.files()
        let failures = Mutex<[String]>([])
        var options = SQLiteStore.Options()
        options.foldDelayMilliseconds = 0
        options.onBackgroundFailure = { error in failures.withLock { $0.append("\(error)") } }
        do {
            let store = try SQLiteStore(folder: folder.path, options: options)
            defer { store.close() }
            // Damage beyond the first pages shows when they are read.
            _ = try store.contents()
            Issue.record("the store opened", sourceLocation: sourceLocation)
        } catch {
            #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
            #expect(error.message.contains(folder.database), sourceLocation: sourceLocation)
            if code == .corrupt {
                #expect(error.message.contains("\(folder.database)-"), "\(error)", sourceLocation: sourceLocation)
            }
        }
        #expect(try folder.files() == before, sourceLocation: sourceLocation)
        #expect(failures.withLock { $0 } == [], sourceLocation: sourceLocation)
    }

    @Test func aNewerVersionIsRefusedAndUntouched() throws {
        let folder = try self.filledFolder(seed: 31)
        let connection = try Connection(path: folder.database, .init(label: "test"))
        try connection.perform { () throws(SQLiteFailure) in try connection.execute("PRAGMA user_version = 99") }
        try connection.close()
        try self.expectRefusal(.newerVersion, of: folder)
    }

    @Test func aNewerVersionInTheWALAloneIsRefusedAndUntouched() throws {
        let folder = try self.filledFolder(seed: 32)
        let connection = try Connection(path: folder.database, .init(label: "test"))
        try connection.perform { () throws(SQLiteFailure) in try connection.execute("PRAGMA user_version = 99") }
        let copy = try folder.copy()
        try connection.close()
        try self.expectRefusal(.newerVersion, of: copy)
    }

    @Test(arguments: [0, 1, 99, 100, 5_000]) func garbageIsRefusedAndUntouched(byteCount: Int) throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try Data(repeating: 0x5A, count: byteCount).write(to: URL(fileURLWithPath: folder.database))
        try self.expectRefusal(.corrupt, of: folder)
    }

    @Test func anotherProgramsDatabaseIsRefusedAndUntouched() throws {
        let folder = try self.filledFolder(seed: 33)
        let connection = try Connection(path: folder.database, .init(label: "test"))
        try connection.perform { () throws(SQLiteFailure) in try connection.execute("PRAGMA application_id = 7") }
        try connection.close()
        try self.expectRefusal(.corrupt, of: folder)
    }

    @Test(arguments: [100, 4_096, 20_480]) func aTruncatedFileIsRefusedAndUntouched(byteCount: Int) throws {
        let folder = try self.filledFolder(seed: 34)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.database))
        try #require(bytes.count > byteCount)
        try bytes.prefix(byteCount).write(to: URL(fileURLWithPath: folder.database))
        try self.expectRefusal(.corrupt, of: folder)
    }

    @Test func aMalformedRecordIsRefusedAndUntouched() throws {
        let sql = "UPDATE change_log SET record = x'0102' WHERE revision = (SELECT folded_through + 3 FROM head)"
        try self.expectRefusal(.corrupt, of: try self.splitFolder(seed: 35, sql: sql))
    }

    @Test(arguments: ["serial", "owner_ref", "hardware_version"])
    func aTextThatIsNotUTF8IsRefusedAndUntouched(column: String) throws {
        let sql = "UPDATE devices SET \(column) = CAST(x'41F842' AS TEXT) WHERE id = (SELECT max(id) FROM devices)"
        try self.expectRefusal(.corrupt, of: try self.splitFolder(seed: 38, sql: sql))
    }

    @Test(arguments: ["DELETE FROM cohorts WHERE id = (SELECT min(cohort) FROM devices)", "DELETE FROM head"])
    func missingRowsAreRefusedAndUntouched(sql: String) throws {
        try self.expectRefusal(.corrupt, of: try self.splitFolder(seed: 36, sql: sql))
    }

    @Test func overwrittenPagesAreRefusedAndUntouchedBesideAWAL() throws {
        let folder = try self.splitFolder(seed: 37)
        let url = URL(fileURLWithPath: folder.database)
        var bytes = try Data(contentsOf: url)
        try #require(bytes.count > 8_192)
        bytes.replaceSubrange(4_096..., with: Data(repeating: 0x5A, count: bytes.count - 4_096))
        try bytes.write(to: url)
        try self.expectRefusal(.corrupt, of: folder)
    }

    @Test func aStoreThatCouldNotBeReadIsReadOnceItIsWhole() throws {
        let folder = try self.splitFolder(seed: 38)
        let whole = try folder.files()
        let url = URL(fileURLWithPath: folder.database)
        let bytes = try Data(contentsOf: url)
        try bytes.prefix(8_192).write(to: url)
        try self.expectRefusal(.corrupt, of: folder)
        try bytes.write(to: url)
        #expect(try folder.files() == whole)
        let store = try SQLiteStore(folder: folder.path)
        defer { store.close() }
        let sequence = try store.head().sequence
        #expect(sequence == 105)
        #expect(try store.contents().devices.isEmpty == false)
    }

    @Test(arguments: ["-wal", "-shm", "-journal"]) func whatADatabaseLeftBehindIsRefusedAndUntouched(
        suffix: String
    ) throws {
        let folder = try self.splitFolder(seed: 39)
        try FileManager.default.removeItem(atPath: folder.database)
        if suffix != "-wal" {
            try FileManager.default.moveItem(atPath: folder.database + "-wal", toPath: folder.database + suffix)
        }
        #expect(try folder.files().keys.sorted() == [SQLiteStore.fileName + suffix])
        try self.expectRefusal(.corrupt, of: folder)
    }

    @Test func loadingWritesNothingAndTheLogIsFoldedAfterwards() throws {
        let folder = try self.splitFolder(seed: 40)
        let before = try folder.files()
        let store = try SQLiteStore(folder: folder.path, options: .quiet)
        let contents = try store.contents()
        let during = try folder.files()
        for (name, bytes) in before { #expect(during[name] == bytes, "\(name)") }
        try store.verify { true }
        store.close()
        #expect(try folder.files().keys.sorted() == [SQLiteStore.fileName])
        let connection = try Connection(path: folder.database, .init(label: "test"))
        let row = try connection.perform { () throws(SQLiteFailure) in try connection.readHead() }
        try connection.close()
        #expect(row.foldedThrough == row.head.highWaterMarks.revision.rawValue)
        let reopened = try SQLiteStore(folder: folder.path)
        defer { reopened.close() }
        #expect(try reopened.contents() == contents)
    }

    @Test func aDatabaseThatAnotherHasLockedIsRefusedInOneSentence() throws {
        let folder = try self.splitFolder(seed: 43)
        let other = try Connection(path: folder.database, .init(label: "test"))
        try other.perform { () throws(SQLiteFailure) in try other.execute("BEGIN IMMEDIATE") }
        let failures = Mutex<[String]>([])
        var options = SQLiteStore.Options()
        options.onBackgroundFailure = { error in failures.withLock { $0.append("\(error)") } }
        let store = try SQLiteStore(folder: folder.path, options: options)
        #expect(code { () throws(StoreError) in _ = try store.contents() } == .locked)
        store.close()
        #expect(failures.withLock { $0 } == [])
        try other.perform { () throws(SQLiteFailure) in try other.execute("ROLLBACK") }
        try other.close()
    }

    // MARK: The folder

    @Test func aSecondStoreOnTheFolderIsRefusedWithThePid() throws {
        let folder = TemporaryFolder()
        let store = try SQLiteStore(folder: folder.path)
        do {
            _ = try SQLiteStore(folder: folder.path)
            Issue.record("the second store opened")
        } catch {
            #expect(error.code == .locked)
            #expect(error.message.contains(folder.path))
            #expect(error.message.contains("process \(ProcessInfo.processInfo.processIdentifier)"))
        }
        store.close()
        try SQLiteStore(folder: folder.path).close()
    }

    @Test func aFolderThatCannotBeMadeIsNamed() throws {
        do {
            _ = try SQLiteStore(folder: "/proc/rollcall")
            Issue.record("the store opened")
        } catch {
            #expect(error.code == .failed)
            #expect(error.message.contains("/proc/rollcall"))
        }
    }

    @Test func whatAnInterruptedCreationLeftIsReplaced() throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try Data(repeating: 1, count: 5_000).write(to: URL(fileURLWithPath: folder.database + ".new"))
        let store = try SQLiteStore(folder: folder.path)
        #expect(try store.contents().projects.count == 1)
        store.close()
        #expect(!FileManager.default.fileExists(atPath: folder.database + ".new"))
    }

    // MARK: Disks

    @Test func aFullDiskFailsBatchesUntilThereIsSpace() throws {
        let folder = TemporaryFolder()
        var options = SQLiteStore.Options.quiet
        options.pageCountMax = 60
        var store = try SQLiteStore(folder: folder.path, options: options)
        var history = try store.history(seed: 41)
        var refused: MutationBatch?
        var before = history.contents
        for _ in 0..<5_000 where refused == nil {
            before = history.contents
            let batch = history.batch()
            switch code(of: { () throws(StoreError) in try store.commit(batch) }) {
            case nil: continue
            case .unavailable: refused = batch
            case let code: Issue.record("\(String(describing: code))")
            }
        }
        let batch = try #require(refused)
        #expect(code { () throws(StoreError) in try store.commit(batch) } == .unavailable)
        #expect(try store.head().sequence == batch.sequence - 1)
        // Space returns: the same batch, and what follows, is taken.
        options.pageCountMax = 1 << 20
        store.close()
        store = try SQLiteStore(folder: folder.path, options: options)
        defer { store.close() }
        #expect(try store.contents() == before)
        // It could not be closed properly.
        try store.verify { true }
        try store.commit(batch)
        try store.commit(history.batch())
        #expect(try store.contents() == history.contents)
    }

    @Test func anErrorOfTheDiskInTheCommitLeavesTheOutcomeOpenUntilReopened() throws {
        let folder = TemporaryFolder()
        let store = try SQLiteStore(folder: folder.path, options: .quiet)
        defer { store.close() }
        var history = try store.history(seed: 42)
        for _ in 0..<10 { try store.commit(history.batch()) }
        let before = history.contents
        let batch = history.batch()

        let handles = try breakDescriptors(of: folder.database + "-wal")
        #expect(handles > 0)
        #expect(code { () throws(StoreError) in try store.commit(batch) } == .outcomeUnknown)
        #expect(code { () throws(StoreError) in try store.commit(batch) } == .outcomeUnknown)
        #expect(code { () throws(StoreError) in _ = try store.contents() } == .outcomeUnknown)

        let head = try store.reopen()
        try #require([batch.sequence - 1, batch.sequence].contains(head.sequence))
        if head.sequence == batch.sequence - 1 {
            #expect(try store.contents() == before)
            try store.commit(batch)
        }
        try store.commit(history.batch())
        #expect(try store.contents() == history.contents)
    }

    /// Makes every descriptor that this process has on `path` one that cannot be written; returns how many there were.
    private func breakDescriptors(of path: String) throws -> Int {
        var count = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            guard let descriptor = Int32(name),
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)"),
                target == path
            else { continue }
            let readOnly = open(path, O_RDONLY | O_CLOEXEC)
            defer { close(readOnly) }
            guard readOnly >= 0, dup2(readOnly, descriptor) == descriptor else { throw CocoaError(.fileReadUnknown) }
            count += 1
        }
        return count
    }
}
