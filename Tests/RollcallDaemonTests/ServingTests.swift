import DeviceModel
import Foundation
import RollcallClient
@testable import RollcallDaemon
import RollcallTesting
import Testing

/// The listener in this process, so that a test can hold the store still.
@Suite struct ServingTests {
    private func creation(by client: RollcallClient) async -> Result<Device, RollcallError> {
        do throws(RollcallError) {
            return .success(try await client.createDevice("A1", ownerRef: "ada", hardwareVersion: "h1"))
        } catch {
            return .failure(error)
        }
    }

    private func refusedGet(by client: RollcallClient) async -> RollcallError? {
        do throws(RollcallError) {
            _ = try await client.getDevice("A1")
            return nil
        } catch {
            return error
        }
    }

    @Test func theCallerIsWhoTheKernelSays() async throws {
        try await DaemonHarness.with(in: TemporaryFolder()) { harness in
            let client = try await harness.client()
            let info = try await client.serverInfo()
            #expect(info.caller.userID == geteuid())
            #expect(info.caller.groupID == getegid())
            #expect(info.caller.processID == getpid())
            #expect(info.version == RollcallVersion.current)
            await client.close()
        }
    }

    @Test func connectionsOverTheLimitAreClosedAndTheOthersAreServed() async throws {
        var limits = Limits()
        limits.connectionCountMax = 2
        try await DaemonHarness.with(in: TemporaryFolder(), limits: limits) { harness in
            let first = try await harness.client()
            _ = try await first.serverInfo()
            let second = try #require(RawConnection(harness.socketPath))
            let third = try #require(RawConnection(harness.socketPath))
            // The two are accepted in their order.
            #expect(await third.receive() == [])
            third.close()
            second.close()
            _ = try await first.serverInfo()
            await first.close()
        }
    }

    @Test func aPlaceIsFreeAgainWhenItsConnectionIsGone() async throws {
        var limits = Limits()
        limits.connectionCountMaxPerUser = 1
        try await DaemonHarness.with(in: TemporaryFolder(), limits: limits) { harness in
            for _ in 0..<20 {
                let connection = try #require(RawConnection(harness.socketPath))
                connection.finishSending()
                // The daemon closes first, and counts the connection out before it does the next one in.
                #expect(await connection.receive() == [])
                connection.close()
            }
        }
    }

    @Test func aDrainFinishesTheMutationInFlightAndRefusesNewOnes() async throws {
        let store = FailingStore(MemoryStore())
        let folder = try TemporaryFolder()
        try await DaemonHarness.with(in: folder, store: store) { harness in
            let client = try await harness.client()
            store.hold()
            async let creation = self.creation(by: client)
            await store.heldCommit()
            await harness.daemon.stop()
            // Reads are served until the drain has reached the connection, and refused from then on.
            var refusal: RollcallError?
            while refusal == nil || refusal?.code == .notFound {
                refusal = await self.refusedGet(by: client)
            }
            #expect(refusal?.code == .unavailable)
            #expect(refusal?.reason == "DRAINING")
            #expect(!FileManager.default.fileExists(atPath: harness.socketPath))
            store.release()
            #expect(try await creation.get().deviceSerial == "A1")
            await client.close()
        }
    }

    @Test func afterTheDrainsDeadlineConnectionsAreClosed() async throws {
        let store = FailingStore(MemoryStore())
        let folder = try TemporaryFolder()
        try await DaemonHarness.with(in: folder, store: store, drainSeconds: 0) { harness in
            let client = try await harness.client()
            store.hold()
            async let creation = self.creation(by: client)
            await store.heldCommit()
            await harness.daemon.stop()
            #expect(await creation.failure?.code == .unavailable)
            store.release()
            await client.close()
        }
    }

    @Test func whatIsStoredIsThereAfterARestart() async throws {
        let folder = try TemporaryFolder()
        let created = try await DaemonHarness.with(in: folder) { harness in
            let client = try await harness.client()
            let device = try await client.createDevice("A1", ownerRef: "ada", hardwareVersion: "h1")
            await client.close()
            return device
        }
        let found = try await DaemonHarness.with(in: folder) { harness in
            let client = try await harness.client()
            let device = try await client.getDevice("A1")
            await client.close()
            return device
        }
        #expect(found == created)
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
