import Foundation
import RollcallClient
import RollcallTesting
import Testing

/// Calls while commits wait: the daemon gives up on one after two seconds, so nothing else may keep these tests waiting.
@Suite(.serialized, .timeLimit(.minutes(1))) struct HeldStoreTests {
    @Test func callsOverTheLimitOfAConnectionAreRefusedAndTheOthersAnswered() async throws {
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            let wire = try WireConnection(daemon)
            let ids = (0..<1_024).map { UInt32(2 * $0 + 1) }
            let held = try await daemon.holdStore()
            await wire.send(
                bytes: ids.flatMap { WireFrame.request($0, "Devices/CreateDevice", Wire.device("A-\($0)")).bytes })
            await wire.send(.request(9_999, "Server/GetServerInfo"))
            try await wire.expectRefusal(9_999, 8, "LIMIT_EXCEEDED")
            try held.release()
            for id in ids {
                try await wire.expectReply(id)
            }
            try await wire.expectAlive()
        }
    }

    @Test func callerWhoseTimeIsOverLearnsTheOutcomeFromARepeat() async throws {
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            let wire = try WireConnection(daemon)
            let request = Wire.device("A-1") + Wire.text(4, UUID().uuidString)
            let held = try await daemon.holdStore()
            await wire.send(.request(1, "Devices/CreateDevice", request, timeoutNanoseconds: 1_000_000))
            try await wire.expectRefusal(1, 4, "DEADLINE_EXCEEDED")
            // Nothing is visible before it is durable.
            await wire.send(.request(3, "Devices/GetDevice", Wire.text(2, "A-1")))
            try await wire.expectRefusal(3, 5, "DEVICE_NOT_FOUND")
            await wire.send(.request(5, "Devices/CreateDevice", request))
            try held.release()
            let created = try await wire.expectReply(5)
            await wire.send(.request(7, "Devices/GetDevice", Wire.text(2, "A-1")))
            #expect(try await wire.expectReply(7) == created)
        }
    }

    @Test func drainAnswersTheCallInFlightAndRefusesNewOnes() async throws {
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            let wire = try WireConnection(daemon)
            let held = try await daemon.holdStore()
            await wire.send(.request(1, "Devices/CreateDevice", Wire.device("A-1")))
            try await wire.expectAlive()
            daemon.child.signal(SIGTERM)
            // Reads are served until the drain has reached the connection.
            var frame: WireFrame?
            repeat {
                await wire.send(.request(3, "Server/GetServerInfo"))
                frame = try await wire.receive()
            } while frame?.data.starts(with: [0x0A, 0x00]) == true
            let status = try WireStatus(#require(frame))
            #expect(status.code == 14 && status.reason == "DRAINING", "\(status)")
            try held.release()
            try await wire.expectReply(1)
            #expect(try await wire.receive() == nil)
            #expect(await daemon.child.end() == .exit(0))
        }
    }

    @Test func storeThatCannotCommitIsUnavailableForAsLongAsItCannot() async throws {
        try await DaemonProcess.with(in: TemporaryFolder()) { daemon in
            try await daemon.withClient { client in
                let held = try await daemon.holdStore()
                try await expect(.init(.unavailable, "STORE_UNAVAILABLE")) {
                    try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1")
                }
                #expect(try await client.listDevices().items.isEmpty)
                try held.release()
                _ = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1")
            }
        }
    }
}
