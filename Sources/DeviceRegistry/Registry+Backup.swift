// Copies of the store, for those who make a backup.

internal import DeviceModel
package import DeviceStore
internal import Dispatch
internal import Synchronization

extension Registry {
    /// Copies everything as it is after the last commit, and lends the copy to `body`. Commits go on meanwhile.
    ///
    /// - Throws: `RegistryError` RESOURCE_EXHAUSTED where as many backups are under way as may be, UNAVAILABLE where the
    ///   store cannot be copied; what `body` throws; `CancellationError`.
    package func withSnapshot<Result: Sendable>(
        _ body: (StoreSnapshot) async throws -> Result
    ) async throws -> Result {
        let isFree = self.backupsUnderWay.withLock { count in
            guard count < self.limits.backupCountMax else { return false }
            count += 1
            return true
        }
        guard isFree else { throw RegistryError.tooManyBackups(countMax: self.limits.backupCountMax) }
        defer { self.backupsUnderWay.withLock { $0 -= 1 } }
        return try await body(self.snapshot())
    }

    /// Reads what follows on `position`, at most `byteCountMax` bytes; none at the end.
    ///
    /// - Throws: `RegistryError` UNAVAILABLE where the disk does not give it back.
    package func read(
        _ snapshot: StoreSnapshot, at position: Int64, byteCountMax: Int
    ) async throws -> [UInt8] {
        try await self.onBackupQueue {
            try [UInt8](unsafeUninitializedCapacity: byteCountMax) { buffer, count in
                count = try snapshot.read(at: position, into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
    }

    private func snapshot() async throws -> StoreSnapshot {
        let wish = Wish()
        let snapshot = try await withTaskCancellationHandler {
            try await self.onBackupQueue { try self.store.snapshot { wish.isStanding } }
        } onCancel: {
            wish.drop()
        }
        guard let snapshot else { throw CancellationError() }
        return snapshot
    }

    /// Runs what waits for the disk on a thread of its own.
    private func onBackupQueue<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            self.backupQueue.async {
                do {
                    continuation.resume(returning: try body())
                } catch let error as StoreError {
                    continuation.resume(throwing: RegistryError.backupFailed(error))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }
}

/// Whether somebody still wants what is being made.
private final class Wish: Sendable {
    private let isDropped = Atomic(false)

    var isStanding: Bool { !self.isDropped.load(ordering: .relaxed) }

    func drop() {
        self.isDropped.store(true, ordering: .relaxed)
    }
}

extension RegistryError {
    fileprivate static func tooManyBackups(countMax: Int) -> RegistryError {
        let what = countMax == 1 ? "Another backup is under way" : "\(countMax) backups are under way"
        return RegistryError(.resourceExhausted, .limitExceeded, "\(what), as many as may be; try again after it.")
    }

    fileprivate static func backupFailed(_ error: StoreError) -> RegistryError {
        RegistryError(.unavailable, .storeUnavailable, "The backup cannot be made: \(error.message).")
    }
}
