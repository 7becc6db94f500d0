// Backups as streams: what they say, one at a time, and how they end early.

import CRollcallProto
import DeviceModel
import DeviceRegistry
import DeviceWire
import NIOCore
import ProtobufC
import RPC
import RollcallTesting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct BackupCallTests {
    private struct Message {
        let part: BackupPart
        let summary: BackupSummary?

        init(_ message: ByteBuffer) throws {
            (self.part, self.summary) = try message.withUnsafeReadableBytes { bytes in
                try Arena().decode(Messages.backupResponse, from: bytes) {
                    (BackupPart(from: UnsafePointer($0)), try BackupSummary(from: UnsafePointer($0)))
                }
            }
        }
    }

    private func request(_ bytes: [UInt8] = []) -> AsyncStream<ByteBuffer> {
        let (requests, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        continuation.yield(ByteBuffer(bytes: bytes))
        continuation.finish()
        return requests
    }

    /// Makes a backup; gives its messages, and how it ended where it did not end well.
    private func backup(
        _ harness: ServiceHarness, receive: @escaping @Sendable (ByteBuffer) async throws -> Void = { _ in }
    ) async throws -> (messages: [Message], status: Status?) {
        let messages = Mutex<[ByteBuffer]>([])
        var status: Status?
        do {
            try await harness.stream("Backup", self.request()) { message in
                messages.withLock { $0.append(message) }
                try await receive(message)
            }
        } catch let error as Status {
            status = error
        }
        return (try messages.withLock { $0 }.map(Message.init), status)
    }

    /// Waits until the task is cancelled, as one does that writes to a reader who does not read.
    private static func stall() async throws {
        for await _ in AsyncStream<Never>.makeStream().stream {}
        try Task.checkCancellation()
    }

    @Test(arguments: [1, 7, 1 << 20]) func thePartsAreTheStoreAndTheLastMessageProvesIt(byteCount: Int) async throws {
        let harness = try ServiceHarness { $0.backupMessageByteCount = byteCount }
        for number in 1...20 { try await harness.create("S-\(number)") }
        let (messages, status) = try await self.backup(harness)
        #expect(status == nil)
        let bytes = messages.flatMap(\.part.bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == harness.store.base.snapshotText)
        #expect(messages.count == (bytes.count + byteCount - 1) / byteCount + 1)
        var position: Int64 = 0
        for message in messages {
            #expect(message.part.position == position && message.part.totalByteCount == Int64(bytes.count))
            position += Int64(message.part.bytes.count)
        }
        #expect(messages.dropLast().allSatisfy { $0.summary == nil && !$0.part.bytes.isEmpty })
        var digest = SHA256()
        digest.update(bytes)
        let summary = BackupSummary(
            storeID: harness.registry.storeID, revision: 20, byteCount: Int64(bytes.count), sha256: digest.digest)
        #expect(messages.last?.summary == summary && messages.last?.part.bytes == [])
    }

    @Test func anEmptyStoreIsASummaryAlone() async throws {
        let (messages, status) = try await self.backup(ServiceHarness())
        #expect(status == nil)
        #expect(messages.map { $0.summary?.byteCount } == [0])
    }

    @Test func asManyAsMayBeAreUnderWayAndThenTheNext() async throws {
        let harness = try ServiceHarness()
        try await harness.create("S-1")
        let refused = Mutex<Status?>(nil)
        let (_, status) = try await self.backup(harness) { _ in
            let (messages, status) = try await self.backup(harness)
            #expect(messages.isEmpty)
            refused.withLock { $0 = status }
        }
        #expect(status == nil)
        let refusal = refused.withLock { $0 }
        #expect(refusal?.code == .resourceExhausted && refusal?.reason == "LIMIT_EXCEEDED")
        #expect(refusal?.message == "Another backup is under way, as many as may be; try again after it.")
        #expect(try await self.backup(harness).status == nil)
    }

    @Test func aStoreThatCannotBeCopiedIsUnavailableAndServesOn() async throws {
        let harness = try ServiceHarness()
        harness.store.failSnapshots(next: 1)
        let (messages, status) = try await self.backup(harness)
        #expect(messages.isEmpty)
        #expect(status?.code == .unavailable && status?.reason == "STORE_UNAVAILABLE")
        #expect(
            status?.message == "The backup cannot be made: no space for a copy of the test's store; free some.")
        try await harness.create("S-1")
        #expect(try await self.backup(harness).status == nil)
    }

    @Test func whoTakesNothingLosesTheBackup() async throws {
        let harness = try ServiceHarness { $0.backupStallNanosecondsMax = 1_000_000 }
        try await harness.create("S-1")
        let (_, status) = try await self.backup(harness) { _ in try await Self.stall() }
        #expect(status?.code == .resourceExhausted && status?.reason == "LIMIT_EXCEEDED")
        #expect(status?.message.hasPrefix("Nothing of the backup was taken for") == true)
        // Its place is free again, though on a slow machine the next one may end in the same way.
        let next = try await self.backup(harness).status
        #expect(next == nil || next?.message == status?.message)
    }

    @Test func aDrainEndsABackup() async throws {
        let harness = try ServiceHarness()
        try await harness.create("S-1")
        let (_, status) = try await self.backup(harness) { _ in
            harness.drain.raise()
            try await Self.stall()
        }
        #expect(status == .draining)
    }

    @Test func aBackupThatIsCancelledGivesItsPlaceBack() async throws {
        let harness = try ServiceHarness()
        try await harness.create("S-1")
        let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
        let status = try await withThrowingTaskGroup(of: Status?.self) { group in
            group.addTask {
                try await self.backup(harness) { _ in
                    continuation.finish()
                    try await Self.stall()
                }.status
            }
            for await _ in begun {}
            group.cancelAll()
            return try await group.next() ?? nil
        }
        #expect(status?.code == .cancelled)
        #expect(try await self.backup(harness).status == nil)
    }

    @Test func aMalformedRequestIsRefused() async throws {
        let harness = try ServiceHarness()
        let status = await #expect(throws: Status.self) {
            try await harness.stream("Backup", self.request([0x0A, 0xFF])) { _ in }
        }
        #expect(status?.code == .invalidArgument && status?.reason == "MESSAGE_MALFORMED")
    }
}
