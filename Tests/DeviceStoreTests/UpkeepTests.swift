import DeviceModel
import Foundation
import RollcallTesting
import Synchronization
import Testing

@testable import DeviceStore

@Suite struct UpkeepTests {
    @Test(arguments: [1, 7, 256]) func foldingInSlicesOfAnySizeIsTheSame(rowCount: Int) throws {
        let folder = TemporaryFolder()
        let store = try SQLiteStore(folder: folder.path, options: .quiet)
        var history = try store.history(seed: UInt64(50 + rowCount))
        for _ in 0..<100 { try store.commit(history.batch(changeCountMax: 30)) }
        let copy = try folder.copy()
        store.close()

        let connection = try Connection(path: copy.database, .init(label: "test"))
        try connection.perform { () throws(any Error) in
            let last = try connection.readHead().head.highWaterMarks.revision.rawValue
            var window = try connection.readWindow(after: 0, through: last)
            var isDone = false
            while !isDone {
                let slice = window.nextSlice(rowCountMax: rowCount)
                isDone = window.isLast(slice)
                try connection.transaction { () throws(SQLiteFailure) in
                    try connection.write(slice)
                    if isDone { try connection.finish(window, time: 0) }
                }
                window.advance(past: slice)
            }
            #expect(try connection.readHead().foldedThrough == last)
        }
        try connection.close()
        let folded = try SQLiteStore(folder: copy.path)
        defer { folded.close() }
        #expect(try folded.contents() == history.contents, "rows \(rowCount)")
    }

    @Test func foldingAPartAgainIsTheSame() throws {
        // What a crash in the middle of a window leaves: some slices written, the mark not moved.
        let folder = TemporaryFolder()
        let store = try SQLiteStore(folder: folder.path, options: .quiet)
        var history = try store.history(seed: 61)
        for _ in 0..<100 { try store.commit(history.batch()) }
        let copy = try folder.copy()
        store.close()

        let connection = try Connection(path: copy.database, .init(label: "test"))
        try connection.perform { () throws(any Error) in
            let last = try connection.readHead().head.highWaterMarks.revision.rawValue
            var window = try connection.readWindow(after: 0, through: last)
            for _ in 0..<10 {
                let slice = window.nextSlice(rowCountMax: 16)
                try connection.transaction { () throws(SQLiteFailure) in try connection.write(slice) }
                window.advance(past: slice)
            }
        }
        try connection.close()
        let recovered = try SQLiteStore(folder: copy.path)
        defer { recovered.close() }
        #expect(try recovered.contents() == history.contents)
    }

    @Test(.timeLimit(.minutes(1))) func theBackgroundFoldsAndCopiesWithoutBeingAsked() throws {
        let folder = TemporaryFolder()
        var options = SQLiteStore.Options()
        options.foldBacklogCount = 50
        options.foldDelayMilliseconds = 1
        options.checkpointFrameCount = 32
        let failures = Mutex<[String]>([])
        options.onBackgroundFailure = { error in failures.withLock { $0.append("\(error)") } }
        let store = try SQLiteStore(folder: folder.path, options: options)
        defer { store.close() }
        var history = try store.history(seed: 62)
        // Ends by itself: commits go on until both have been seen, each commit giving the background its turn.
        var isFolded = false
        while !isFolded {
            for _ in 0..<50 { try store.commit(history.batch(changeCountMax: 30)) }
            let copy = try folder.copy()
            let connection = try Connection(path: copy.database, .init(label: "test"))
            isFolded = try connection.perform { () throws(SQLiteFailure) in try connection.readHead().foldedThrough > 0
            }
            try connection.close()
        }
        #expect(try store.contents() == history.contents)
        #expect(failures.withLock { $0 } == [])
    }

