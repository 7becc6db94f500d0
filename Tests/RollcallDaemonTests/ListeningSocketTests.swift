import Foundation
@testable import RollcallDaemon
import RollcallTesting
import Testing

@Suite struct ListeningSocketTests {
    private let folder: TemporaryFolder
    private var path: String { self.folder.path("s/r.sock") }

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func listen(mode: UInt32 = 0o660, group: String? = nil) throws(DaemonError) -> ListeningSocket {
        try ListeningSocket(path: self.path, mode: mode, group: group)
    }

    private func refusal(_ path: String, group: String? = nil) -> String? {
        do {
            let socket = try ListeningSocket(path: path, mode: 0o660, group: group)
            close(socket.descriptor)
            return nil
        } catch {
            #expect(error.code == .start)
            return error.message
        }
    }

    private func attributes() throws -> [FileAttributeKey: Any] {
        try FileManager.default.attributesOfItem(atPath: self.path)
    }

    @Test func callersConnectAsSoonAsItIsMade() throws {
        let socket = try self.listen()
        defer { close(socket.descriptor) }
        let connection = try #require(RawConnection(self.path))
        connection.close()
    }

    /// The umask of a service is often 022, which would take the group's right to connect away.
    @Test(arguments: [0o600, 0o660, 0o666, 0o640] as [UInt32])
    func theModeIsTheOneAskedForWhateverTheUmask(mode: UInt32) throws {
        let socket = try self.listen(mode: mode)
        defer { close(socket.descriptor) }
        #expect(try self.attributes()[.posixPermissions] as? Int == Int(mode))
    }

    @Test func theGroupIsTheOneAskedForByNumber() throws {
        let socket = try self.listen(group: "\(getegid())")
        defer { close(socket.descriptor) }
        #expect(try self.attributes()[.groupOwnerAccountID] as? Int == Int(getegid()))
    }

    @Test func anUnknownGroupIsNamedAndLeavesNoSocket() {
        #expect(
            self.refusal(self.path, group: "no-such-group") == "There is no group no-such-group for the socket."
        )
        #expect(!FileManager.default.fileExists(atPath: self.path))
    }

    @Test func theSecondOfTwoOnOnePathIsRefusedWithTheOwnersNumber() throws {
        let socket = try self.listen()
        defer { close(socket.descriptor) }
        #expect(
            self.refusal(self.path) == "The socket \(self.path) belongs to another daemon, process \(getpid())."
        )
        withExtendedLifetime(socket) {}
    }

    @Test func aStaleSocketIsReplaced() throws {
        close(try self.listen().descriptor)
        #expect(FileManager.default.fileExists(atPath: self.path))
        let socket = try self.listen()
        defer { close(socket.descriptor) }
        let connection = try #require(RawConnection(self.path))
        connection.close()
        withExtendedLifetime(socket) {}
    }

    /// The lock does not help against a server that knows nothing of it.
    @Test func aLiveSocketIsNotRobbed() throws {
        let other = try self.listen()
        defer { close(other.descriptor) }
        try FileManager.default.removeItem(atPath: "\(self.path).lock")
        #expect(self.refusal(self.path) == "Another process serves the socket \(self.path).")
        let connection = try #require(RawConnection(self.path))
        connection.close()
    }

    @Test func aFileThatIsNoSocketIsLeftAlone() throws {
        try FileManager.default.createDirectory(atPath: self.folder.path("s"), withIntermediateDirectories: true)
        try Data("precious".utf8).write(to: URL(filePath: self.path))
        #expect(self.refusal(self.path)?.contains("is not a socket") == true)
        #expect(FileManager.default.contents(atPath: self.path) == Data("precious".utf8))
    }

    @Test func onExitOurOwnSocketIsTakenAway() throws {
        let socket = try self.listen()
        defer { close(socket.descriptor) }
        socket.unlinkIfOurs()
        #expect(!FileManager.default.fileExists(atPath: self.path))
    }

    @Test func onExitWhatSomebodyElsePutThereStays() throws {
        let socket = try self.listen()
        defer { close(socket.descriptor) }
        try FileManager.default.moveItem(atPath: self.path, toPath: self.folder.path("s/moved"))
        try Data().write(to: URL(filePath: self.path))
        socket.unlinkIfOurs()
        #expect(FileManager.default.fileExists(atPath: self.path))
    }

    @Test func thePathMayHave103BytesAndNoMore() throws {
        let longest = self.folder.path(String(repeating: "x", count: 103 - self.folder.path("").utf8.count))
        #expect(longest.utf8.count == 103)
        #expect(self.refusal(longest) == nil)
        #expect(
            self.refusal(longest + "x") == "The socket path \(longest)x has 104 bytes; a socket address holds 103."
        )
    }

    @Test func missingFoldersAreMade() throws {
        let path = self.folder.path("a/b/r.sock")
        #expect(self.refusal(path) == nil)
        let mode = try FileManager.default.attributesOfItem(atPath: self.folder.path("a/b"))[.posixPermissions] as? Int
        #expect(mode == (geteuid() == 0 ? 0o755 : 0o700))
    }

    @Test func aFolderThatCannotBeMadeIsNamed() throws {
        try Data().write(to: URL(filePath: self.folder.path("file")))
        let sentence = self.refusal(self.folder.path("file/sub/r.sock"))
        #expect(sentence == "The folder \(self.folder.path("file/sub")) cannot be made: not a directory.")
    }
}
