// A folder for a test, and short ways to open a store in it and to see what it holds.

import DeviceModel
import DeviceStore
import Foundation
import RollcallTesting

/// A folder that is gone after the test.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        self.path = FileManager.default.temporaryDirectory.appendingPathComponent("rollcall-\(UUID().uuidString)").path
    }

    var database: String { "\(self.path)/\(SQLiteStore.fileName)" }

    /// What the database and its WAL, and the index of that, would be after a kill or, for all that can be known of it, after
    /// the power failed now.
    func copy(withIndex: Bool = false) throws -> TemporaryFolder {
        let copy = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
        for suffix in ["", "-wal"] + (withIndex ? ["-shm"] : [])
        where FileManager.default.fileExists(atPath: self.database + suffix) {
            try FileManager.default.copyItem(atPath: self.database + suffix, toPath: copy.database + suffix)
        }
        return copy
    }

    /// The bytes of every file by its name, but the lock's.
    func files() throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: self.path).filter { $0 != "rollcall.lock" }
        return Dictionary(
            uniqueKeysWithValues: try names.map { name in
                (name, try Data(contentsOf: URL(fileURLWithPath: "\(self.path)/\(name)")))
            })
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }
}

extension SQLiteStore.Options {
    /// Nothing happens in the background until a test asks for it.
    static var quiet: SQLiteStore.Options {
        var options = SQLiteStore.Options()
        options.foldDelayMilliseconds = 3_600_000
        options.foldBacklogCount = .max
        options.checkpointFrameCount = .max
        return options
    }
}

extension DeviceStore {
    /// Everything that is stored.
    func contents() throws(StoreError) -> StoreContents {
        var contents = StoreContents()
        try self.load(into: &contents)
        return contents
    }

    /// A history that follows on this store, which is new.
    func history(seed: UInt64) throws(StoreError) -> HistoryGenerator {
        HistoryGenerator(seed: seed, contents: try self.contents(), marks: try self.head().highWaterMarks)
    }
}

/// The code of the error that `body` throws; nil if it throws none.
func code(of body: () throws(StoreError) -> Void) -> StoreError.Code? {
    do {
        try body()
        return nil
    } catch {
        return error.code
    }
}
