import DeviceModel
import Foundation
import RollcallTesting
import Synchronization
import Testing

@testable import DeviceStore

@Suite struct SnapshotTests {
    private final class End: Sendable {
        let hasCome = Atomic(false)
    }

    /// A page at a time, so that there is something between the first and the last.
    private var stepwise: SQLiteStore.Options {
        var options = SQLiteStore.Options.quiet
        options.snapshotStepPageCount = 1
        return options
    }

    /// A folder with nothing but what the snapshot holds.
    private func folder(of snapshot: StoreSnapshot, readingAtOnce count: Int = 100_000) throws -> TemporaryFolder {
        var bytes = Data()
        var buffer = [UInt8](repeating: 0, count: count)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try snapshot.read(at: Int64(bytes.count), into: $0) }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        #expect(bytes.count == Int(snapshot.byteCount))
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try bytes.write(to: URL(fileURLWithPath: folder.database))
        return folder
    }

    private func finding(in folder: TemporaryFolder) throws -> String {
        let connection = try Connection(path: folder.database, .init(label: "test"))
        defer { try? connection.close() }
        return try connection.perform { () throws(SQLiteFailure) in
            let check = try Statement("PRAGMA integrity_check", on: connection.handle)
            return try check.next() ? try check.string(0) : ""
        }
    }

    /// Commits take place between any two pages, and none of them is in the copy.
    @Test(arguments: [71, 72, 73] as [UInt64]) func aSnapshotAmongCommitsIsTheStateBeforeThem(seed: UInt64) throws {
        let source = TemporaryFolder()
        let store = try SQLiteStore(folder: source.path, options: self.stepwise)
        defer { store.close() }
        var history = try store.history(seed: seed)
        for _ in 0..<40 { try store.commit(history.batch(changeCountMax: 30)) }
        // What it is made of lies in the database, in the WAL and in the log.
        if seed == 72 { try store.settle() }
        let (contents, head) = (history.contents, try store.head())
        var commitCount = 0
        let taken = try store.snapshot {
            commitCount += 1
            #expect(code { () throws(StoreError) in try store.commit(history.batch()) } == nil, "seed \(seed)")
            return true
        }
        let snapshot = try #require(taken)
        #expect(commitCount > 10)
        #expect(try store.head().sequence == head.sequence + Int64(commitCount))
        #expect(snapshot.storeID == head.storeID && snapshot.revision == head.highWaterMarks.revision)
        let folder = try self.folder(of: snapshot)
        #expect(try self.finding(in: folder) == "ok")
        let copy = try SQLiteStore(folder: folder.path, options: .quiet)
        defer { copy.close() }
        #expect(try copy.head() == head, "seed \(seed)")
        #expect(try copy.contents() == contents, "seed \(seed)")
        #expect(try store.contents() == history.contents, "seed \(seed)")
    }

    @Test func snapshotsBesideAWriterAreEachTheStateOfTheirRevision() async throws {
        let seed: UInt64 = 74
        let source = TemporaryFolder()
        var options = SQLiteStore.Options()
        options.foldBacklogCount = 50
        options.foldDelayMilliseconds = 1
        options.checkpointFrameCount = 32
        options.snapshotStepPageCount = 4
        let store = try SQLiteStore(folder: source.path, options: options)
        defer { store.close() }
        let start = try store.history(seed: seed)
        let end = End()
        let (states, snapshots) = try await withThrowingTaskGroup(of: [Int64: StoreContents].self) { group in
            group.addTask {
                var history = start
                var states = [history.sequence: history.contents]
                while !end.hasCome.load(ordering: .relaxed) || history.sequence < 60 {
                    try store.commit(history.batch())
                    states[history.sequence] = history.contents
                }
                return states
            }
            var snapshots: [StoreSnapshot] = []
            for _ in 0..<6 {
                if let snapshot = try store.snapshot(while: { true }) { snapshots.append(snapshot) }
            }
            end.hasCome.store(true, ordering: .relaxed)
            return (try await group.next() ?? [:], snapshots)
        }
        #expect(snapshots.count == 6)
        for snapshot in snapshots {
            let folder = try self.folder(of: snapshot)
            #expect(try self.finding(in: folder) == "ok")
            let copy = try SQLiteStore(folder: folder.path, options: .quiet)
            #expect(try copy.contents() == states[try copy.head().sequence], "seed \(seed)")
            copy.close()
        }
    }

    @Test(arguments: [1, 4_095, 4_096, 1 << 20]) func aSnapshotIsReadInPartsOfAnySize(byteCount: Int) throws {
        let source = TemporaryFolder()
        let store = try SQLiteStore(folder: source.path)
        defer { store.close() }
        let snapshot = try #require(try store.snapshot { true })
        let folder = try self.folder(of: snapshot, readingAtOnce: byteCount)
        #expect(try self.finding(in: folder) == "ok")
    }

    @Test func aSnapshotHasNoNameAndOutlivesItsStore() throws {
        let source = TemporaryFolder()
        let store = try SQLiteStore(folder: source.path)
        let snapshot = try #require(try store.snapshot { true })
        store.close()
        #expect(try source.files().keys.sorted() == [SQLiteStore.fileName])
        #expect(try self.finding(in: try self.folder(of: snapshot)) == "ok")
    }

    @Test func aSnapshotThatIsGivenUpLeavesNothing() throws {
        let source = TemporaryFolder()
        let store = try SQLiteStore(folder: source.path, options: self.stepwise)
        defer { store.close() }
        for countMax in [0, 1, 5] {
            var count = 0
            let snapshot = try store.snapshot {
                count += 1
                return count <= countMax
            }
            #expect(snapshot == nil)
            #expect(!FileManager.default.fileExists(atPath: source.database + StoreFolder.copySuffix))
        }
        #expect(try store.snapshot { true } != nil)
    }

    /// The file that is copied to has its name until the copy is whole, and a process that is killed leaves it.
    @Test func whatAKilledProcessLeftIsRemoved() throws {
        let source = TemporaryFolder()
        try SQLiteStore(folder: source.path).close()
        let path = source.database + StoreFolder.copySuffix
        try Data("left".utf8).write(to: URL(fileURLWithPath: path))
        let store = try SQLiteStore(folder: source.path, options: self.stepwise)
        defer { store.close() }
        #expect(!FileManager.default.fileExists(atPath: path))
        var permissions: Any?
        _ = try store.snapshot {
            permissions = try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            return false
        }
        #expect(permissions as? Int == 0o600)
    }

    @Test func aDiskWithoutSpaceRefusesTheCopyAndTakesCommits() throws {
        let source = TemporaryFolder()
        var options = self.stepwise
        options.snapshotFreeByteCountMin = .max / 2
        let store = try SQLiteStore(folder: source.path, options: options)
        defer { store.close() }
        var history = try store.history(seed: 75)
        do {
            _ = try store.snapshot { true }
            Issue.record("a snapshot was taken")
        } catch {
            #expect(error.code == .unavailable)
            #expect(error.message.contains(source.database) && error.message.hasSuffix("free some"))
        }
        try store.commit(history.batch())
        #expect(!FileManager.default.fileExists(atPath: source.database + StoreFolder.copySuffix))
    }

    @Test func aCopyThatTakesTooLongIsGivenUp() throws {
        let source = TemporaryFolder()
        var options = self.stepwise
        options.snapshotSecondsMax = 0
        let store = try SQLiteStore(folder: source.path, options: options)
        defer { store.close() }
        #expect(code { () throws(StoreError) in _ = try store.snapshot { true } } == .unavailable)
    }

    /// Whoever closes waits for the copy, which ends with its next page.
    @Test func closingEndsTheCopyThatIsBeingMade() throws {
        let source = TemporaryFolder()
        let store = try SQLiteStore(folder: source.path, options: self.stepwise)
        var closing: Thread?
        let failure = code { () throws(StoreError) in
            _ = try store.snapshot {
                guard closing == nil else {
                    Issue.record("the copy went on")
                    return false
                }
                closing = Thread { store.close() }
                closing?.start()
                while code(of: { () throws(StoreError) in _ = try store.head() }) == nil { sched_yield() }
                return true
            }
        }
        #expect(failure == .failed)
        store.close()
        #expect(code { () throws(StoreError) in _ = try store.snapshot { true } } == .failed)
    }

    @Test func reopeningEndsTheCopyThatIsBeingMade() throws {
        let source = TemporaryFolder()
        let store = try SQLiteStore(folder: source.path, options: self.stepwise)
        defer { store.close() }
        var history = try store.history(seed: 76)
        try store.commit(history.batch())
        let reopened = DispatchSemaphore(value: 0)
        var isReopening = false
        let failure = code { () throws(StoreError) in
            _ = try store.snapshot {
                guard !isReopening else { return false }
                isReopening = true
                Thread.detachNewThread {
                    #expect(code { () throws(StoreError) in _ = try store.reopen() } == nil)
                    reopened.signal()
                }
                while code(of: { () throws(StoreError) in _ = try store.head() }) == nil { sched_yield() }
                return true
            }
        }
        #expect(failure == .outcomeUnknown)
        reopened.wait()
        try store.commit(history.batch())
        #expect(try store.snapshot { true } != nil)
    }
}
