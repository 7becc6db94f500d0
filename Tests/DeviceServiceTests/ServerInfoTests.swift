// What the server says of itself.

import CRollcallProto
import DeviceModel
import DeviceQuery
import DeviceRegistry
import DeviceWire
import FoundationEssentials
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct ServerInfoTests {
    private func info(_ service: ServiceHarness) async throws -> ServerInfo {
        let bytes = try await service.call("GetServerInfo", Messages.getServerInfoRequest)
        return try bytes.withUnsafeBytes { bytes in
            try Arena().decode(Messages.getServerInfoResponse, from: bytes) { try ServerInfo(from: $0) }
        }
    }

    @Test func theServerTellsWhetherItsStoreTakesChanges() async throws {
        let service = try ServiceHarness()
        #expect(try await self.info(service).store == .ready)
        service.store.fail(.unavailable)
        await #expect(throws: Status.self) { try await service.create("A-1") }
        #expect(try await self.info(service).store == .failing(reason: "the test's store takes no change for now."))
        try await service.create("A-1")
        #expect(try await self.info(service).store == .ready)
        service.store.fail(.corrupt)
        await #expect(throws: Status.self) { try await service.create("A-2") }
        guard case .closed(let reason) = try await self.info(service).store else {
            Issue.record("the store is not closed")
            return
        }
        #expect(reason.contains("the test's store is damaged"))
    }

    @Test func theServerNamesItsStoreItsLimitsAndItsCaller() async throws {
        let service = try ServiceHarness { $0.projectCountMax = 12 }
        try await service.create("A-1")
        try await service.create("A-2")
        let bytes = try await service.call("GetServerInfo", Messages.getServerInfoRequest, userID: 501)
        let info = try bytes.withUnsafeBytes { bytes in
            try Arena().decode(Messages.getServerInfoResponse, from: bytes) { try ServerInfo(from: $0) }
        }
        #expect(info.version == RollcallVersion.current)
        #expect(UUID(uuidString: info.storeID) == service.registry.storeID)
        #expect(info.storeID == info.storeID.lowercased())
        #expect(info.revision == 2)
        #expect(info.uptime >= .zero)
        let roles = [ServerInfo.GrantedRoles(project: nil, roles: ["admin"])]
        #expect(
            info.caller
                == ServerInfo.Caller(userID: 501, groupID: 100, processID: 42, groupIDs: [4, 24], roles: roles))
        #expect(info.limits.count == service.registry.limits.reported.count)
        #expect(info.limits.contains(ServerInfo.Limit(name: "projects", value: 12, unit: "projects")))
        let figures = service.registry.read { $0.memoryFigures }
        #expect(info.memory.map(\.name) == figures.reported.map(\.name))
        #expect(info.memory.reduce(0) { $0 + $1.byteCount } == Int64(figures.totalByteCount))
        #expect(Set(info.memory.map(\.name)).count == info.memory.count)
        #expect(info.memory.contains { $0.name == "serials" && $0.byteCount > 0 })
    }
}
