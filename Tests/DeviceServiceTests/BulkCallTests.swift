// Imports and exports as streams: their pace, and how they end early.

import CRollcallProto
import DeviceModel
import DeviceQuery
import DeviceRegistry
import DeviceStore
import NIOCore
import ProtobufC
import RPC
import RollcallTesting
import Synchronization
import Testing

@Suite struct BulkCallTests {
    /// What a message of an import says.
    private struct Progress: Equatable {
        var acceptedThrough: Int64
        var created: Int64
        var updated: Int64
        var failed: Int64
        var failures: [Int64]
        var isSummary: Bool

        init(_ message: ByteBuffer) throws {
            self = try decoded(Messages.importDevicesResponse, Array(message.readableBytesView)) { message in
                Progress(message)
            }
        }

        private init(_ message: Rollcall__V1__ImportDevicesResponse) {
            self.acceptedThrough = message.accepted_through
            self.created = message.created
            self.updated = message.updated
            self.failed = message.failed
            self.failures = (0..<message.n_failures).compactMap { message.failures[$0]?.pointee.position }
            self.isSummary = message.done != 0
        }
    }

    /// A message with the devices of these serials.
    private func message(_ serials: [String], mode: ImportMode = .create) -> ByteBuffer {
        ByteBuffer(
            bytes: encoded(Messages.importDevicesRequest) { request, arena in
                request.mode =
                    mode == .create
                    ? ROLLCALL__V1__IMPORT_MODE__IMPORT_MODE_CREATE : ROLLCALL__V1__IMPORT_MODE__IMPORT_MODE_UPSERT
                request.items = arena.makePointerArray(count: serials.count)
                request.n_items = serials.count
                for (index, serial) in serials.enumerated() {
                    let device = arena.make(Messages.device)
                    device.pointee.device_serial = arena.text(serial)
                    device.pointee.owner_ref = arena.text("owner")
                    device.pointee.hardware_version = arena.text("hw")
                    let item = arena.make(Messages.importItem)
                    item.pointee.device = device
                    request.items[index] = item
                }
            })
    }

    private func serials(_ range: ClosedRange<Int>) -> [String] { range.map { "S\($0)" } }

