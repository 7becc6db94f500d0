import DeviceModel
import Foundation
import NIOCore
import RPC
import RollcallClient
import RollcallTesting
import Testing

/// Bounds that hold over several connections, each met over a live socket: code, reason and sentence.
///
/// Those of one connection, one call or one field are met where they are enforced: in the tests of the transports, of the
/// query engine, of the registry and of the service.
@Suite(.timeLimit(.minutes(1))) struct LimitTests {
    private static let watch = WireFrame.request(1, "Devices/WatchDevices", Wire.text(1, "default"), flags: 2)

    private static func with(
        _ change: (inout Limits) -> Void, body: (DaemonHarness) async throws -> Void
    ) async throws {
        var limits = Limits()
        change(&limits)
        try await DaemonHarness.with(in: TemporaryFolder(), limits: limits) { try await body($0) }
    }

    @Test func watchersOverTheLimitAreRefused() async throws {
        try await Self.with {
            $0.watcherCountMax = 1
        } body: { harness in
            let first = try WireConnection(path: harness.socketPath)
            await first.send(Self.watch)
            #expect(try await first.receive()?.type == 3)
            let second = try WireConnection(path: harness.socketPath)
            await second.send(Self.watch)
            let refusal = try await second.expectRefusal(1, 8, "LIMIT_EXCEEDED")
            #expect(refusal.message.contains("1 watchers already, which is the most it takes (watchers)"))
        }
    }

    /// The README tells of every limit that a server reports.
    @Test func everyReportedLimitIsDocumented() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let undocumented = Limits().reported.map(\.name).filter { !text.contains("`\($0)`") }
        #expect(undocumented == [])
    }
}
