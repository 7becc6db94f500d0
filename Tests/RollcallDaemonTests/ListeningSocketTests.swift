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

    private func listen(mode: UInt32 = 0o660, groupID: gid_t? = nil) throws(DaemonError) -> ListeningSocket {
        try ListeningSocket(path: self.path, mode: mode, groupID: groupID)
    }

    private func refusal(_ path: String) -> String? {
        do {
            let socket = try ListeningSocket(path: path, mode: 0o660, groupID: nil)
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

    @Test func theGroupIsTheOneAskedFor() throws {
        let socket = try self.listen(groupID: getegid())
        defer { close(socket.descriptor) }
        #expect(try self.attributes()[.groupOwnerAccountID] as? Int == Int(getegid()))
    }

    @Test func anUnknownGroupIsNamedAndANumberIsTaken() throws {
        var configuration = DaemonConfiguration(socketPath: self.path, dataFolder: "", eventLoopCount: 1)
        configuration.socketGroup = "no-such-group"
        #expect(throws: DaemonError(.start, "There is no group no-such-group for the socket.")) {
            try configuration.socketGroupID
        }
        configuration.socketGroup = "4242"
        #expect(try configuration.socketGroupID == 4_242)
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
        #expect(try self.mode("a/b") == 0o750)
    }

    private func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: self.folder.path(name))[.posixPermissions] as? Int
    }

    /// The umask may not take away what a caller needs to get through.
    @Test(arguments: [(0o600, 0o700), (0o660, 0o750), (0o666, 0o755)] as [(UInt32, Int)])
    func aNewFolderLetsThroughWhomTheSocketLetsConnect(socketMode: UInt32, mode: Int) throws {
        let socket = try self.listen(mode: socketMode, groupID: getegid())
        defer { close(socket.descriptor) }
        #expect(try self.mode("s") == mode)
    }

    @Test func aFolderThatIsASymbolicLinkIsRefused() throws {
        let (real, link) = (self.folder.path("real"), self.folder.path("s"))
        try FileManager.default.createDirectory(atPath: real, withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: real)
        let sentence = "The socket's folder \(link) is a symbolic link; name the folder that it leads to."
        #expect(self.refusal(self.path) == sentence)
        #expect(self.refusal("\(link)//r.sock") == sentence)
        #expect(try FileManager.default.contentsOfDirectory(atPath: real) == [])
    }

    @Test func aLinkInPlaceOfTheLockIsNotFollowed() throws {
        let victim = self.folder.path("victim")
        try Data("precious".utf8).write(to: URL(filePath: victim))
        try FileManager.default.createSymbolicLink(
            atPath: self.folder.path("r.sock.lock"), withDestinationPath: victim)
        #expect(self.refusal(self.folder.path("r.sock"))?.contains("r.sock.lock cannot be opened") == true)
        #expect(FileManager.default.contents(atPath: victim) == Data("precious".utf8))
    }

    /// Whoever may write to a folder above may as well put another one in place of the socket's.
    @Test(arguments: ["s", "s/deeper"])
    func aFolderThatEverybodyMayWriteToIsRefused(folder: String) throws {
        let open = self.folder.path("s")
        try FileManager.default.createDirectory(
            atPath: self.folder.path(folder), withIntermediateDirectories: true)
        try #require(chmod(open, 0o777) == 0)
        let sentence = self.refusal(self.folder.path("\(folder)/r.sock"))
        #expect(
            sentence?.hasPrefix("Everybody may write to \(open), and so replace the socket") == true,
            "\(sentence ?? "-")")
        #expect(!FileManager.default.fileExists(atPath: self.folder.path("\(folder)/r.sock.lock")))
        try #require(chmod(open, 0o1777) == 0)
        #expect(self.refusal(self.folder.path("\(folder)/r.sock")) == nil)
    }

    @Test func aFolderThatCannotBeMadeIsNamed() throws {
        try Data().write(to: URL(filePath: self.folder.path("file")))
        let sentence = self.refusal(self.folder.path("file/sub/r.sock"))
        #expect(sentence == "The folder \(self.folder.path("file/sub")) cannot be made: not a directory.")
    }
}
