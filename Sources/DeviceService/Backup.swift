// rollcall.v1.Server/Backup

internal import CRollcallProto
internal import DeviceModel
internal import DeviceRegistry
internal import DeviceStore
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC
internal import Synchronization

extension DeviceService {
    /// A copy of the store, part by part, and what it must be.
    var backup: Method {
        Method(
            .server("Backup"),
            .stream(.server) { _, requests, responses in
                do {
                    let bytes = try await self.onlyMessage(of: requests)
                    try bytes.withUnsafeReadableBytes { try self.decode(Messages.backupRequest, $0) { _, _ in } }
                    try await self.untilDrained {
                        try await self.registry.withSnapshot { try await self.send($0, to: responses) }
                    }
                } catch is CancellationError {
                    throw Status.cancelled("The backup was given up.")
                } catch {
                    throw Status(reporting: error)
                }
            }
        )
    }

    /// Sends the whole of a snapshot, unless its reader stops taking it.
    private func send(_ snapshot: StoreSnapshot, to responses: ResponseWriter) async throws {
        let pace = Pace()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.endWhenStalled(pace) }
            group.addTask { try await self.write(snapshot, pace, to: responses) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func write(_ snapshot: StoreSnapshot, _ pace: Pace, to responses: ResponseWriter) async throws {
        var digest = SHA256()
        var position: Int64 = 0
        while true {
            try await responses.waitForRoom()
            let bytes = try await self.registry.read(
                snapshot, at: position, byteCountMax: self.registry.limits.backupMessageByteCount)
            guard !bytes.isEmpty else { break }
            bytes.withUnsafeBytes { digest.update($0) }
            let part = BackupPart(bytes: bytes, position: position, totalByteCount: snapshot.byteCount)
            try await responses.write(ByteBuffer(part))
            pace.moved()
            position += Int64(bytes.count)
        }
        let summary = BackupSummary(
            storeID: snapshot.storeID, revision: snapshot.revision.rawValue, byteCount: position, sha256: digest.digest)
        try await responses.write(ByteBuffer(summary))
    }

    /// A snapshot takes room on the disk and keeps others from making theirs, so whoever takes nothing of it loses it.
    private func endWhenStalled(_ pace: Pace) async throws {
        let patience = self.registry.limits.backupStallNanosecondsMax
        while true {
            let movedAt = pace.movedAt
            try await Task.sleep(until: movedAt.advanced(by: .nanoseconds(patience)), clock: .continuous)
            guard pace.movedAt > movedAt else {
                throw Status.limitExceeded(
                    "Nothing of the backup was taken for \(patience / 1_000_000_000) seconds; read it without such rests."
                )
            }
        }
    }
}

/// When a stream last went on.
private final class Pace: Sendable {
    private let instant = Mutex(ContinuousClock.now)

    var movedAt: ContinuousClock.Instant { self.instant.withLock { $0 } }

    func moved() {
        self.instant.withLock { $0 = .now }
    }
}

extension ByteBuffer {
    fileprivate init(_ part: BackupPart) {
        self.init()
        Arena.current.scope { arena in arena.withMessage(part) { self.append($0) } }
    }

    fileprivate init(_ summary: BackupSummary) {
        self.init()
        Arena.current.scope { arena in arena.withMessage(summary) { self.append($0) } }
    }
}
