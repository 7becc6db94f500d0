import DeviceModel
import Dispatch
import Foundation
import RollcallTesting
import Synchronization
import Testing

@testable import DeviceStore

/// When a store is looked through before it is written to, and what becomes of a damaged one.
@Suite struct VerificationTests {
    /// A store that holds `batchCount` batches, all of them folded, and is closed.
    private func closedFolder(seed: UInt64, batchCount: Int = 60) throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        let store = try SQLiteStore(folder: folder.path, options: .quiet)
        var history = try store.history(seed: seed)
        for _ in 0..<batchCount { try store.commit(history.batch()) }
        store.close()
        return folder
    }

    private func execute(_ sql: String, in folder: TemporaryFolder) throws {
        let connection = try Connection(path: folder.database, .init(label: "test"))
        try connection.perform { () throws(SQLiteFailure) in try connection.execute(sql) }
        try connection.close()
    }

    /// Overwrites the change log's first page, which nobody reads in a load of what is folded.
    private func damageLog(of folder: TemporaryFolder) throws {
        let connection = try Connection(path: folder.database, .init(label: "test"))
        let page = try connection.perform { () throws(SQLiteFailure) in
            try connection.number("SELECT rootpage FROM sqlite_schema WHERE name = 'change_log'")
        }
        try connection.close()
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: folder.database))
        try file.seek(toOffset: UInt64(page - 1) * 4_096)
        try file.write(contentsOf: Data(repeating: 0x5A, count: 4_096))
        try file.close()
    }

    private func nextBatch(_ store: SQLiteStore, seed: UInt64) throws -> MutationBatch {
        let head = try store.head()
        var history = HistoryGenerator(
            seed: seed, contents: try store.contents(), marks: head.highWaterMarks, sequence: head.sequence)
        return history.batch()
    }

    @Test func newStoreAndOneThatWasClosedNeedNone() throws {
        let folder = TemporaryFolder()
        let new = try SQLiteStore(folder: folder.path)
        #expect(!new.needsVerification)
        new.close()
        let closed = try SQLiteStore(folder: try self.closedFolder(seed: 81).path)
        #expect(!closed.needsVerification)
        closed.close()
    }

    @Test func killBeforeTheFirstWriteLeavesTheMark() throws {
        let folder = try self.closedFolder(seed: 82)
        let store = try SQLiteStore(folder: folder.path)
        defer { store.close() }
        _ = try store.contents()
        try store.settle()
        let copy = try SQLiteStore(folder: try folder.copy().path)
        defer { copy.close() }
        #expect(!copy.needsVerification)
    }

    @Test func killAfterAWriteCallsForItUntilTheNextClose() throws {
        let folder = try self.closedFolder(seed: 83)
        let store = try SQLiteStore(folder: folder.path, options: .quiet)
        defer { store.close() }
        let batch = try self.nextBatch(store, seed: 830)
        try store.commit(batch)
        let copy = try folder.copy()
        var killed = try SQLiteStore(folder: copy.path, options: .quiet)
        #expect(killed.needsVerification)
        let next = try self.nextBatch(killed, seed: 831)
        let early = #expect(throws: StoreError.self) { try killed.commit(next) }
        #expect(
            early?.code == .unavailable && early?.message.contains(copy.database) == true,
            "\(String(describing: early))")
        try killed.verify { true }
        #expect(!killed.needsVerification)
        try killed.commit(next)
        killed.close()
        killed = try SQLiteStore(folder: copy.path)
        #expect(!killed.needsVerification)
        killed.close()
    }

    @Test func fileThatWasCopiedWithoutItsLogIsLookedThrough() throws {
        let folder = try self.closedFolder(seed: 84)
        let store = try SQLiteStore(folder: folder.path, options: .quiet)
        defer { store.close() }
        try store.commit(try self.nextBatch(store, seed: 840))
        let connection = try Connection(path: folder.database, .init(label: "test"))
        _ = try connection.perform { () throws(SQLiteFailure) in try connection.checkpoint() }
        try connection.close()
        let copy = try folder.copy()
        try FileManager.default.removeItem(atPath: copy.database + "-wal")
        let opened = try SQLiteStore(folder: copy.path)
        defer { opened.close() }
        #expect(opened.needsVerification)
    }

    @Test func olderFileIsBroughtUpToDateAndLookedThrough() throws {
        let folder = try self.closedFolder(seed: 85)
        try self.execute("ALTER TABLE head DROP COLUMN is_clean", in: folder)
        try self.execute("DELETE FROM grdb_migrations WHERE identifier = '3'", in: folder)
        try self.execute("PRAGMA user_version = 2", in: folder)
        let store = try SQLiteStore(folder: folder.path, options: .quiet)
        defer { store.close() }
        #expect(store.needsVerification)
        let batch = try self.nextBatch(store, seed: 850)
        try store.verify { true }
        try store.commit(batch)
    }

    @Test func damagedOlderFileIsRefusedAndUntouched() throws {
        let folder = try self.closedFolder(seed: 86)
        try self.execute("ALTER TABLE head DROP COLUMN is_clean", in: folder)
        try self.execute("DELETE FROM grdb_migrations WHERE identifier = '3'", in: folder)
        try self.execute("PRAGMA user_version = 2", in: folder)
        try self.damageLog(of: folder)
        let before = try folder.files()
        let error = #expect(throws: StoreError.self) { _ = try SQLiteStore(folder: folder.path) }
        #expect(error?.code == .corrupt)
        #expect(try folder.files() == before)
    }

    @Test func damagedFileIsReadAndNeverWritten() throws {
        let folder = try self.closedFolder(seed: 87)
        try self.execute("UPDATE head SET is_clean = 0", in: folder)
        try self.damageLog(of: folder)
        let before = try folder.files()
        let failures = Mutex<[String]>([])
        var options = SQLiteStore.Options()
        options.foldDelayMilliseconds = 0
        options.onBackgroundFailure = { error in failures.withLock { $0.append("\(error)") } }
        let store = try SQLiteStore(folder: folder.path, options: options)
        #expect(try store.contents().devices.isEmpty == false)
        let found = #expect(throws: StoreError.self) { try store.verify { true } }
        #expect(found?.code == .corrupt)
        #expect(found?.message.contains(folder.database) == true)
        let refused = #expect(throws: StoreError.self) { try store.commit(try self.nextBatch(store, seed: 870)) }
        #expect(refused?.code == .corrupt && refused?.message == found?.message)
        #expect(#expect(throws: StoreError.self) { _ = try store.reopen() }?.code == .corrupt)
        #expect(try store.contents().devices.isEmpty == false)
        store.close()
        #expect(try folder.files() == before)
        #expect(failures.withLock { $0 } == [])
    }

    @Test func verificationThatIsNotWantedAnyMoreIsCutShort() throws {
        let folder = try self.closedFolder(seed: 88)
        try self.execute("UPDATE head SET is_clean = 0", in: folder)
        let before = try folder.files()
        let store = try SQLiteStore(folder: folder.path)
        let error = #expect(throws: StoreError.self) { try store.verify { false } }
        #expect(error?.code == .failed)
        #expect(store.needsVerification)
        store.close()
        #expect(try folder.files() == before)
    }

    @Test func damageThatUpkeepMeetsEndsAllWriting() throws {
        let folder = try self.closedFolder(seed: 89)
        try self.damageLog(of: folder)
        let found = DispatchSemaphore(value: 0)
        let count = Mutex(0)
        var options = SQLiteStore.Options.quiet
        options.logByteCountMax = 0
        options.onBackgroundFailure = { error in
            #expect(error.code == .corrupt, "\(error)")
            count.withLock { $0 += 1 }
            found.signal()
        }
        options.foldDelayMilliseconds = 0
        let store = try SQLiteStore(folder: folder.path, options: options)
        let batch = try self.nextBatch(store, seed: 890)
        found.wait()
        let before = try folder.files()
        #expect(code { () throws(StoreError) in try store.commit(batch) } == .corrupt)
        store.close()
        #expect(try folder.files()[SQLiteStore.fileName] == before[SQLiteStore.fileName])
        #expect(count.withLock { $0 } == 1)
    }
}
