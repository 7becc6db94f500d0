import DeviceModel
import Foundation
import RollcallTesting
import Testing

@testable import DeviceStore

/// What becomes of a write-ahead log that lost something of what was synced to it.
@Suite struct LogInspectionTests {
    /// A store that was not closed, and how large its log was after each batch.
    private struct Unclosed {
        var folder: TemporaryFolder
        var logByteCounts: [Int]
        var contents: [StoreContents]

        var logURL: URL { URL(fileURLWithPath: self.folder.database + "-wal") }

        init(seed: UInt64, withIndex: Bool) throws {
            let original = TemporaryFolder()
            let store = try SQLiteStore(folder: original.path, options: .quiet)
            defer { store.close() }
            var history = try store.history(seed: seed)
            self.logByteCounts = []
            self.contents = []
            for _ in 0..<12 {
                try store.commit(history.batch())
                let size = try FileManager.default.attributesOfItem(atPath: original.database + "-wal")[.size]
                self.logByteCounts.append(try #require(size as? Int))
                self.contents.append(history.contents)
            }
            self.folder = try original.copy(withIndex: withIndex)
        }

        /// Opens and reads the store; gives what it holds, or the code that it is refused with.
        func read() throws -> Result<StoreContents, StoreError> {
            let before = try self.folder.files()
            do {
                let store = try SQLiteStore(folder: self.folder.path, options: .quiet)
                defer { store.close() }
                return .success(try store.contents())
            } catch {
                #expect(try self.folder.files() == before, "\(error)")
                return .failure(error)
            }
        }

        func expectDamage(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            guard case .failure(let error) = try self.read() else {
                Issue.record("\(what): the store opened", sourceLocation: sourceLocation)
                return
            }
            #expect(error.code == .corrupt, "\(what): \(error)", sourceLocation: sourceLocation)
            #expect(error.message.contains(self.logURL.path), "\(what): \(error)", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [true, false]) func wholeLogIsTaken(withIndex: Bool) throws {
        let store = try Unclosed(seed: 71, withIndex: withIndex)
        #expect(try store.read().get() == store.contents.last)
    }

    @Test func flippedByteBeforeTheLastTransactionsIsRefusedAndUntouched() throws {
        let seed: UInt64 = 72
        var random = SeededGenerator(seed: seed)
        let store = try Unclosed(seed: seed, withIndex: false)
        let whole = try Data(contentsOf: store.logURL)
        let end = store.logByteCounts[store.logByteCounts.count - 3]
        // Every byte of the log's header, and some of its frames' headers and pages.
        var offsets = Array(0..<32)
        for start in stride(from: 32, to: end, by: 24 + 4_096) {
            for field in [0, 4, 8, 16, 24] { offsets.append(start + field) }
        }
        for _ in 0..<40 { offsets.append(Int.random(in: 32..<end, using: &random)) }
        for offset in offsets {
            var damaged = whole
            damaged[offset] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &random)
            try damaged.write(to: store.logURL)
            try store.expectDamage("byte \(offset), seed \(seed)")
        }
        try whole.write(to: store.logURL)
        #expect(try store.read().get() == store.contents.last)
    }

    @Test func shortenedOrDamagedLogIsRefusedWhereItsIndexKnowsOfMore() throws {
        let store = try Unclosed(seed: 73, withIndex: true)
        let index = URL(fileURLWithPath: store.folder.database + "-shm")
        let (log, shared) = (try Data(contentsOf: store.logURL), try Data(contentsOf: index))
        let byteCounts: [Int] = store.logByteCounts.dropLast() + [33, log.count - 1]
        for byteCount in byteCounts {
            try log.prefix(byteCount).write(to: store.logURL)
            try store.expectDamage("cut to \(byteCount)")
        }
        let lastTransaction = store.logByteCounts[store.logByteCounts.count - 2]
        for offset in [log.count - 1, log.count - 5_000, lastTransaction + 16] {
            var damaged = log
            damaged[offset] ^= 1
            try damaged.write(to: store.logURL)
            try store.expectDamage("byte \(offset)")
        }
        try log.write(to: store.logURL)
        try shared.write(to: index)
        #expect(try store.read().get() == store.contents.last)
    }

    /// After a power failure the last transaction may be there in part, which nobody was told of.
    @Test func transactionThatWasNotFinishedIsLeftOut() throws {
        for byte in [1, 4_000, 4_119] {
            let store = try Unclosed(seed: 74, withIndex: false)
            let log = try Data(contentsOf: store.logURL)
            let end = store.logByteCounts[store.logByteCounts.count - 2]
            try log.prefix(end + byte).write(to: store.logURL)
            #expect(try store.read().get() == store.contents.dropLast().last, "cut at \(byte)")
        }
        let store = try Unclosed(seed: 75, withIndex: false)
        var log = try Data(contentsOf: store.logURL)
        log[log.count - 1] ^= 1
        try log.write(to: store.logURL)
        #expect(try store.read().get() == store.contents.dropLast().last)
    }

    /// What was written before the log was begun anew lies behind what is in it now.
    @Test func remainsOfAnEarlierLogAreNoDamage() throws {
        let original = TemporaryFolder()
        let store = try SQLiteStore(folder: original.path, options: .quiet)
        defer { store.close() }
        var history = try store.history(seed: 76)
        for _ in 0..<20 { try store.commit(history.batch()) }
        let connection = try Connection(path: original.database, .init(label: "test"))
        _ = try connection.perform { () throws(SQLiteFailure) in try connection.checkpoint() }
        try connection.close()
        for _ in 0..<3 { try store.commit(history.batch()) }
        for withIndex in [true, false] {
            let copy = try original.copy(withIndex: withIndex)
            let reopened = try SQLiteStore(folder: copy.path, options: .quiet)
            defer { reopened.close() }
            #expect(try reopened.contents() == history.contents)
        }
    }
}
