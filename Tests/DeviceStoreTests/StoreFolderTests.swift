// The data folder belongs to the daemon's user alone.

import DeviceStore
import Foundation
import Testing

@Suite struct StoreFolderTests {
    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func aNewFolderAndWhatIsInItAreTheOwnersAlone() throws {
        let folder = TemporaryFolder()
        let store = try SQLiteStore(folder: "\(folder.path)/data/")
        defer { store.close() }
        #expect(try self.mode("\(folder.path)/data") == 0o700)
        for file in try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/data") {
            #expect(try self.mode("\(folder.path)/data/\(file)") == 0o600, "\(file)")
        }
    }

    /// The sticky bit does not help: a file that SQLite takes for a part of the database can be put beside it.
    @Test(arguments: [0o770, 0o702, 0o1777] as [mode_t])
    func aFolderThatOthersMayWriteToIsRefused(mode: mode_t) throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: false)
        try #require(chmod(folder.path, mode) == 0)
        #expect {
            try SQLiteStore(folder: folder.path).close()
        } throws: {
            "\($0)".contains("may be written to by others than its owner (mode \(String(mode, radix: 8)))")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        try #require(chmod(folder.path, 0o755) == 0)
        try SQLiteStore(folder: folder.path).close()
    }

    @Test func aLinkInPlaceOfTheLockIsNotFollowed() throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: false)
        let victim = "\(folder.path)/victim"
        try Data("precious".utf8).write(to: URL(fileURLWithPath: victim))
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/rollcall.lock", withDestinationPath: victim)
        #expect(throws: StoreError.self) { try SQLiteStore(folder: folder.path).close() }
        #expect(FileManager.default.contents(atPath: victim) == Data("precious".utf8))
    }
}
