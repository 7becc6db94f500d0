import Foundation
import RollcallClient
import RollcallTesting
import Testing

/// Batches at the real daemon, through the client.
@Suite(.sharedDaemon, .timeLimit(.minutes(1))) struct LiveBatchTests {
    @Test func devicesAreCreatedReadChangedAndDeletedTogether() async throws {
        try await SharedDaemon.withClient { client in
            _ = try await client.createCohort("beta")
            let items = (0..<1_000).map {
                RollcallClient.DeviceCreation("A-\($0)", ownerRef: "Åda", hardwareVersion: "h1")
            }
            let previews = try await client.batchCreateDevices(items, validateOnly: true)
            #expect(previews.count == 1_000 && previews.allSatisfy { $0.id == 0 })
            let created = try await client.batchCreateDevices(items)
            #expect(created.map(\.deviceSerial) == items.map(\.serial))
            let serials = Array(items.map(\.serial).reversed())
            #expect(try await client.batchGetDevices(serials) == created.reversed())

            let updated = try await client.batchUpdateDevices([
                .init("A-7", cohort: "beta", etag: created[7].etag),
                .init("B-1", ownerRef: "bob", hardwareVersion: "h2", allowMissing: true),
                .init("A-8", ownerRef: "eve", hardwareVersion: "h2", mask: ["owner_ref"]),
            ])
            #expect(updated.map(\.cohort.slug) == ["beta", "default", "default"])
            #expect(updated.map(\.ownerRef) == ["Åda", "bob", "eve"])
            #expect(updated.map(\.hardwareVersion) == ["h1", "h2", "h1"])

            try await client.batchDeleteDevices(serials.map { .init($0) }, validateOnly: true)
            try await client.batchDeleteDevices(serials.map { .init($0) })
            try await client.batchDeleteDevices([.init("A-7", allowMissing: true)])
            #expect(try await client.listDevices().items.map(\.deviceSerial) == ["B-1"])
        }
    }

    @Test func aBadItemFailsTheBatchAndNothingHappens() async throws {
        try await SharedDaemon.withClient { client in
            let a = RollcallClient.DeviceCreation("A", ownerRef: "ada", hardwareVersion: "h1")
            let b = RollcallClient.DeviceCreation("B", ownerRef: "ada", hardwareVersion: "h1")
            _ = try await client.batchCreateDevices([b])
            try await expect(
                Refusal(.alreadyExists, "DEVICE_EXISTS", fields: ["requests[1].device.device_serial"])
            ) { try await client.batchCreateDevices([a, b]) }
            try await expect(.badFields(["requests[0].device.owner_ref", "requests[2].device.device_serial"])) {
                try await client.batchCreateDevices([
                    .init("C", ownerRef: "", hardwareVersion: "h1"), a,
                    .init("A", ownerRef: "eve", hardwareVersion: "h1"),
                ])
            }
            try await expect(Refusal(.aborted, "ETAG_STALE", fields: ["requests[0].device.etag"])) {
                try await client.batchUpdateDevices([.init("B", ownerRef: "eve", etag: "stale")])
            }
            try await expect(Refusal(.notFound, "DEVICE_NOT_FOUND", fields: ["requests[1].device_serial"])) {
                try await client.batchDeleteDevices([.init("B"), .init("X")])
            }
            try await expect(Refusal(.notFound, "DEVICE_NOT_FOUND", fields: ["device_serials[0]"])) {
                try await client.batchGetDevices(["X", "B"])
            }
            #expect(try await client.listDevices().items.map(\.deviceSerial) == ["B"])
        }
    }

    /// The trailers of gRPC have room for some of them only.
    @Test func asManyBadItemsAreNamedAsThereIsRoomFor() async throws {
        try await SharedDaemon.withClient { client in
            let items = (0..<300).map {
                RollcallClient.DeviceCreation("A-\($0)", ownerRef: "", hardwareVersion: "h1")
            }
            let error = await #expect(throws: RollcallError.self) { try await client.batchCreateDevices(items) }
            let fields = try #require(error?.violations.map(\.field))
            #expect(fields.count >= 30 && fields.count <= 300)
            #expect(fields == fields.indices.map { "requests[\($0)].device.owner_ref" })
            #expect(error?.reason == "FIELD_INVALID")
            #expect(error?.message.hasSuffix("(and 299 more bad fields).") == true)
        }
    }

    @Test func aRepeatUnderTheSameIDHasNoSecondEffect() async throws {
        try await SharedDaemon.withClient { client in
            let id = UUID()
            let items = ["A", "B"].map { RollcallClient.DeviceCreation($0, ownerRef: "ada", hardwareVersion: "h1") }
            let first = try await client.batchCreateDevices(items, requestID: id)
            #expect(try await client.batchCreateDevices(items, requestID: id) == first)
            #expect(try await client.listDevices().items == first)
        }
    }

    @Test func whatMatchesIsPurgedWhileOthersWrite() async throws {
        try await SharedDaemon.withClient { client in
            _ = try await client.createCohort("old")
            for batch in 0..<3 {
                _ = try await client.batchCreateDevices(
                    (0..<1_000).map {
                        .init(
                            "A-\(batch)-\($0)", ownerRef: "ada", hardwareVersion: "h1", cohort: batch < 2 ? "old" : nil)
                    })
            }
            var filter = DeviceFilter()
            filter.cohorts = ["old"]
            #expect(try await client.purgeDevices(matching: filter, validateOnly: true) == 2_000)
            try await expect(Refusal(.failedPrecondition, "EXPECTED_COUNT_DIFFERS")) {
                try await client.purgeDevices(matching: filter, expectedCount: 1_999)
            }
            async let purged = client.purgeDevices(matching: filter, expectedCount: 2_000, requestID: UUID())
            for number in 0..<50 {
                _ = try await client.createDevice("B-\(number)", ownerRef: "ada", hardwareVersion: "h1")
            }
            #expect(try await purged == 2_000)
            #expect(try await client.countDevices().count == 1_050)
            try await expect(.badFields(["filter"])) { try await client.purgeDevices(matching: DeviceFilter()) }
        }
    }
}
