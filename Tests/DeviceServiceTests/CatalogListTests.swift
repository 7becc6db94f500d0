// Releases, hardware versions and attribute keys of a project, by way of bytes.

import CRollcallProto
import DeviceModel
import DeviceWire
import ProtobufC
import RPC
import RollcallTesting
import Testing

@Suite struct CatalogListTests {
    private static let lists = ["ListReleases", "ListHardwareVersions", "ListAttributeKeys"]

    /// A page of one of the lists, as texts with their counts of devices.
    private func page(
        _ service: ServiceHarness, _ list: String, project: String = "", size: Int32 = 0, token: String = "",
        number: Int32 = 0
    ) async throws -> Page<String> {
        func call<Request: ProjectPageRequest>(_ type: MessageType<Request>) async throws -> [UInt8] {
            try await service.call(list, type) {
                $0.project = $1.text(project)
                $0.page_size = size
                $0.page_token = $1.text(token)
                $0.page = number
                $0.include_total = 1
            }
        }
        func texts<Item>(_ page: Page<Item>, _ text: (Item) -> String) -> Page<String> {
            Page(items: page.items.map(text), nextPageToken: page.nextPageToken, totalCount: page.totalCount)
        }
        switch list {
        case "ListReleases":
            let bytes = try await call(Messages.listReleasesRequest)
            return try bytes.withUnsafeBytes { bytes in
                try Arena().decode(Messages.listReleasesResponse, from: bytes) { message in
                    texts(Page<Release>(from: message)) { "\($0.version) \($0.deviceCount ?? -1)" }
                }
            }
        case "ListHardwareVersions":
            let bytes = try await call(Messages.listHardwareVersionsRequest)
            return try bytes.withUnsafeBytes { bytes in
                try Arena().decode(Messages.listHardwareVersionsResponse, from: bytes) { message in
                    texts(Page<HardwareVersion>(from: message)) { "\($0.hardwareVersion) \($0.deviceCount)" }
                }
            }
        default:
            let bytes = try await call(Messages.listAttributeKeysRequest)
            return try bytes.withUnsafeBytes { bytes in
                try Arena().decode(Messages.listAttributeKeysResponse, from: bytes) { message in
                    texts(try Page<AttributeKey>(from: message)) {
                        "\($0.customMetric.stringKey) \($0.customMetric.dataType) \($0.deviceCount)"
                    }
                }
            }
        }
    }

    /// Four devices, each with one attribute less than the one before.
    private func fleet() async throws -> ServiceHarness {
        let service = try ServiceHarness()
        let values: [(String, AttributeValue)] = [
            ("Zone", .string("a")), ("alpha", .int(1)), ("Beta", .bool(true)), ("zoom", .float(1)),
        ]
        for (index, hardware) in ["a", "Z", "b:1", "a"].enumerated() {
            try await service.create("A-\(index)", hardware: hardware)
            try await service.checkIn("A-\(index)", release: "\(9 - index)")
            try await service.setAttributes(
                "A-\(index)", values.prefix(4 - index).map { AttributeUpdate(key: $0.0, value: $0.1) })
        }
        return service
    }

    @Test func eachListIsInItsOrderWithItsCounts() async throws {
        let service = try await self.fleet()
        let releases = try await self.page(service, "ListReleases")
        #expect(releases == Page(items: ["9 1", "8 1", "7 1", "6 1"], nextPageToken: "", totalCount: 4))
        let versions = try await self.page(service, "ListHardwareVersions")
        #expect(versions == Page(items: ["Z 1", "a 2", "b:1 1"], nextPageToken: "", totalCount: 3))
        let keys = try await self.page(service, "ListAttributeKeys")
        let items = ["alpha INT 3", "Beta BOOL 2", "Zone STRING 4", "zoom FLOAT 1"]
        #expect(keys == Page(items: items, nextPageToken: "", totalCount: 4))
    }

    @Test(arguments: Self.lists)
    func aWalkByTokensMeetsEveryItemOnce(list: String) async throws {
        let service = try await self.fleet()
        let whole = try await self.page(service, list)
        var page = try await self.page(service, list, size: 1)
        var items = page.items
        while !page.nextPageToken.isEmpty {
            page = try await self.page(service, list, size: 1, token: page.nextPageToken)
            #expect(page.items.count == 1 && page.totalCount == whole.totalCount)
            items += page.items
        }
        #expect(items == whole.items)
        #expect(
            try await self.page(service, list, size: 2, number: 2).items == Array(whole.items.dropFirst(2).prefix(2)))
        #expect(try await self.page(service, list, number: .max).items.isEmpty)
    }

    @Test func aTokenHoldsAfterItsItemHasGone() async throws {
        let service = try await self.fleet()
        let page = try await self.page(service, "ListHardwareVersions", size: 1)
        #expect(page.items == ["Z 1"])
        _ = try await service.call("DeleteDevice", Messages.deleteDeviceRequest) { $0.device_serial = $1.text("A-1") }
        let rest = try await self.page(service, "ListHardwareVersions", token: page.nextPageToken)
        #expect(rest.items == ["a 2", "b:1 1"])
    }

    @Test(arguments: Self.lists)
    func aTokenHoldsForItsListOnly(list: String) async throws {
        let service = try await self.fleet()
        try await service.createProject("other")
        let token = try await self.page(service, list, size: 1).nextPageToken
        #expect(!token.isEmpty)
        func refusal(_ list: String, _ token: String, project: String = "") async throws -> Refusal {
            // The three requests have the same fields under the same numbers.
            let bytes = encoded(Messages.listReleasesRequest) {
                $0.project = $1.text(project)
                $0.page_token = $1.text(token)
            }
            return try await service.refusal(list, bytes: bytes)
        }
        for other in Self.lists + ["ListCohorts"] where other != list {
            #expect(try await refusal(other, token).reason == "PAGE_TOKEN_INVALID", "\(other)")
        }
        #expect(try await refusal(list, token, project: "other").reason == "PAGE_TOKEN_INVALID")
        let long = String(repeating: "61", count: 1 << 16)
        for bad in [token + "00", "00" + token, token.uppercased(), String(token.dropLast()), "61", "zz", long]
        where bad != token {
            #expect(try await refusal(list, bad).reason == "PAGE_TOKEN_INVALID", "\(bad.prefix(80))")
        }
    }

    @Test(arguments: Self.lists)
    func badFieldsAndUnknownProjectsAreRefused(list: String) async throws {
        let service = try ServiceHarness()
        let bad = try await service.refusal(
            list,
            bytes: encoded(Messages.listReleasesRequest) {
                $0.project = $1.text("no spaces")
                $0.page_size = -1
                $0.page = -1
                $0.page_token = $1.text("x")
            })
        #expect(bad.fields == ["project", "page_size", "page", "page"])
        let absent = try await service.refusal(
            list, bytes: encoded(Messages.listReleasesRequest) { $0.project = $1.text("other") })
        #expect(absent.reason == "PROJECT_NOT_FOUND")
    }

    @Test func aProjectWithoutDevicesHasNothing() async throws {
        let service = try ServiceHarness()
        for list in Self.lists {
            #expect(try await self.page(service, list) == Page(items: [], nextPageToken: "", totalCount: 0))
        }
    }
}
