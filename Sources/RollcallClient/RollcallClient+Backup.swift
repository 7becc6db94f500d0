// A copy of everything, while the server goes on.

internal import CRollcallProto
public import DeviceModel
internal import DeviceWire
internal import NIOCore
internal import ProtobufC
internal import RPC
internal import Synchronization

extension RollcallClient {
    /// Streams a copy of the server's store as it is at one moment: an SQLite database that `rollcalld --restore` takes.
    ///
    /// The server sends as fast as parts are taken, and a receiver that stops holds up other calls of the connection: give
    /// a backup a client of its own. The client's ``timeout`` bounds the whole of it. What was received is good only once
    /// this returns.
    ///
    /// - Parameter receive: Takes each part, in order; an error that it throws ends the backup.
    /// - Returns: What the parts are together, which they were found to be.
    /// - Throws: ``RollcallError`` of the call; DATA_LOSS where the parts are not what the server copied; what `receive` throws.
    public func backup(
        _ receive: @escaping @Sendable (BackupPart) async throws -> Void
    ) async throws -> BackupSummary {
        let proof = Mutex(BackupProof())
        try await self.serverStream(.server("Backup"), Self.encoded { $0.backupRequest() }) { message in
            let (part, summary) = try Self.backupMessage(message)
            try proof.withLock { try $0.add(part, summary) }
            if !part.bytes.isEmpty { try await receive(part) }
        }
        guard let summary = proof.withLock(\.summary) else { throw RollcallError.notWhole("it ended early") }
        return summary
    }

    private static func backupMessage(
        _ message: ByteBuffer
    ) throws(RollcallError) -> (part: BackupPart, summary: BackupSummary?) {
        do {
            return try message.withUnsafeReadableBytes { bytes in
                try Arena.current.decode(Messages.backupResponse, from: bytes) {
                    (BackupPart(from: UnsafePointer($0)), try BackupSummary(from: UnsafePointer($0)))
                }
            }
        } catch {
            throw .badReply("\(error)")
        }
    }
}

/// Holds what is received against what was sent.
private struct BackupProof {
    private var digest = SHA256()
    private var byteCount: Int64 = 0
    /// Nil until everything was received, and found to be right.
    private(set) var summary: BackupSummary?

    mutating func add(_ part: BackupPart, _ summary: BackupSummary?) throws(RollcallError) {
        guard part.position == self.byteCount else {
            throw .notWhole("byte \(part.position) followed on byte \(self.byteCount)")
        }
        part.bytes.withUnsafeBytes { self.digest.update($0) }
        self.byteCount += Int64(part.bytes.count)
        guard let summary else { return }
        guard self.byteCount == summary.byteCount, self.digest.digest == summary.sha256 else {
            throw .notWhole("size or SHA-256 differ")
        }
        self.summary = summary
    }
}

extension RollcallError {
    fileprivate static func notWhole(_ finding: String) -> RollcallError {
        RollcallError(.dataLoss, "What was received is not the backup that was sent: \(finding); make another one.")
    }
}
