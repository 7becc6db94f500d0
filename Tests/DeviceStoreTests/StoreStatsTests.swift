import DeviceModel
import Foundation
import RollcallTesting
import Testing

@testable import DeviceStore

@Suite struct StoreStatsTests {
    @Test func aStoreTellsItsSizesItsSyncsAndWhatIsNotFolded() throws {
        let folder = TemporaryFolder()
        let store = try SQLiteStore(folder: folder.path, options: .quiet)
        var history = try store.history(seed: 7)
        for _ in 0..<20 { try store.commit(history.batch()) }
        var stats = store.stats
        #expect(stats.databaseByteCount > 0 && stats.walByteCount > 0)
        let revision = try store.head().highWaterMarks.revision
        #expect(stats.unfoldedChangeCount == revision.rawValue)
        #expect(stats.syncTimes.count >= 20 && stats.syncTimes.max > 0)
        try store.settle()
        #expect(store.stats.unfoldedChangeCount == 0)
        // Opened anew, it goes on counting.
        _ = try store.reopen()
        try store.commit(history.batch())
        #expect(store.stats.syncTimes.count > stats.syncTimes.count)
        store.close()
        stats = store.stats
        #expect(stats.databaseByteCount > 0 && stats.walByteCount == 0)
    }
}
