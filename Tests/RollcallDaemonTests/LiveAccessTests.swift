// Rules over the socket, by either protocol, and what changes them.

import DeviceModel
import Foundation
import Logging
import RollcallClient
import RollcallDaemon
import RollcallTesting
import Testing

/// A caller is what the kernel says it is: here the test's own user and group, whom the daemon does not trust.
@Suite struct LiveAccessTests {
    private static let own = "user:\(geteuid())"
    private static let denied = Refusal(.permissionDenied, "ACCESS_DENIED")

    /// Runs a daemon and, by each protocol, a body.
    private func with(
        _ rules: [String]?, _ body: (TestAccess, DaemonHarness, RollcallClient) async throws -> Void
    ) async throws {
        for wire in TestProtocol.allCases {
            let access = try TestAccess(rules)
            try await DaemonHarness.with(in: TemporaryFolder(), store: MemoryStore(), access: access) { harness in
                try await DaemonProcess.withClient(harness.socketPath, wire) { try await body(access, harness, $0) }
            }
        }
    }

    @Test func whoHasNoRoleIsToldNothingButWhoItIs() async throws {
        try await self.with([]) { access, _, client in
            try await expect(Self.denied) { try await client.getDevice("A-1") }
            try await expect(Self.denied) { try await client.listProjects() }
            try await expect(Self.denied) { try await client.with(project: "missing").getDevice("A-1") }
            let caller = try await client.serverInfo().caller
            #expect(caller.userID == geteuid())
            #expect(caller.roles == [])
            #expect(
                access.log.auditLines.map { $0.metadata["method"] } == [
                    "rollcall.v1.Devices/GetDevice", "rollcall.v1.Projects/ListProjects",
                    "rollcall.v1.Devices/GetDevice",
                ])
            #expect(access.log.auditLines.allSatisfy { $0.metadata["peer.pid"] == "\(getpid())" })
        }
    }

    @Test func withoutRulesTheSocketsGroupWrites() async throws {
        try await self.with(nil) { _, _, client in
            _ = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1")
            try await expect(Self.denied) { try await client.createProject("lab") }
            #expect(try await client.serverInfo().caller.roles.map(\.roles) == [["writer"]])
        }
    }

    @Test func whoIsConnectedGoesByTheNewRulesAtOnce() async throws {
        try await self.with(["\(Self.own)=admin"]) { access, harness, client in
            _ = try await client.createProject("lab")
            _ = try await client.createProject("shop")
            _ = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1")

            try access.set(["\(Self.own)=reader@lab"])
            await harness.daemon.reload()
            try await expect(Self.denied) { try await client.getDevice("A-1") }
            #expect(try await client.listProjects().items.map(\.slug) == ["lab"])
            #expect(
                try await client.serverInfo().caller.roles
                    == [ServerInfo.GrantedRoles(project: "lab", roles: ["reader"])])
            // As does who comes now.
            let other = try await harness.client()
            try await expect(Self.denied) { try await other.getDevice("A-1") }
            await other.close()

            let changed = try #require(access.log.lines.first { $0.message == "access rules changed" })
            #expect(changed.metadata["added"] == "[\"\(Self.own)=reader@lab\"]")
            #expect(changed.metadata["removed"] == "[\"\(Self.own)=admin\"]")
        }
    }

    @Test func wrongSettingsLeaveTheOldOnes() async throws {
        try await self.with(["\(Self.own)=writer"]) { access, harness, client in
            access.spoil(DaemonError(.configuration, "Something must be otherwise."))
            await harness.daemon.reload()
            _ = try await client.createDevice("A-1", ownerRef: "ada", hardwareVersion: "h1")
            let line = try #require(access.log.lines.first { $0.level == .error })
            #expect(line.metadata["error"] == "Something must be otherwise.")
            #expect(!access.log.lines.contains { $0.message == "access rules changed" || $0.message == "reloaded" })
        }
    }

    /// Streams by ttrpc; that they end is the methods' affair, whichever the protocol.
    @Test func aWatchEndsWhenItsCallerLosesItsRole() async throws {
        let access = try TestAccess(["\(Self.own)=writer"])
        try await DaemonHarness.with(in: TemporaryFolder(), store: MemoryStore(), access: access) { harness in
            let (watcher, writer) = (try await harness.client(), try await harness.client())
            try await expect(Self.denied) {
                try await watcher.watchDevices { events in
                    for try await event in events {
                        guard case .bookmark = event else { continue }
                        try access.set(["\(Self.own)=reporter+may_register"])
                        await harness.daemon.reload()
                        _ = try await writer.checkIn("A-1", hardwareVersion: "h1", createMissing: true)
                    }
                }
            }
            await watcher.close()
            await writer.close()
        }
    }
}
