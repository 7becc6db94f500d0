// Watches as callers have them, over both protocols.

import CRollcallProto
import DeviceModel
import DeviceWire
import Foundation
import NIOCore
import ProtobufC
import RPC
import RollcallClient
import RollcallDaemon
import RollcallTesting
import TTRPC
import Testing

@Suite(.timeLimit(.minutes(1))) struct LiveWatchTests {
    private static let method = MethodName(service: "rollcall.v1.Devices", method: "WatchDevices")

    /// No bookmark but those that a test waits for, however slow the machine is.
    private static var limits: Limits {
        var limits = Limits()
        limits.watchHeartbeatNanoseconds = 3_600_000_000_000
        return limits
    }

    private static func request(
        _ filter: DeviceFilter = DeviceFilter(), from bookmark: Bookmark? = nil
    ) -> ByteBuffer {
        Arena.current.scope { arena in
            let request = UnsafePointer(
                arena.watchDevicesRequest(project: "", filter: filter, view: .basic, from: bookmark))
            var buffer = ByteBuffer()
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Encoding.packedByteCount(of: request)) {
                Encoding.pack(request, into: $0)
            }
            return buffer
        }
    }

    private static func event(_ message: ByteBuffer) throws -> DeviceEvent? {
        try message.withUnsafeReadableBytes { bytes in
            try Arena.current.decode(Messages.watchDevicesResponse, from: bytes) {
                try DeviceEvent(from: UnsafePointer($0))
            }
        }
    }

    /// `event serial` of each event until one of `last`.
    private static func lines(
        _ events: inout DeviceEvents.AsyncIterator, until last: String
    ) async throws -> [String] {
        var lines: [String] = []
        while lines.last != last, let event = try await events.next() {
            lines += event.lines
        }
        return lines
    }

    @Test func aWatchTellsWhatMatchesAndThenEveryChange() async throws {
        try await DaemonHarness.with(in: TemporaryFolder(), limits: Self.limits) { harness in
            let client = try await harness.client()
            _ = try await client.createCohort("beta", name: "Beta")
            for serial in ["A", "B", "C"] {
                _ = try await client.createDevice(
                    serial, ownerRef: "ada", hardwareVersion: "h1", cohort: serial == "C" ? nil : "beta")
            }
            var filter = DeviceFilter()
            filter.cohorts = ["beta"]
            let bookmark = try await client.watchDevices(filter) { events in
                var events = events.makeAsyncIterator()
                #expect(
                    try await Self.lines(&events, until: "bookmark 3") == ["snapshot A", "snapshot B", "bookmark 3"])
                _ = try await client.updateDevice("C", cohort: "beta")
                _ = try await client.checkIn("A", release: (version: "1.2", revision: ""))
                _ = try await client.updateDevice("B", cohort: "default")
                _ = try await client.deleteDevice("C")
                #expect(
                    try await Self.lines(&events, until: "left C") == ["entered C", "changed A", "left B", "left C"])
                return Bookmark(
                    storeID: try #require(UUID(uuidString: try await client.serverInfo().storeID)), revision: 6)
            }
            try await client.watchDevices(filter, from: bookmark) { events in
                var events = events.makeAsyncIterator()
                let lines = try await Self.lines(&events, until: "bookmark 7")
                #expect(lines == ["left C", "bookmark 7"])
            }
            await client.close()
        }
    }

    @Test func halfClosingEndsAWatchWhereThereIsNoOtherWay() async throws {
        try await DaemonHarness.with(in: TemporaryFolder(), limits: Self.limits) { harness in
            let client = try await harness.rawClient()
            try await client.withStream(Self.method, .bidirectional) { stream in
                try await stream.send(Self.request())
                var messages = stream.messages.makeAsyncIterator()
                #expect(try await messages.next().flatMap(Self.event)?.lines == ["bookmark 0"])
                stream.finish()
                #expect(try await messages.next() == nil)
            }
            await client.close()
        }
    }

    @Test func halfClosingOnGRPCOnlySaysThatNoMoreIsAsked() async throws {
        try await DaemonHarness.with(in: TemporaryFolder(), limits: Self.limits) { harness in
            let client = try await harness.client()
            try await GRPCTestClient.with(harness.socketPath) { grpc in
                let call = try await grpc.open(GRPCTestClient.headers(Self.method))
                call.send(Self.request(), endStream: true)
                var messages = MessageReader(call)
                #expect(try await messages.next().flatMap(Self.event)?.lines == ["bookmark 0"])
                _ = try await client.createDevice("A", ownerRef: "ada", hardwareVersion: "h1")
                #expect(try await messages.next().flatMap(Self.event)?.lines == ["entered A"])
                call.cancel()
            }
            await client.close()
        }
    }

    @Test func aSecondMessageIsRefused() async throws {
        try await DaemonHarness.with(in: TemporaryFolder(), limits: Self.limits) { harness in
            let client = try await harness.rawClient()
            for isSentTwice in [true, false] {
                let status = await #expect(throws: Status.self) {
                    try await client.withStream(Self.method, .bidirectional) { stream in
                        if isSentTwice {
                            try await stream.send(Self.request())
                            try await stream.send(Self.request())
                        } else {
                            stream.finish()
                        }
                        for try await _ in stream.messages {}
                    }
                }
                #expect(status?.code == .invalidArgument)
            }
            await client.close()
        }
    }

    @Test func everyBadFieldIsNamedAtOnce() async throws {
        try await DaemonHarness.with(in: TemporaryFolder(), limits: Self.limits) { harness in
            let client = try await harness.client()
            var filter = DeviceFilter()
            filter.activity = .active
            filter.expression = "cohort.name = beta"
            filter.releases = Array(repeating: "r", count: 1_001)
            let bad = filter
            try await expect(.badFields(["activity", "filter", "from_revision", "release"])) {
                try await client.watchDevices(bad, from: Bookmark(storeID: UUID(), revision: -1)) { events in
                    for try await _ in events {}
                }
            }
            try await expect(Refusal(.notFound, "PROJECT_NOT_FOUND", resource: "Project nowhere")) {
                try await client.with(project: "nowhere").watchDevices { events in for try await _ in events {} }
            }
            let storeID = try #require(UUID(uuidString: try await client.serverInfo().storeID))
            for bookmark in [Bookmark(storeID: UUID(), revision: 0), Bookmark(storeID: storeID, revision: 1)] {
                let error = await #expect(throws: RollcallError.self) {
                    try await client.watchDevices(from: bookmark) { events in for try await _ in events {} }
                }
                #expect(error?.code == .outOfRange && error?.reason == "REVISION_OUT_OF_RANGE")
            }
            await client.close()
        }
    }

    @Test func aWatchGoesOnAfterADrainAndARestart() async throws {
        let folder = try TemporaryFolder()
        let error = try await DaemonHarness.with(in: folder, limits: Self.limits) { harness in
            let client = try await harness.client()
            _ = try await client.createDevice("A", ownerRef: "ada", hardwareVersion: "h1")
            let error = await #expect(throws: RollcallError.self) {
                try await client.watchDevices { events in
                    for try await event in events where event.lines == ["bookmark 1"] {
                        await harness.daemon.stop()
                    }
                }
            }
            await client.close()
            return error
        }
        #expect(error?.code == .unavailable && error?.reason == "DRAINING")
        let bookmark = try #require(error?.bookmark)
        #expect(bookmark.revision == 1)
        try await DaemonHarness.with(in: folder, limits: Self.limits) { harness in
            let client = try await harness.client()
            _ = try await client.deleteDevice("A")
            try await client.watchDevices(from: bookmark) { events in
                var events = events.makeAsyncIterator()
                let lines = try await Self.lines(&events, until: "bookmark 2")
                #expect(lines == ["left A", "bookmark 2"])
            }
            await client.close()
        }
    }

    /// A caller that reads nothing is ended, or waited for; those who read hear of everything meanwhile, and commits go on.
    @Test func aStalledWatcherHoldsUpNobody() async throws {
        var limits = Self.limits
        limits.watchBacklogCountMax = 64
        limits.queuedOutputByteCountMax = 64 << 10
        try await DaemonHarness.with(in: TemporaryFolder(), limits: limits) { harness in
            let client = try await harness.client()
            let stalled = try await harness.rawClient()
            try await stalled.withStream(Self.method, .bidirectional) { stream in
                try await stream.send(Self.request())
                var messages = stream.messages.makeAsyncIterator()
                #expect(try await messages.next().flatMap(Self.event)?.lines == ["bookmark 0"])
                try await client.watchDevices { events in
                    var events = events.makeAsyncIterator()
                    _ = try await events.next()
                    let note = String(repeating: "n", count: 200)
                    for number in 1...400 {
                        _ = try await client.createDevice("D\(number)", ownerRef: note, hardwareVersion: "h1")
                        #expect(try await events.next()?.lines == ["entered D\(number)"])
                    }
                }
            }
            await stalled.close()
            await client.close()
        }
    }
}

