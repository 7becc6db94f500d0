import CRollcallProto
import DeviceModel
import DeviceWire
import Foundation
import NIOCore
import ProtobufC
import RPC
import RollcallClient
import Synchronization
import Testing

@Suite struct ConnectionTests {
    private static let getDevice = method("Devices", "GetDevice", Messages.getDeviceRequest) { request, arena in
        arena.message(Device.sample(serial: request.pointee.device_serial.string))
    }

    /// Never answers.
    private static let silent = Method(
        MethodName(service: "rollcall.v1.Devices", method: "GetDevice"), .deferred { _, _, _ in }
    )

    private static func connectError(_ path: String) async -> RollcallError? {
        await #expect(throws: RollcallError.self) { try await RollcallClient.connect(address: path) }
    }

    @Test func missingSocketIsNamedWithItsLikelyCause() async {
        let path = TestServer.newPath()
        let error = await Self.connectError(path)
        #expect(error?.code == .unavailable)
        #expect(error?.reason == "SERVER_UNREACHABLE")
        #expect(error?.isConnectionFailure == true)
        #expect(error?.message.contains("\(path): there is no socket") == true)
    }

    @Test func staleSocketIsSaidToBeStale() async throws {
        let path = TestServer.newPath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        // Connecting to a file that no one listens on is refused just as connecting to a dead daemon's socket is.
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        #expect(await Self.connectError(path)?.message.contains("\(path): the socket is stale") == true)
    }

    @Test func longPathIsSaidToBeTooLong() async {
        let path = "/tmp/" + String(repeating: "x", count: 99)
        #expect(await Self.connectError(path)?.message.contains("longer than the 103 bytes") == true)
    }

    @Test func callAfterALostConnectionMakesANewOne() async throws {
        try await withServer([Self.getDevice]) { client, server in
            let device = try await client.getDevice("A")
            #expect(device.deviceSerial == "A")
            // The client may hear of the loss a moment later than the server, so a call or two may still fail.
            try await server.breakConnections()
            let error = await Self.eventually { try await client.getDevice("B") }
            #expect(error == nil)
            #expect(server.connectionCount == 2)
        }
    }

    @Test func clientFindsAServerThatWasStartedAgain() async throws {
        let first = try await TestServer.start([Self.getDevice])
        let client = try await RollcallClient.connect(address: first.path)
        try await first.stop()
        let lost = await #expect(throws: RollcallError.self) { try await client.getDevice("A") }
        #expect(lost?.isConnectionFailure == true)
        let second = try await TestServer.start(path: first.path, [Self.getDevice])
        #expect(await Self.eventually { try await client.getDevice("A") } == nil)
        await client.close()
        try await second.stop()
    }

    @Test func concurrentCallsShareOneConnection() async throws {
        try await withServer([Self.getDevice]) { client, server in
            _ = try await client.getDevice("cold")
            try await server.breakConnections()
            _ = await Self.eventually { try await client.getDevice("warm") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let device = try await client.getDevice("D\(index)")
                        #expect(device.deviceSerial == "D\(index)")
                    }
                }
                try await group.waitForAll()
            }
            #expect(server.connectionCount == 2)
        }
    }

    @Test func callLostOnTheWayIsAConnectionFailure() async throws {
        let (calls, arrived) = AsyncStream.makeStream(of: Void.self)
        let silent = Method(
            MethodName(service: "rollcall.v1.Devices", method: "GetDevice"), .deferred { _, _, _ in arrived.yield() }
        )
        try await withServer([silent]) { client, server in
            async let breaking: Void = {
                for await _ in calls { break }
                try await server.breakConnections()
            }()
            let error = await #expect(throws: RollcallError.self) { try await client.getDevice("A") }
            try await breaking
            #expect(error?.code == .unavailable)
            #expect(error?.reason == "CONNECTION_LOST")
            #expect(error?.isConnectionFailure == true)
        }
    }

    @Test func timeoutEndsACallThatIsNotAnswered() async throws {
        try await withServer([Self.silent]) { client, _ in
            let error = await #expect(throws: RollcallError.self) {
                try await client.with(timeout: .milliseconds(20)).getDevice("A")
            }
            #expect(error?.code == .deadlineExceeded)
            #expect(error?.isConnectionFailure == false)
        }
    }

    @Test func hugeAndNegativeTimeoutsAreNoTrap() async throws {
        try await withServer([Self.getDevice]) { client, _ in
            let longest = Duration.seconds(Int64.max / 2)
            let unhurried = try await client.with(timeout: longest).getDevice("A")
            #expect(unhurried.deviceSerial == "A")
            let unbounded = try await client.with(timeout: nil).getDevice("A")
            #expect(unbounded.deviceSerial == "A")
            let error = await #expect(throws: RollcallError.self) {
                try await client.with(timeout: .seconds(-1)).getDevice("A")
            }
            #expect(error?.code == .deadlineExceeded)
        }
    }

    @Test func cancelledTaskEndsItsCall() async throws {
        let (calls, arrived) = AsyncStream.makeStream(of: Void.self)
        let silent = Method(
            MethodName(service: "rollcall.v1.Devices", method: "GetDevice"), .deferred { _, _, _ in arrived.yield() }
        )
        try await withServer([silent]) { client, _ in
            await withTaskGroup(of: RollcallError?.self) { group in
                group.addTask {
                    await #expect(throws: RollcallError.self) { try await client.getDevice("A") }
                }
                for await _ in calls { break }
                group.cancelAll()
                #expect(await group.next()??.code == .cancelled)
            }
        }
    }

    @Test func closedClientRefusesCalls() async throws {
        try await withServer([Self.getDevice]) { client, server in
            let copy = client.with(project: "p")
            _ = try await copy.getDevice("A")
            await client.close()
            let error = await #expect(throws: RollcallError.self) { try await copy.getDevice("A") }
            #expect(error?.code == .cancelled)
            #expect(server.connectionCount == 1)
        }
    }

    /// Calls until it is answered, a hundred times at most; the last failure, or nil.
    private static func eventually(_ call: () async throws -> Device) async -> RollcallError? {
        var failure: RollcallError?
        for _ in 0..<100 {
            do {
                _ = try await call()
                return nil
            } catch let error as RollcallError where error.isConnectionFailure {
                failure = error
            } catch {
                return error as? RollcallError
            }
        }
        return failure
    }
}