    /// Runs an import of messages that are all there from the beginning.
    private func run(
        _ messages: [ByteBuffer], in harness: ServiceHarness
    ) async throws -> (progress: [Progress], status: Status?) {
        let (requests, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        for message in messages { continuation.yield(message) }
        continuation.finish()
        let progress = Mutex<[Progress]>([])
        do {
            try await harness.stream("ImportDevices", requests) { message in
                let news = try Progress(message)
                progress.withLock { $0.append(news) }
            }
        } catch let status as Status {
            return (progress.withLock { $0 }, status)
        }
        return (progress.withLock { $0 }, nil)
    }

    private func deviceCount(_ harness: ServiceHarness) -> Int {
        harness.registry.read { $0.deviceCount(in: ProjectID(rawValue: 1)) }
    }

    @Test func progressComesWhileTheCallerWaitsForIt() async throws {
        let harness = try ServiceHarness()
        let (requests, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        let seen = Mutex<[Int64]>([])
        continuation.yield(self.message(["S1", "S2"]))
        try await harness.stream("ImportDevices", requests) { message in
            // The next message is sent only after the one before it is dealt with.
            let through = try Progress(message).acceptedThrough
            let count = seen.withLock { seen in
                seen.append(through)
                return seen.count
            }
            switch count {
            case 1: continuation.yield(self.message(["S3"]))
            case 2: continuation.finish()
            default: break
            }
        }
        #expect(seen.withLock { $0 } == [2, 3, 3])
    }

    @Test func aChunkIsNoLargerThanItsLimit() async throws {
        let harness = try ServiceHarness { $0.importChunkItemCountMax = 10 }
        let (progress, status) = try await self.run([self.message(self.serials(1...35))], in: harness)
        #expect(status == nil)
        #expect(progress.map(\.acceptedThrough) == [10, 20, 30, 35, 35])
    }

    @Test func theSummaryRepeatsTheFirstFailuresAndIsNotTooLong() async throws {
        func failures(_ change: @Sendable (inout Limits) -> Void) async throws -> [Int64] {
            let harness = try ServiceHarness {
                $0.importChunkItemCountMax = 10
                change(&$0)
            }
            let bad = self.serials(1...35).enumerated().map { $0.offset % 2 == 0 ? "bad serial" : $0.element }
            let (progress, status) = try await self.run([self.message(bad)], in: harness)
            #expect(status == nil)
            #expect(progress.map(\.isSummary) == [false, false, false, false, true])
            #expect(progress.dropLast().flatMap(\.failures) == Array(stride(from: 1, through: 35, by: 2)))
            #expect(progress.last?.failed == 18)
            return progress.last?.failures ?? []
        }
        #expect(try await failures { _ in } == Array(stride(from: 1, through: 35, by: 2)))
        #expect(try await failures { $0.importSummaryFailureCountMax = 7 } == [1, 3, 5, 7, 9, 11, 13])
        // Each takes from 200 to 400 bytes.
        let few = try await failures { $0.importSummaryByteCountMax = 1_000 }
        #expect((2...5).contains(few.count) && few == Array([1, 3, 5, 7, 9].prefix(few.count)))
    }

    @Test func aMalformedMessageEndsItAfterWhatCameBefore() async throws {
        let harness = try ServiceHarness()
        let (progress, status) = try await self.run(
            [self.message(self.serials(1...3)), ByteBuffer(bytes: [0x0A, 0xFF]), self.message(["S9"])], in: harness)
        #expect(progress.map(\.acceptedThrough) == [3])
        #expect(status?.code == .invalidArgument)
        #expect(status?.reason == "MESSAGE_MALFORMED")
        #expect(
            status?.message.hasSuffix("Items 1 to 3 are dealt with, and durable where they did not fail.") ?? false,
            "\(status?.message ?? "")")
        #expect(self.deviceCount(harness) == 3)
    }

    @Test func aStoreThatCannotCommitEndsItAndNothingLaterIsStored() async throws {
        let harness = try ServiceHarness { $0.importChunkItemCountMax = 10 }
        harness.store.fail(.unavailable, after: 2)
        let (progress, status) = try await self.run(
            [self.message(self.serials(1...20)), self.message(self.serials(21...200))], in: harness)
        let through = progress.last?.acceptedThrough ?? 0
        #expect(status?.code == .unavailable)
        #expect(
            status?.message.hasSuffix("Items 1 to \(through) are dealt with, and durable where they did not fail.")
                ?? false)
        #expect(self.deviceCount(harness) == Int(through))
        // Repeated from there, it comes to its end.
        let (_, again) = try await self.run([self.message(self.serials(Int(through) + 1...200))], in: harness)
        #expect(again == nil)
        #expect(self.deviceCount(harness) == 200)
    }

    @Test func aFullQueueIsWaitedForAndNotAFailure() async throws {
        let harness = try ServiceHarness {
            $0.importChunkItemCountMax = 10
            $0.writeQueueCallCountMax = 1
        }
        let (progress, status) = try await self.run([self.message(self.serials(1...200))], in: harness)
        #expect(status == nil)
        #expect(progress.last?.created == 200)
        let ids = harness.registry.read { index in
            self.serials(1...200).map { serial in
                Array(serial.utf8).withUnsafeBytes { index.device(serial: $0, in: ProjectID(rawValue: 1))?.id.rawValue }
            }
        }
        #expect(ids == (1...200).map(Int64.init), "in their order")
    }

    @Test func aRegistryThatClosesEndsIt() async throws {
        let harness = try ServiceHarness()
        harness.registry.close()
        let (progress, status) = try await self.run([self.message(["S1"])], in: harness)
        #expect(progress.isEmpty)
        #expect(status?.code == .unavailable)
        #expect(status?.message.hasSuffix(" No item was dealt with.") ?? false)
    }