/// The messages of a call, as they come.
private struct MessageReader {
    private var events: AsyncStream<GRPCTestCall.Event>.AsyncIterator
    private var bytes = ByteBuffer()

    init(_ call: GRPCTestCall) {
        self.events = call.events.makeAsyncIterator()
    }

    mutating func next() async -> ByteBuffer? {
        while true {
            if let length = self.bytes.getInteger(at: self.bytes.readerIndex + 1, as: UInt32.self),
                self.bytes.readableBytes >= 5 + Int(length)
            {
                self.bytes.moveReaderIndex(forwardBy: 5)
                return self.bytes.readSlice(length: Int(length))
            }
            guard let event = await self.events.next() else { return nil }
            if case .data(let more) = event { self.bytes.writeImmutableBuffer(more) }
        }
    }
}

extension DeviceEvent {
    /// `event serial` of each device, or `bookmark revision`.
    fileprivate var lines: [String] {
        switch self {
        case .snapshot(let devices, _): devices.map { "snapshot \($0.deviceSerial)" }
        case .entered(let device, _): ["entered \(device.deviceSerial)"]
        case .changed(let device, _): ["changed \(device.deviceSerial)"]
        case .left(let device, _): ["left \(device.deviceSerial)"]
        case .bookmark(let bookmark): ["bookmark \(bookmark.revision)"]
        }
    }
}
