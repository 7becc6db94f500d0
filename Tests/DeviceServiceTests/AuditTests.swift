// What the log tells of refused calls, and of what admins change.

import Access
import CRollcallProto
import DeviceModel
import DeviceService
import Logging
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct AuditTests {
    private static let requestID = "0b4a9c1e-5d2f-4c7b-9a58-3e1f6d7c8b90"

    private func create(_ service: ServiceHarness, project: String, requestID: String, by peer: Peer) async -> Status? {
        let bytes = encoded(Messages.createDeviceRequest) { request, arena in
            request.project = arena.text(project)
            request.device = arena.device("A-1", owner: "o", hardware: "h")
            request.request_id = arena.text(requestID)
        }
        do {
            _ = try await service.call("CreateDevice", bytes: bytes, by: peer)
            return nil
        } catch {
            return error as? Status
        }
    }

    @Test func aRefusedCallIsToldWithWhoWhatAndWhere() async throws {
        let service = try ServiceHarness()
        let reader = Peer.caller(501, Grants(everywhere: .reader))
        _ = await self.create(service, project: "lab", requestID: Self.requestID.uppercased(), by: reader)
        let line = try #require(service.log.auditLines.first)
        #expect(line.level == .notice)
        #expect(line.message == "call refused")
        #expect(
            line.metadata == [
                "audit": "refused", "peer.uid": "501", "peer.pid": "42", "method": "rollcall.v1.Devices/CreateDevice",
                "project": "lab", "request_id": Self.requestID, "code": "PERMISSION_DENIED",
            ])
        #expect(service.log.auditLines.count == 1)
    }

    /// Otherwise a caller could write lines of its own into the log.
    @Test func textsThatAreNotWhatTheyShouldBeAreNotRepeated() async throws {
        let service = try ServiceHarness()
        let nobody = Peer.caller(501, Grants())
        let forged = "x\n2026-11-23T04:06:42 notice rollcalld: audit=admin"
        let status = try #require(await self.create(service, project: forged, requestID: forged, by: nobody))
        #expect(!status.message.contains("\n"))
        let line = try #require(service.log.auditLines.first)
        #expect(line.metadata["project"] == "invalid")
        #expect(line.metadata["request_id"] == "invalid")
    }

    @Test func whatIsAllowedOrEveryonesIsNotTold() async throws {
        let service = try ServiceHarness()
        #expect(await self.create(service, project: "", requestID: "", by: .caller()) == nil)
        _ = try await service.call("GetServerInfo", bytes: [], by: .caller(501, Grants()))
        #expect(service.log.auditLines == [])
    }

    @Test func whatAnAdminChangesIsToldWithItsOutcome() async throws {
        let service = try ServiceHarness()
        func createProject(_ slug: String) async throws -> Status.Code {
            let bytes = encoded(Messages.createProjectRequest) { request, arena in
                let project = arena.make(Messages.project)
                project.pointee.slug = arena.text(slug)
                request.project = project
                request.request_id = arena.text(Self.requestID)
            }
            return try await service.end(of: "CreateProject", bytes: bytes, by: .caller())
        }
        let deletion = encoded(Messages.deleteProjectRequest) { $0.project = $1.text("lab") }
        let purge = encoded(Messages.purgeDevicesRequest) { $0.filter = $1.text("id > 0") }
        #expect(try await createProject("lab") == .ok)
        #expect(try await createProject("l b") == .invalidArgument)
        #expect(try await service.end(of: "PurgeDevices", bytes: purge, by: .caller()) == .ok)
        #expect(try await service.end(of: "PurgeDevices", bytes: [], by: .caller()) == .invalidArgument)
        #expect(try await service.end(of: "DeleteProject", bytes: deletion, by: .caller()) == .ok)
        #expect(try await service.end(of: "DeleteProject", bytes: deletion, by: .caller()) == .notFound)
        let lines = service.log.auditLines
        #expect(lines.allSatisfy { $0.metadata["audit"] == "admin" && $0.message == "admin's call ended" })
        #expect(
            lines.map { "\($0.metadata["method"] ?? "") \($0.metadata["project"] ?? "") \($0.metadata["code"] ?? "")" }
                == [
                    "rollcall.v1.Projects/CreateProject lab OK",
                    "rollcall.v1.Projects/CreateProject invalid INVALID_ARGUMENT",
                    "rollcall.v1.Devices/PurgeDevices default OK",
                    "rollcall.v1.Devices/PurgeDevices default INVALID_ARGUMENT",
                    "rollcall.v1.Projects/DeleteProject lab OK",
                    "rollcall.v1.Projects/DeleteProject lab NOT_FOUND",
                ])
        #expect(lines.first?.metadata["request_id"] == Self.requestID)
    }

    @Test func aFloodOfRefusalsIsCountedRatherThanTold() async throws {
        let service = try ServiceHarness()
        func refuse(_ userID: UInt32, _ count: Int) async {
            for _ in 0..<count {
                _ = await self.create(service, project: "", requestID: "", by: .caller(userID, Grants()))
            }
        }
        await refuse(501, 130)
        // One user's flood hides nobody else's refusals.
        await refuse(502, 1)
        #expect(service.log.auditLines.map { $0.metadata["peer.uid"] } == Array(repeating: "501", count: 100) + ["502"])

        service.clock.advance(microseconds: 59_999_999)
        service.audit.tellUntoldRefusals()
        #expect(service.log.auditLines.count == 101)
        service.clock.advance(microseconds: 1)
        service.audit.tellUntoldRefusals()
        let told = service.log.auditLines.dropFirst(101)
        #expect(told.map(\.message) == ["more calls refused"])
        #expect(told.first?.metadata == ["audit": "refused", "peer.uid": "501", "count": "30"])

        // A new minute; where nobody asks at its end, the next refusal tells.
        await refuse(501, 101)
        service.clock.advance(microseconds: 60_000_000)
        await refuse(501, 1)
        await refuse(501, 100)
        service.audit.tellUntoldRefusals(isEnding: true)
        let last = service.log.auditLines.dropFirst(102)
        let minute = Array(repeating: "call refused", count: 100) + ["more calls refused"]
        #expect(last.map(\.message) == minute + minute)
        #expect(last.filter { $0.message == "more calls refused" }.map { $0.metadata["count"] } == ["1", "1"])
    }
}
