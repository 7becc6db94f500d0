import Foundation
import RollcallClient
import RollcallTesting
import Synchronization
import Testing

/// Streams of check-ins at the real daemon, through the client.
@Suite(.sharedDaemon, .timeLimit(.minutes(1))) struct LiveCheckInStreamTests {
    /// Sends check-ins, and gives their acknowledgements.
    private func acknowledgements(
        _ client: RollcallClient, _ checkIns: [RollcallClient.CheckIn]
    ) async throws -> [RollcallClient.CheckInAcknowledgement] {
        let acknowledgements = Mutex<[RollcallClient.CheckInAcknowledgement]>([])
        let (stream, continuation) = AsyncStream.makeStream(of: RollcallClient.CheckIn.self)
        for checkIn in checkIns { continuation.yield(checkIn) }
        continuation.finish()
        try await client.checkIn(stream) { acknowledgement in
            acknowledgements.withLock { $0.append(acknowledgement) }
        }
        return acknowledgements.withLock { $0 }
    }

    @Test func everyCheckInIsAcknowledgedInOrderAndDurable() async throws {
        try await SharedDaemon.withClient { client in
            let time = try #require(Timestamp(rfc3339: "2024-01-19T05:01:13.123456Z"))
            let checkIns = (0..<3_000).map { number in
                RollcallClient.CheckIn(
                    number % 10 == 3 ? "no serial" : "A-\(number)", time: time,
                    release: (version: "1.2.\(number % 3)", revision: ""), hardwareVersion: "h1",
                    attributes: [AttributeUpdate(key: "battery", value: .int(Int64(number)))], createMissing: true)
            }
            let acknowledgements = try await self.acknowledgements(client, checkIns)
            #expect(acknowledgements.map(\.position) == Array(1...3_000))
            for (number, acknowledgement) in acknowledgements.enumerated() {
                switch acknowledgement.result {
                case .success(let device):
                    #expect(number % 10 != 3 && device.deviceSerial == "A-\(number)" && device.lastSeen == time)
                    #expect(device.lastSeenRelease?.version == "1.2.\(number % 3)")
                case .failure(let error):
                    #expect(number % 10 == 3 && error.code == .invalidArgument)
                    #expect(error.violations.map(\.field) == ["device_serial"])
                }
            }
            #expect(try await client.countDevices().count == 2_700)
            #expect(try await client.deviceAttributes("A-7").attributes.map(\.state.value) == [.int(7)])
        }
    }

    @Test func aStreamOfNothingEndsAtOnce() async throws {
        try await SharedDaemon.withClient { client in
            let acknowledgements = try await self.acknowledgements(client, [])
            #expect(acknowledgements.isEmpty)
        }
    }

    @Test func aStreamWhoseTimeIsOverEndsWithThat() async throws {
        try await SharedDaemon.withClient { client in
            let (stream, continuation) = AsyncStream.makeStream(of: RollcallClient.CheckIn.self)
            continuation.yield(RollcallClient.CheckIn("A", hardwareVersion: "h1", createMissing: true))
            let error = await #expect(throws: RollcallError.self) {
                try await client.with(timeout: .milliseconds(300)).checkIn(stream) { _ in }
            }
            #expect(error?.code == .deadlineExceeded)
        }
    }

    @Test(arguments: TestProtocol.allCases)
    func aDrainEndsAStreamAfterItsAcknowledgements(wire: TestProtocol) async throws {
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            try await daemon.withClient(wire) { client in
                let (checkIns, continuation) = AsyncStream.makeStream(of: RollcallClient.CheckIn.self)
                continuation.yield(RollcallClient.CheckIn("A", hardwareVersion: "h1", createMissing: true))
                let count = Atomic<Int>(0)
                let error = await #expect(throws: RollcallError.self) {
                    // It would go on, were it not for the drain.
                    try await client.checkIn(checkIns) { _ in
                        count.add(1, ordering: .relaxed)
                        daemon.child.signal(SIGTERM)
                    }
                }
                #expect(error?.code == .unavailable && error?.reason == "DRAINING", "\(String(describing: error))")
                #expect(count.load(ordering: .relaxed) == 1)
            }
            #expect(await daemon.child.end() == .exit(0))
        }
    }
}