    @Test func anImportThatIsCancelledDropsWhatWaits() async throws {
        let harness = try ServiceHarness { $0.importChunkItemCountMax = 10 }
        harness.store.hold()
        let (requests, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        continuation.yield(self.message(self.serials(1...200)))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: (any Error).self) {
                    try await harness.stream("ImportDevices", requests) { _ in }
                }
            }
            await harness.store.heldCommit()
            group.cancelAll()
            await group.waitForAll()
        }
        harness.store.release()
        harness.registry.close()
        // What the writer had begun is stored: at most the chunks that were on their way.
        #expect(self.deviceCount(harness) <= 10 * harness.registry.limits.importChunkCountMax)
    }

    @Test func itemsAreRefusedByEveryBadField() async throws {
        let harness = try ServiceHarness()
        let bytes = encoded(Messages.importDevicesRequest) { request, arena in
            request.items = arena.makePointerArray(count: 2)
            request.n_items = 2
            request.items[0] = arena.make(Messages.importItem)
            let device = arena.make(Messages.device)
            device.pointee.device_serial = arena.text("a b")
            device.pointee.owner_ref = arena.text(String(repeating: "x", count: 257))
            device.pointee.hardware_version = arena.text("ü")
            let cohort = arena.make(Messages.cohort)
            cohort.pointee.slug = arena.text("no slug")
            device.pointee.cohort = cohort
            device.pointee.last_seen_release = arena.make(Messages.release)
            device.pointee.attributes = arena.makePointerArray(count: 2)
            device.pointee.n_attributes = 2
            for index in 0..<2 {
                let attribute = arena.make(Messages.attribute)
                let metric = arena.make(Messages.customMetric)
                metric.pointee.string_key = arena.text("key")
                metric.pointee.data_type = ROLLCALL__V1__DATA_TYPE__DATA_TYPE_BOOL
                attribute.pointee.custom_metric = metric
                let state = arena.make(Messages.attributeState)
                let value = arena.make(Messages.attributeValue)
                value.pointee.kind_case = ROLLCALL__V1__ATTRIBUTE_VALUE__KIND_INT_VALUE
                state.pointee.value = index == 0 ? value : nil
                attribute.pointee.state = state
                device.pointee.attributes[index] = attribute
            }
            let item = arena.make(Messages.importItem)
            item.pointee.device = device
            request.items[1] = item
        }
        let fields = Mutex<[[String]]>([])
        let (requests, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        continuation.yield(ByteBuffer(bytes: bytes))
        continuation.finish()
        try await harness.stream("ImportDevices", requests) { message in
            let found = try decoded(Messages.importDevicesResponse, Array(message.readableBytesView)) { message in
                try (0..<message.n_failures).compactMap {
                    message.failures[$0]?.pointee.status?.pointee.details[1]?.pointee.value
                }
                .map { value in
                    try decoded(Messages.googleRpcBadRequest, Array(value.bytes)) { request in
                        (0..<request.n_field_violations).compactMap {
                            request.field_violations[$0]?.pointee.field.string
                        }
                    }
                }
            }
            fields.withLock { $0 += found }
        }
        let expected = [
            ["device"],
            [
                "attributes[0].state.value", "attributes[1].state.value", "attributes[1].custom_metric.string_key",
                "device_serial", "owner_ref", "hardware_version", "cohort.slug", "last_seen_release.version",
                "last_seen",
            ],
        ]
        #expect(fields.withLock { $0 } == expected + expected, "in the news of the chunk and in the summary")
    }

    // MARK: Exports

    @Test func everyMessageOfAnExportHasADeviceAndEndsAtItsSize() async throws {
        for byteCount in [1, 1_000, 1 << 20] {
            let harness = try ServiceHarness { $0.exportMessageByteCount = byteCount }
            _ = try await self.run([self.message(self.serials(1...300))], in: harness)
            let (requests, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
            continuation.yield(ByteBuffer())
            continuation.finish()
            let sizes = Mutex<[(byteCount: Int, count: Int)]>([])
            try await harness.stream("ExportDevices", requests) { message in
                let count = try decoded(Messages.exportDevicesResponse, Array(message.readableBytesView)) {
                    $0.n_devices
                }
                sizes.withLock { $0.append((message.readableBytes, count)) }
            }
            let found = sizes.withLock { $0 }
            #expect(found.reduce(0) { $0 + $1.count } == 300)
            #expect(found.allSatisfy { $0.count > 0 && $0.byteCount < byteCount + 200 })
            #expect(found.dropLast().allSatisfy { $0.byteCount >= byteCount })
        }
    }
}
