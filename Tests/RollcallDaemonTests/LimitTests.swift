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

    @Test func connectionsOverTheLimitAreToldSoAtTheirFirstCallInEitherProtocol() async throws {
        try await Self.with {
            $0.connectionCountMax = 1
            $0.refusedConnectionNanoseconds = 60_000_000_000
        } body: { harness in
            let first = try WireConnection(path: harness.socketPath)
            try await first.expectAlive()
            let second = try WireConnection(path: harness.socketPath)
            await second.send(.request(1, "Server/GetServerInfo"), Self.watch.with(id: 3))
            let refusal = try await second.expectRefusal(1, 8, "LIMIT_EXCEEDED")
            #expect(refusal.message == "The server has 1 connections, as many as it may (connections).")
            try await second.expectRefusal(3, 8, "LIMIT_EXCEEDED")
            try await GRPCTestClient.with(harness.socketPath) { third in
                let name = MethodName(service: "rollcall.v1.Server", method: "GetServerInfo")
                let outcome = try await third.unary(name, ByteBuffer())
                #expect(outcome.status?.code == .resourceExhausted && outcome.status?.message == refusal.message)
            }
            try await first.expectAlive()
        }
    }

    @Test func aConnectionOverTheLimitIsClosedSoonAndKeepsNoPlace() async throws {
        try await Self.with {
            $0.connectionCountMax = 1
            $0.refusedConnectionNanoseconds = 1_000_000
        } body: { harness in
            let first = try WireConnection(path: harness.socketPath)
            try await first.expectAlive()
            let second = try WireConnection(path: harness.socketPath)
            #expect(try await second.receive() == nil)
            try await first.expectAlive()
        }
    }

    @Test func connectionsOfAUserOverItsLimitAreToldSo() async throws {
        try await Self.with {
            $0.connectionCountMaxPerUser = 1
        } body: { harness in
            let first = try WireConnection(path: harness.socketPath)
            try await first.expectAlive()
            let second = try WireConnection(path: harness.socketPath)
            await second.send(.request(1, "Server/GetServerInfo"))
            let refusal = try await second.expectRefusal(1, 8, "LIMIT_EXCEEDED")
            #expect(refusal.message == "The user has 1 connections, as many as it may (connections_per_uid).")
        }
    }

    @Test(arguments: ["calls_per_uid", "watchers_per_uid"])
    func streamsOfAUserOverItsLimitAreRefusedOnEveryConnection(name: String) async throws {
        try await Self.with {
            if name == "calls_per_uid" { $0.callCountMaxPerUser = 1 } else { $0.watcherCountMaxPerUser = 1 }
        } body: { harness in
            let first = try WireConnection(path: harness.socketPath)
            await first.send(Self.watch)
            // The watch runs once it has said something.
            #expect(try await first.receive()?.type == 3)
            let second = try WireConnection(path: harness.socketPath)
            await second.send(Self.watch)
            let refusal = try await second.expectRefusal(1, 8, "LIMIT_EXCEEDED")
            #expect(refusal.message == "The user has 1 such calls in flight, as many as it may (\(name)).")
            try await second.expectAlive()
        }
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

    /// Who reads nothing is ended for what waits for it; who reads beside it never notices.
    @Test(arguments: TestProtocol.allCases)
    func outputThatNobodyReadsIsBoundedOverAllConnections(wire: TestProtocol) async throws {
        try await Self.with {
            $0.queuedTotalByteCountMax = 1 << 20
        } body: { harness in
            let client = try await harness.client()
            let note = String(repeating: "n", count: 256)
            _ = try await client.batchCreateDevices(
                (0..<1_000).map { .init("D\($0)", ownerRef: note, hardwareVersion: "h") })
            #expect(try await Self.isEnded(byAsking: wire, harness.socketPath))
            var query = ListQuery()
            query.pageSize = 1_000
            #expect(try await client.listDevices(query).items.count == 1_000)
            await client.close()
        }
    }

    /// Who leaves much unread is given no more of it, on any of its connections, until that is gone.
    @Test func longAnswersAreRefusedToWhoLeavesMuchUnread() async throws {
        try await Self.with {
            $0.queuedByteCountMaxPerUser = 256 << 10
        } body: { harness in
            let client = try await harness.client()
            let note = String(repeating: "n", count: 256)
            _ = try await client.batchCreateDevices(
                (0..<1_000).map { .init("D\($0)", ownerRef: note, hardwareVersion: "h") })
            let slow = try #require(RawConnection(harness.socketPath))
            for id in 0..<4 as Range<UInt32> {
                await slow.send(WireFrame.request(2 * id + 1, "Devices/ListDevices", Wire.number(12, 1_000)).bytes)
            }
            // What it asked for is on its way.
            try await poll { (try? await client.listDevices(ListQuery())) == nil }
            let other = try WireConnection(path: harness.socketPath)
            for (id, method) in [(3, "ListDevices"), (5, "ExportDevices"), (7, "WatchDevices")] as [(UInt32, String)] {
                await other.send(.request(id, "Devices/\(method)", flags: method == "ListDevices" ? 0 : 1))
                let refusal = try await other.expectRefusal(id, 8, "LIMIT_EXCEEDED")
                #expect(refusal.message.contains("262144 bytes wait for the user's connections (queued_bytes_per_uid)"))
            }
            _ = try await client.getDevice("D1")
            slow.close()
            try await poll { (try? await client.listDevices(ListQuery()).items.count) == 100 }
            await client.close()
        }
    }

    /// Asks for long pages and reads none, until the server closes the connection; false where it does not.
    private static func isEnded(byAsking wire: TestProtocol, _ path: String) async throws -> Bool {
        let name = MethodName(service: "rollcall.v1.Devices", method: "ListDevices")
        let page = Wire.number(12, 1_000)
        let idMax: UInt32 = 20_000
        var id: UInt32 = 1
        switch wire {
        case .ttrpc:
            let slow = try #require(RawConnection(path))
            while id < idMax, await slow.send(WireFrame.request(id, "Devices/ListDevices", page).bytes) { id += 2 }
            slow.close()
        case .grpc:
            let slow = try #require(HTTP2Connection(path))
            // Windows that keep nothing back: what is not read waits in the channel.
            await slow.begin(initialWindow: 1 << 30)
            await slow.send(HTTP2Connection.frame(8, HTTP2Connection.bigEndian(1 << 30)))
            let message = HTTP2Connection.message(page)
            while id < idMax {
                await slow.open(id, name)
                let data = HTTP2Connection.frame(0, flags: HTTP2Connection.endStream, stream: id, message)
                guard await slow.send(data) else { break }
                id += 2
            }
        }
        return id < idMax
    }

    /// Who never finishes what it sends is ended for it, the one that waits the longest first; the others may finish.
    @Test(arguments: TestProtocol.allCases)
    func inputThatNobodyFinishesIsBoundedOverAllConnections(wire: TestProtocol) async throws {
        try await Self.with {
            $0.queuedTotalByteCountMax = 1 << 20
        } body: { harness in
            switch wire {
            case .ttrpc:
                let header = WireFrame.bigEndian(900 << 10) + WireFrame.bigEndian(1) + [1, 0]
                let (first, second) = (
                    try #require(RawConnection(harness.socketPath)), try #require(RawConnection(harness.socketPath))
                )
                await first.send(header + [UInt8](repeating: 0, count: 600 << 10))
                // The daemon has them once it answers on another connection what was sent after them.
                try await WireConnection(path: harness.socketPath).expectAlive()
                await second.send(header + [UInt8](repeating: 0, count: 600 << 10))
                // A reset is an end as well.
                let end = await first.receive()
                let isStillTaken = await first.send([0])
                #expect(end == [] || !isStillTaken)
                await second.send([UInt8](repeating: 0, count: 300 << 10))
                #expect(await second.receive()?.isEmpty == false)
                first.close()
                second.close()
            case .grpc:
                let (first, second) = (
                    try #require(HTTP2Connection(harness.socketPath)), try #require(HTTP2Connection(harness.socketPath))
                )
                let id = try await Self.sendHalves(of: 10, first)
                try await WireConnection(path: harness.socketPath).expectAlive()
                _ = try await Self.sendHalves(of: 10, second)
                #expect(await first.isClosedByServer())
                let rest = [UInt8](repeating: 0, count: 5_000)
                await second.send(HTTP2Connection.frame(0, flags: HTTP2Connection.endStream, stream: id, rest))
                var answered: HTTP2TestFrame?
                repeat { answered = await second.receive() } while answered.map { $0.type != 1 } ?? false
                #expect(answered?.stream == id)
            }
            try await WireConnection(path: harness.socketPath).expectAlive()
        }
    }

    /// Sends the most that a stream's first window takes of messages that are 5,000 bytes longer; the last stream's id.
    private static func sendHalves(of count: UInt32, _ connection: HTTP2Connection) async throws -> UInt32 {
        let name = MethodName(service: "rollcall.v1.Devices", method: "GetDevice")
        await connection.begin()
        let part = [UInt8](repeating: 0, count: 15_000)
        for index in 0..<count {
            let id = 2 * index + 1
            await connection.open(id, name)
            let prefix = [0] + HTTP2Connection.bigEndian(UInt32(4 * part.count + 5_000))
            await connection.send(HTTP2Connection.frame(0, stream: id, prefix))
            for _ in 0..<4 { await connection.send(HTTP2Connection.frame(0, stream: id, part)) }
        }
        return 2 * count - 1
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

extension WireFrame {
    fileprivate func with(id: UInt32) -> WireFrame {
        var frame = self
        frame.id = id
        return frame
    }
}
