// Backups that are changed on their way: by a server that does not send what it says it does.

import DeviceModel
import Foundation
import NIOCore
import RPC
import RollcallTesting
import Testing

@Suite(.timeLimit(.minutes(1))) struct DamagedBackupTests {
    enum Damage: String, CaseIterable, Sendable {
        case bit, gap, repeated, size, digest, end

        /// What the client says of it; nil where nothing is wrong.
        var finding: String {
            switch self {
            case .bit, .size, .digest: "size or SHA-256 differ"
            case .gap: "byte 6 followed on byte 4"
            case .repeated: "byte 0 followed on byte 4"
            case .end: "it ended early"
            }
        }
    }

    private static let content: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

    /// The messages of a backup of ``content``, in two parts.
    private static func messages(_ damage: Damage?) -> [[UInt8]] {
        func part(_ range: Range<Int>, at position: Int) -> [UInt8] {
            var bytes = Array(Self.content[range])
            if damage == .bit, position > 0 { bytes[0] ^= 1 }
            return Wire.field(1, bytes) + Wire.number(2, UInt64(position)) + Wire.number(3, 8)
        }
        var digest = SHA256()
        Self.content.withUnsafeBytes { digest.update($0) }
        let sha256 = damage == .digest ? Array(digest.digest.reversed()) : digest.digest
        let summary =
            Wire.text(1, UUID().uuidString) + Wire.number(2, 7) + Wire.number(3, damage == .size ? 9 : 8)
            + Wire.field(4, sha256)
        let second =
            switch damage {
            case .gap: part(6..<8, at: 6)
            case .repeated: part(0..<4, at: 0)
            default: part(4..<8, at: 4)
            }
        return [part(0..<4, at: 0), second]
            + (damage == .end ? [] : [Wire.number(2, 8) + Wire.number(3, 8) + Wire.field(4, summary)])
    }

    private static func server(_ damage: Damage?) -> MethodTable {
        let name = MethodName(service: "rollcall.v1.Server", method: "Backup")
        return MethodTable([
            Method(
                name,
                .stream(.server) { _, requests, responses in
                    for try await _ in requests {}
                    for message in Self.messages(damage) { try await responses.write(ByteBuffer(bytes: message)) }
                })
        ])
    }

    private static func backUp(_ damage: Damage?, to file: String) async throws -> ProcessOutput {
        var output: ProcessOutput?
        try await LiveServer.serve(.ttrpc, Self.server(damage)) { server in
            output = try await ChildProcess.run(
                "rollcall", ["server", "backup", file, "--force", "--address", server.path])
        }
        return try #require(output)
    }

    @Test func whatIsRightIsKept() async throws {
        let folder = try TemporaryFolder()
        let output = try await Self.backUp(nil, to: folder.path("b"))
        #expect(output.end == .exit(0), "\(output.standardError)")
        #expect(try Array(Data(contentsOf: URL(filePath: folder.path("b")))) == Self.content)
    }

    /// What was there before stays, and nothing else is left.
    @Test(arguments: Damage.allCases) func whatIsNotIsRefused(damage: Damage) async throws {
        let folder = try TemporaryFolder()
        try Data("the last one".utf8).write(to: URL(filePath: folder.path("b")))
        let output = try await Self.backUp(damage, to: folder.path("b"))
        #expect(output.end == .exit(1))
        #expect(
            output.standardError == """
                rollcall: What was received is not the backup that was sent: \(damage.finding); make another one.

                """)
        #expect(try String(contentsOfFile: folder.path("b"), encoding: .utf8) == "the last one")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["b"])
    }
}
