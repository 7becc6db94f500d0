// Who may call what, over the operations themselves.

import Access
import CRollcallProto
import DeviceModel
import DeviceService
import DeviceWire
import NIOCore
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct AccessTests {
    /// What each role alone lets a caller call in a project, written down again from the contract.
    private static let allowed: [Role: Set<String>] = {
        let reader: Set = [
            "GetDevice", "GetDeviceAttributes", "ListDevices", "CountDevices", "BatchGetDevices", "ExportDevices",
            "WatchDevices", "GetProject", "GetCohort", "ListCohorts", "ListReleases", "ListHardwareVersions",
            "ListAttributeKeys",
        ]
        let reporter: Set = [
            "GetDevice", "GetDeviceAttributes", "CheckIn", "CheckInStream", "UpdateDeviceAttributes", "GetProject",
        ]
        let writer = reader.union(reporter).union([
            "CreateDevice", "UpdateDevice", "DeleteDevice", "BatchCreateDevices", "BatchUpdateDevices",
            "BatchDeleteDevices", "ImportDevices", "CreateCohort", "UpdateCohort", "DeleteCohort",
        ])
        let admin = writer.union(["PurgeDevices", "CreateProject", "DeleteProject"])
        return [.reader: reader, .reporter: reporter, .mayRegister: [], .writer: writer, .admin: admin]
    }()

    private static let inProjects: [String] = MethodAccess.byMethod.compactMap { name, access in
        guard case .project = access else { return nil }
        return name.split(separator: "/").last.map(String.init)
    }.sorted()

    private func grants(_ role: Role, _ projects: [String]) -> Grants {
        var grants = Grants()
        grants.add(role.included, in: projects)
        return grants
    }

    /// A request that names a project and nothing else: the field is the first one everywhere.
    private func request(_ method: String, in project: String) -> [UInt8] {
        var request = WireWriter()
        guard method == "CreateProject" else {
            request.append(1, bytes: project.utf8)
            return request.bytes
        }
        var message = WireWriter()
        message.append(2, bytes: project.utf8)
        request.append(1, bytes: message.bytes)
        return request.bytes
    }

    @Test func everyRoleLetsInToItsMethodsAndNoOther() async throws {
        #expect(Set(Self.inProjects) == Self.allowed[.admin])
        for role in Role.allCases {
            // Everywhere and in the project alone are two ways to have it; the others are ways to lack it.
            let holders = [Grants(everywhere: role), self.grants(role, ["lab", "shop"])]
            let others = [Grants(), self.grants(role, ["shop"])]
            for (isHolder, callers) in [(true, holders), (false, others)] {
                for grants in callers {
                    let service = try ServiceHarness()
                    try await service.createProject("lab")
                    for method in Self.inProjects {
                        let end = try await service.end(
                            of: method, bytes: self.request(method, in: "lab"), by: .caller(501, grants))
                        let isAllowed = isHolder && Self.allowed[role]?.contains(method) == true
                        #expect((end != .permissionDenied) == isAllowed, "\(role) \(method) \(end)")
                    }
                }
            }
        }
    }

    @Test func aRefusalNamesUserMethodProjectAndRole() async throws {
        let service = try ServiceHarness()
        let reader = Peer.caller(501, Grants(everywhere: .reader))
        for (method, project, sentence) in [
            (
                "CreateDevice", "lab",
                "User 501 may not call rollcall.v1.Devices/CreateDevice in project 'lab': that takes the role writer."
            ),
            (
                "CheckIn", "",
                "User 501 may not call rollcall.v1.Devices/CheckIn in project 'default': that takes the role reporter."
            ),
        ] {
            let status = try await self.refusal(service, method, self.request(method, in: project), reader)
            #expect(status.message == sentence)
            #expect(status.reason == "ACCESS_DENIED")
            #expect(status.details == [])
        }
        let status = try await self.refusal(
            service, "GetDevice", self.request("GetDevice", in: "lab"), .caller(501, self.grants(.writer, ["shop"])))
        #expect(
            status.message
                == "User 501 may not call rollcall.v1.Devices/GetDevice in project 'lab': that takes the role reader or reporter."
        )
    }

    private func refusal(
        _ service: ServiceHarness, _ method: String, _ bytes: [UInt8], _ peer: Peer
    ) async throws -> Status {
        do {
            _ = try await service.call(method, bytes: bytes, by: peer)
        } catch {
            guard let status = error as? Status, status.code == .permissionDenied else { throw error }
            return status
        }
        throw UnexpectedSuccess(name: method)
    }

    /// Otherwise whoever may connect could find the names of projects out.
    @Test func aProjectThatIsNotThereIsRefusedAsOneThatIs() async throws {
        let service = try ServiceHarness()
        try await service.createProject("lab")
        let peer = Peer.caller(501, self.grants(.admin, ["shop"]))
        for method in Self.inProjects
        where !["CheckInStream", "ImportDevices", "ExportDevices", "WatchDevices"].contains(method) {
            let there = try await self.refusal(service, method, self.request(method, in: "lab"), peer)
            let missing = try await self.refusal(service, method, self.request(method, in: "nil"), peer)
            #expect(there.message.replacing("'lab'", with: "'nil'") == missing.message)
            #expect((there.reason, there.details) == (missing.reason, missing.details))
        }
    }

    @Test func onlyProjectsWithARoleAreListed() async throws {
        let service = try ServiceHarness()
        for slug in ["a", "b", "c", "d"] { try await service.createProject(slug) }
        func list(_ grants: Grants, size: Int32 = 0, token: String = "") async throws -> ([String], Int64, String) {
            let bytes = encoded(Messages.listProjectsRequest) { request, arena in
                request.page_size = size
                request.page_token = arena.text(token)
                request.include_total = 1
            }
            let reply = try await service.call("ListProjects", bytes: bytes, by: .caller(501, grants))
            return try reply.withUnsafeBytes { bytes in
                try Arena().decode(Messages.listProjectsResponse, from: bytes) {
                    let page = try Page<Project>(from: $0)
                    return (page.items.map(\.slug), page.totalCount, page.nextPageToken)
                }
            }
        }
        let all = try await list(Grants(everywhere: .reporter))
        #expect(all.0 == ["default", "a", "b", "c", "d"])
        let some = self.grants(.reader, ["d", "a", "missing", "c"])
        let visible = try await list(some)
        #expect(visible.0 == ["a", "c", "d"])
        #expect(visible.1 == 3)
        let first = try await list(some, size: 2)
        #expect(first.0 == ["a", "c"])
        let second = try await list(some, size: 2, token: first.2)
        #expect(second.0 == ["d"])
        #expect(second.2 == "")
        let status = try await self.refusal(service, "ListProjects", [], .caller(501, Grants()))
        #expect(
            status.message
                == "User 501 may not call rollcall.v1.Projects/ListProjects: that takes a role in some project.")
    }

    private func checkIn(_ serial: String, project: String = "", createMissing: Bool) -> [UInt8] {
        encoded(Messages.checkInRequest) { request, arena in
            request.project = arena.text(project)
            request.device_serial = arena.text(serial)
            request.hardware_version = arena.text("h")
            request.create_missing = createMissing ? 1 : 0
        }
    }

    @Test(arguments: ["CheckIn", "CheckInStream"])
    func registeringTakesARoleOfItsOwn(method: String) async throws {
        let service = try ServiceHarness()
        var mayRegister = self.grants(.reporter, ["default"])
        mayRegister.add(.mayRegister, in: ["default"])
        let reporter = Peer.caller(501, self.grants(.reporter, ["default"]))
        let create = self.checkIn("A-1", createMissing: true)
        #expect(try await service.end(of: method, bytes: create, by: reporter) == .permissionDenied)
        #expect(try await service.end(of: method, bytes: create, by: .caller(501, mayRegister)) == .ok)
        // The device is there by now, which does not matter: nothing was looked up.
        #expect(try await service.end(of: method, bytes: create, by: reporter) == .permissionDenied)
        let seen = self.checkIn("A-1", createMissing: false)
        #expect(try await service.end(of: method, bytes: seen, by: reporter) == .ok)
    }

    /// Each message of the stream stands for itself.
    @Test func aRefusedCheckInOfAStreamLeavesTheOthersAlone() async throws {
        let service = try ServiceHarness()
        try await service.create("A-1")
        let (requests, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        for project in ["default", "lab", ""] {
            continuation.yield(ByteBuffer(bytes: self.checkIn("A-1", project: project, createMissing: false)))
        }
        continuation.finish()
        let (codes, code) = AsyncStream.makeStream(of: Int32.self)
        try await service.stream(
            "CheckInStream", requests, by: .caller(501, self.grants(.reporter, ["default"]))
        ) { message in
            code.yield(
                try decoded(Messages.checkInStreamResponse, Array(message.readableBytesView)) {
                    $0.status?.pointee.code ?? 0
                })
        }
        code.finish()
        #expect(await codes.reduce(into: []) { $0.append($1) } == [0, 7, 0])
    }

    @Test(arguments: ["WatchDevices", "ExportDevices", "ImportDevices"])
    func aStreamWhoseCallerLosesItsRoleEnds(method: String) async throws {
        let service = try ServiceHarness { $0.exportMessageByteCount = 1 }
        for serial in ["A-1", "A-2", "A-3"] { try await service.create(serial) }
        let peer = Peer.caller(501, Grants(everywhere: .writer))
        let (requests, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        let item = encoded(Messages.importDevicesRequest) { request, arena in
            let item = arena.make(Messages.importItem)
            item.pointee.device = arena.device("B-1", owner: "o", hardware: "h")
            request.items = arena.makePointerArray(count: 1)
            request.items[0] = item
            request.n_items = 1
        }
        continuation.yield(ByteBuffer(bytes: method == "ImportDevices" ? item : []))
        if method == "ExportDevices" { continuation.finish() }
        await #expect {
            try await service.stream(method, requests, by: peer) { _ in
                // With the first answer; what goes on after it must not be told or done.
                guard !peer.rights.grants.somewhere.isEmpty else { return }
                peer.rights.replace(Grants())
                if method == "WatchDevices" { try await service.create("A-4") }
                if method == "ImportDevices" { continuation.yield(ByteBuffer(bytes: item)) }
            }
        } throws: {
            ($0 as? Status)?.code == .permissionDenied
        }
    }

    @Test func whatTheCallerMayDoIsToldByProject() async throws {
        let service = try ServiceHarness()
        var grants = self.grants(.writer, ["lab"])
        grants.add(Role.reader.included.union(Role.reporter.included), in: [])
        for (grants, roles) in [
            (Grants(), []),
            (
                grants,
                [
                    ServerInfo.GrantedRoles(project: nil, roles: ["reader", "reporter"]),
                    ServerInfo.GrantedRoles(project: "lab", roles: ["writer"]),
                ]
            ),
        ] {
            let bytes = try await service.call("GetServerInfo", bytes: [], by: .caller(501, grants))
            let info = try bytes.withUnsafeBytes { bytes in
                try Arena().decode(Messages.getServerInfoResponse, from: bytes) { try ServerInfo(from: $0) }
            }
            #expect(info.caller.roles == roles)
        }
    }

    @Test func aMethodThatTheTableForgetsIsRefusedToAdmins() async throws {
        let name = MethodName(service: "rollcall.v1.Devices", method: "Forgotten")
        let log = LogRecorder()
        let gate = AccessGate(name, audit: AuditLog(logger: log.logger))
        let method = gate.guarding(Method(name, .immediate { _, _, _ in Issue.record("It must not be called.") }))
        guard case .immediate(let run) = method.handler else { throw UnexpectedSuccess(name: "kind") }
        let context = CallContext(peer: .caller(0), deadline: .distantFuture, metadata: Metadata())
        var reply = ByteBuffer()
        #expect {
            try run(context, UnsafeRawBufferPointer(start: nil, count: 0), &reply)
        } throws: {
            ($0 as? Status)?.message
                == "User 0 may not call rollcall.v1.Devices/Forgotten: that takes a rule for it, which the server lacks."
        }
        #expect(log.auditLines.count == 1)
    }

    /// Health, reflection and the server's own methods take a role everywhere or none; a role in one project is not enough.
    @Test func whatIsTheServersTakesItsRoleInEveryProject() {
        let name = MethodName(service: "rollcall.v1.Server", method: "Backup")
        let gate = AccessGate(name, audit: AuditLog(logger: LogRecorder().logger))
        let method = gate.guarding(Method(name, .immediate { _, _, _ in }))
        func code(_ grants: Grants) -> Status.Code {
            guard case .immediate(let run) = method.handler else { return .unknown }
            let context = CallContext(peer: .caller(501, grants), deadline: .distantFuture, metadata: Metadata())
            var reply = ByteBuffer()
            do throws(Status) {
                try run(context, UnsafeRawBufferPointer(start: nil, count: 0), &reply)
                return .ok
            } catch {
                return error.code
            }
        }
        #expect(code(Grants(everywhere: .admin)) == .ok)
        #expect(code(self.grants(.admin, ["default"])) == .permissionDenied)
        #expect(code(Grants(everywhere: .writer)) == .permissionDenied)
    }
}
