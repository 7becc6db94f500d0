// rollcall.v1.BackupResponse.

package import CRollcallProto
package import DeviceModel
internal import FoundationEssentials
package import ProtobufC

extension Arena {
    /// A Backup request.
    package func backupRequest() -> UnsafeMutablePointer<Rollcall__V1__BackupRequest> {
        self.make(Messages.backupRequest)
    }

    /// Calls `body` with a message of the next bytes, which are not copied.
    package func withMessage(
        _ part: BackupPart, _ body: (UnsafeMutablePointer<Rollcall__V1__BackupResponse>) -> Void
    ) {
        part.bytes.withUnsafeBytes { bytes in
            let message = self.make(Messages.backupResponse)
            message.pointee.data = self.text(bytes)
            message.pointee.position = part.position
            message.pointee.total_bytes = part.totalByteCount
            body(message)
        }
    }

    /// Calls `body` with the last message.
    package func withMessage(
        _ summary: BackupSummary, _ body: (UnsafeMutablePointer<Rollcall__V1__BackupResponse>) -> Void
    ) {
        summary.sha256.withUnsafeBytes { digest in
            let message = self.make(Messages.backupSummary)
            message.pointee.store_id = self.text(summary.storeID)
            message.pointee.revision = summary.revision
            message.pointee.bytes = summary.byteCount
            message.pointee.sha256 = self.text(digest)
            let response = self.make(Messages.backupResponse)
            response.pointee.position = summary.byteCount
            response.pointee.total_bytes = summary.byteCount
            response.pointee.summary = message
            body(response)
        }
    }
}

extension BackupPart {
    package init(from message: UnsafePointer<Rollcall__V1__BackupResponse>) {
        self.init(
            bytes: Array(message.pointee.data.bytes), position: message.pointee.position,
            totalByteCount: message.pointee.total_bytes)
    }
}

extension BackupSummary {
    /// - Returns: nil for a message other than the last.
    /// - Throws: ``WireValueError`` where the store's id is no UUID.
    package init?(from message: UnsafePointer<Rollcall__V1__BackupResponse>) throws(WireValueError) {
        guard let summary = message.pointee.summary?.pointee else { return nil }
        guard let storeID = UUID(uuidString: summary.store_id.string) else {
            throw WireValueError("summary.store_id", "is no UUID")
        }
        self.init(
            storeID: storeID, revision: summary.revision, byteCount: summary.bytes, sha256: Array(summary.sha256.bytes))
    }
}