    @Test func theWALStaysBounded() throws {
        let folder = TemporaryFolder()
        var options = SQLiteStore.Options.quiet
        options.checkpointFrameCount = 64
        let store = try SQLiteStore(folder: folder.path, options: options)
        defer { store.close() }
        var history = try store.history(seed: 63)
        var largest = 0
        var written = 0
        for _ in 0..<300 {
            try store.commit(history.batch())
            try store.settle()
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.database + "-wal")
            largest = max(largest, attributes[.size] as? Int ?? 0)
            written += 1
        }
        // 64 frames call for a copy; a batch and its fold add some before it is seen.
        #expect(largest < 256 * 4_120, "\(largest) bytes after \(written) batches")
        #expect(try store.contents() == history.contents)
    }

    @Test func requestsAreForgottenByCount() throws {
        let folder = TemporaryFolder()
        var options = SQLiteStore.Options.quiet
        options.requestCountMax = 30
        options.sliceRowCountMax = 8
        let store = try SQLiteStore(folder: folder.path, options: options)
        defer { store.close() }
        var history = try store.history(seed: 64)
        for _ in 0..<200 { try store.commit(history.batch()) }
        try store.settle()
        #expect(try store.contents().requests == Array(history.contents.requests.suffix(30)))
    }

    @Test func requestsAreForgottenByAge() throws {
        let folder = TemporaryFolder()
        var options = SQLiteStore.Options.quiet
        options.requestAgeMicrosecondsMax = 20_000_000
        options.sliceRowCountMax = 8
        let store = try SQLiteStore(folder: folder.path, options: options)
        defer { store.close() }
        var history = try store.history(seed: 65)
        for _ in 0..<200 { try store.commit(history.batch()) }
        try store.settle()
        let oldest = history.time.advanced(byMicroseconds: -20_000_000)
        #expect(try store.contents().requests == history.contents.requests.filter { $0.time >= oldest })
    }

    @Test(arguments: [true, false]) func theLogIsPrunedByAgeAndBySizeAndRowsStay(byAge: Bool) throws {
        let folder = TemporaryFolder()
        var options = SQLiteStore.Options.quiet
        options.logAgeMicrosecondsMax = byAge ? 30_000_000 : .max / 2
        options.logByteCountMax = byAge ? .max : 200_000
        options.sliceRowCountMax = 16
        var store = try SQLiteStore(folder: folder.path, options: options)
        var history = try store.history(seed: 66)
        for round in 0..<400 {
            try store.commit(history.batch())
            if round % 10 == 0 { try store.settle() }
        }
        #expect(try store.contents() == history.contents)
        store.close()
        let connection = try Connection(path: folder.database, .init(label: "test"))
        let (first, kept, byteCount) = try connection.perform { () throws(SQLiteFailure) in
            (
                try connection.number("SELECT min(revision) FROM change_log"),
                try connection.number("SELECT count(*) FROM change_log"),
                try connection.number("SELECT sum(byte_count) FROM log_segments")
            )
        }
        try connection.close()
        #expect(first > 1 && kept < history.marks.revision.rawValue)
        if !byAge { #expect(byteCount <= 200_000) }
        store = try SQLiteStore(folder: folder.path, options: options)
        #expect(try store.contents() == history.contents)
        store.close()
    }

    @Test func aFailureInTheBackgroundIsToldAndLosesNothing() throws {
        let folder = TemporaryFolder()
        var options = SQLiteStore.Options.quiet
        let failures = Mutex<[StoreError.Code]>([])
        options.onBackgroundFailure = { error in failures.withLock { $0.append(error.code) } }
        options.pageCountMax = 40
        let store = try SQLiteStore(folder: folder.path, options: options)
        var history = try store.history(seed: 67)
        var before = history.contents
        while code(of: { () throws(StoreError) in try store.commit(history.batch()) }) == nil {
            before = history.contents
        }
        // No page is left for the fold either.
        store.close()
        #expect(failures.withLock { $0 } == [.unavailable])
        let reopened = try SQLiteStore(folder: folder.path)
        defer { reopened.close() }
        #expect(try reopened.contents() == before)
    }
}
