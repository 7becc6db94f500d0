// Imports and exports at the real daemon, over both protocols, by the library.

import DeviceModel
import Foundation
import RollcallClient
import RollcallTesting
import Synchronization
import Testing

@Suite(.sharedDaemon, .timeLimit(.minutes(2))) struct LiveBulkTests {
    private let seen: Timestamp

    init() throws {
        self.seen = try #require(Timestamp(rfc3339: "2024-01-19T05:01:13.123456Z"))
    }

    private func fleet(_ count: Int) -> [ImportItem] {
        (0..<count).map { index in
            var item = ImportItem(
                serial: "S-\(index)", ownerRef: "owner-\(index % 7)", hardwareVersion: "hw\(index % 3)")
            if index % 2 == 0 {
                item.lastSeen = self.seen.advanced(byMicroseconds: Int64(index))
                item.release = Release(id: 0, version: "1.\(index % 5)", revision: index % 4 == 0 ? "r" : "")
            }
            return item
        }
    }

    @Test func whatIsImportedIsExported() async throws {
        try await SharedDaemon.withClient { client in
            let fleet = self.fleet(5_000)
            let progress = Mutex<[ImportProgress]>([])
            let summary = try await client.importDevices(ItemSequence(fleet)) { news in
                progress.withLock { $0.append(news) }
            }
            #expect(summary.acceptedThrough == 5_000)
            #expect([summary.createdCount, summary.updatedCount, summary.failedCount] == [5_000, 0, 0])
            let through = progress.withLock { $0.map(\.acceptedThrough) }
            #expect(through == through.sorted())
            #expect(through.count >= 5, "news after each chunk: \(through)")

            let devices = try await client.exportedDevices()
            #expect(devices.map(\.deviceSerial) == fleet.map(\.serial), "by id, in the order of the import")
            #expect(devices.map(\.ownerRef) == fleet.map(\.ownerRef))
            #expect(devices.map(\.lastSeen) == fleet.map(\.lastSeen))
            #expect(devices.map { $0.lastSeenRelease?.version } == fleet.map { $0.release?.version })
            var filter = DeviceFilter()
            filter.hardwareVersions = ["hw1"]
            filter.expression = "owner_ref = owner-3"
            let expected = devices.filter { $0.hardwareVersion == "hw1" && $0.ownerRef == "owner-3" }
            #expect(try await client.exportedDevices(filter) == expected)
            #expect(try await client.exportedDevices(filter, view: .basic) == expected)
        }
    }

    @Test func failuresAreToldByPositionAndLeaveTheOthersAlone() async throws {
        try await SharedDaemon.withClient { client in
            var fleet = self.fleet(2_500)
            fleet[0].serial = "not a serial"
            fleet[1_234].hardwareVersion = ""
            fleet[2_000].serial = fleet[10].serial
            fleet[2_499].cohort = "none"
            let failures = Mutex<[ImportProgress.Failure]>([])
            let summary = try await client.importDevices(ItemSequence(fleet)) { news in
                failures.withLock { $0 += news.failures }
            }
            #expect([summary.acceptedThrough, summary.createdCount, summary.failedCount] == [2_500, 2_496, 4])
            let found = failures.withLock { $0 }
            #expect(summary.failures == found)
            #expect(found.map(\.position) == [1, 1_235, 2_001, 2_500])
            #expect(found.map(\.error.code) == [.invalidArgument, .invalidArgument, .alreadyExists, .notFound])
            #expect(
                found.prefix(2).map { $0.error.violations.map(\.field) } == [["device_serial"], ["hardware_version"]])
        }
    }

    @Test func manyLongFailuresComeInMessagesThatAreNotTooLong() async throws {
        try await SharedDaemon.withClient { client in
            let attributes = (0..<40).map { AttributeUpdate(key: "key*\($0)", value: .int(1)) }
            let items = (0..<2_000).map { ImportItem(serial: "bad \($0)", attributes: attributes) }
            let positions = Mutex<[Int64]>([])
            let summary = try await client.importDevices(ItemSequence(items)) { news in
                positions.withLock { $0 += news.failures.map(\.position) }
            }
            #expect(summary.failedCount == 2_000)
            #expect((1...1_000).contains(summary.failures.count))
            #expect(summary.failures.map(\.position) == Array(1...Int64(summary.failures.count)))
            #expect(positions.withLock { $0 } == Array(1...2_000))
        }
    }

    @Test func aValidationStoresNothing() async throws {
        try await SharedDaemon.withClient { client in
            let summary = try await client.importDevices(ItemSequence(self.fleet(1_500)), validateOnly: true)
            #expect(summary.createdCount == 1_500)
            #expect(try await client.exportedDevices().isEmpty)
            let none = try await client.importDevices(ItemSequence([]))
            #expect(none == ImportProgress())
        }
    }

    @Test func theSettingsAreRefusedAsAWhole() async throws {
        try await SharedDaemon.withClient { client in
            let items = ItemSequence(self.fleet(3))
            let missing = try await #require(throws: RollcallError.self) {
                try await client.with(project: "nowhere").importDevices(items)
            }
            #expect(missing.code == .notFound)
            #expect(missing.message == "There is no project 'nowhere'. No item was dealt with.")
            let bad = try await #require(throws: RollcallError.self) {
                try await client.with(project: "no where").importDevices(items)
            }
            #expect(bad.violations.map(\.field) == ["project"])
            let export = try await #require(throws: RollcallError.self) {
                try await client.with(project: "nowhere").exportedDevices()
            }
            #expect(export.code == .notFound)
            var filter = DeviceFilter()
            filter.expression = "colour = red"
            let refused = try await #require(throws: RollcallError.self) { try await client.exportedDevices(filter) }
            #expect(refused.violations.map(\.field) == ["filter"])
        }
    }

    /// A reader that stops half-way leaves nothing behind that keeps the connection from its other calls.
    @Test func anExportMayBeLeftHalfWay() async throws {
        try await SharedDaemon.withClient { client in
            try await client.importDevices(ItemSequence(self.fleet(20_000)))
            var count = 0
            for try await _ in client.exportDevices() {
                count += 1
                if count == 10 { break }
            }
            #expect(try await client.countDevices().count == 20_000)
        }
    }
}
