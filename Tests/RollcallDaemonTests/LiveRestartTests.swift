import DeviceModel
import Foundation
import RollcallClient
import RollcallTesting
import Testing

/// What a daemon that was killed has kept.
@Suite(.timeLimit(.minutes(1))) struct LiveRestartTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    /// Runs a daemon on the suite's store for `body`, and kills it.
    private func withDaemon<Result>(_ body: (RollcallClient) async throws -> Result) async throws -> Result {
        try await DaemonProcess.with(in: self.folder) { daemon in
            try await daemon.withClient { client in
                let result = try await body(client)
                daemon.child.signal(SIGKILL)
                #expect(await daemon.child.end() == .signal(SIGKILL))
                return result
            }
        }
    }

    @Test func everythingAcknowledgedIsThereAfterAKill() async throws {
        let (before, info) = try await self.withDaemon { client in
            _ = try await client.createCohort("beta", name: "Beta Channel")
            for number in 1...5 {
                _ = try await client.createDevice("A-\(number)", ownerRef: "ada", hardwareVersion: "h1", cohort: "beta")
            }
            _ = try await client.checkIn("A-1", release: (version: "1.2.3", revision: "b"))
            _ = try await client.updateDeviceAttributes("A-2", [AttributeUpdate(key: "battery", value: .int(80))])
            _ = try await client.updateDevice("A-3", ownerRef: "bob", cohort: "default")
            try await client.deleteDevice("A-5")
            return (try await client.listDevices(view: .full).items, try await client.serverInfo())
        }
        try await self.withDaemon { client in
            #expect(try await client.listDevices(view: .full).items == before)
            let after = try await client.serverInfo()
            #expect(after.storeID == info.storeID && after.revision == info.revision)
            #expect(try await client.getCohort("beta").deviceCount == 3)
            // The id of the deleted device, the highest there was, is not given again.
            let next = try await client.createDevice("A-5", ownerRef: "ada", hardwareVersion: "h1")
            #expect(next.id > before.map(\.id).reduce(0, max) + 1)
        }
    }

    @Test func requestIDAnswersTheFirstOutcomeAfterAKill() async throws {
        let ids = (create: UUID(), update: UUID(), attributes: UUID(), delete: UUID(), cohort: UUID())
        let updates = [AttributeUpdate(key: "battery", value: .int(80))]
        func mutate(_ client: RollcallClient) async throws -> [AnyHashable] {
            let cohort = try await client.createCohort("beta", requestID: ids.cohort)
            let created = try await client.createDevice(
                "A-1", ownerRef: "ada", hardwareVersion: "h1", requestID: ids.create)
            let updated = try await client.updateDevice("A-1", ownerRef: "bob", requestID: ids.update)
            let attributes = try await client.updateDeviceAttributes("A-1", updates, requestID: ids.attributes)
            try await client.deleteDevice("A-2", requestID: ids.delete)
            return [cohort.id, created.id, updated.id, attributes]
        }
        let (first, etag, revision) = try await self.withDaemon { client in
            _ = try await client.createDevice("A-2", ownerRef: "ada", hardwareVersion: "h1")
            let first = try await mutate(client)
            return (first, try await client.getDevice("A-1").etag, try await client.serverInfo().revision)
        }
        try await self.withDaemon { client in
            #expect(try await mutate(client) == first)
            // A repeat answers with the present state, and has no effect of its own.
            let again = try await client.createDevice(
                "A-1", ownerRef: "ada", hardwareVersion: "h1", requestID: ids.create)
            #expect(again.etag == etag && again.ownerRef == "bob")
            #expect(try await client.serverInfo().revision == revision)
            try await expect(.badFields(["request_id"], "REQUEST_ID_REUSED")) {
                try await client.createDevice("A-3", ownerRef: "ada", hardwareVersion: "h1", requestID: ids.create)
            }
        }
    }

    @Test func pageTokenIsGoodAfterAKill() async throws {
        var query = ListQuery()
        (query.pageSize, query.sort) = (2, [SortKey(.deviceSerial, isDescending: true)])
        let first = try await self.withDaemon { client in
            for number in 1...5 {
                _ = try await client.createDevice("A-\(number)", ownerRef: "ada", hardwareVersion: "h1")
            }
            return try await client.listDevices(query)
        }
        query.position = .token(first.nextPageToken)
        try await self.withDaemon { client in
            let rest = try await client.devices(matching: query).reduce(into: []) { $0.append($1.deviceSerial) }
            #expect(first.items.map(\.deviceSerial) + rest == ["A-5", "A-4", "A-3", "A-2", "A-1"])
        }
    }

    @Test func callsThatAKillInterruptedTakePlaceOnceWhenRepeated() async throws {
        let calls = (0..<200).map { (serial: "A-\($0)", id: UUID()) }
        let acknowledged = try await DaemonProcess.with(in: self.folder) { daemon in
            try await daemon.withClient { client in
                await withTaskGroup(of: Device?.self) { group in
                    for call in calls {
                        group.addTask {
                            do throws(RollcallError) {
                                return try await client.createDevice(
                                    call.serial, ownerRef: "ada", hardwareVersion: "h1", requestID: call.id)
                            } catch {
                                #expect(error.isConnectionFailure, "\(error)")
                                return nil
                            }
                        }
                    }
                    var devices: [String: Device] = [:]
                    for await case let device? in group {
                        daemon.child.signal(SIGKILL)
                        devices[device.deviceSerial] = device
                    }
                    return devices
                }
            }
        }
        #expect(!acknowledged.isEmpty)
        try await self.withDaemon { client in
            for call in calls {
                let device = try await client.createDevice(
                    call.serial, ownerRef: "ada", hardwareVersion: "h1", requestID: call.id)
                #expect(acknowledged[call.serial, default: device] == device)
            }
            var query = ListQuery()
            (query.pageSize, query.includesTotal) = (1_000, true)
            let page = try await client.listDevices(query)
            #expect(page.totalCount == 200 && Set(page.items.map(\.deviceSerial)) == Set(calls.map(\.serial)))
        }
    }
}
