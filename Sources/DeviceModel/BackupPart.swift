// What a backup is made of.

public import FoundationEssentials

/// The next bytes of a copy of the store.
public struct BackupPart: Hashable, Sendable {
    public var bytes: [UInt8]
    /// Where they stand in the file, in bytes from its beginning.
    public var position: Int64
    /// Size of the whole file, in bytes.
    public var totalByteCount: Int64

    public init(bytes: [UInt8], position: Int64, totalByteCount: Int64) {
        self.bytes = bytes
        self.position = position
        self.totalByteCount = totalByteCount
    }
}

/// A copy of the store as a whole.
public struct BackupSummary: Hashable, Sendable {
    /// Names the history that the copy is of; a restore begins another one.
    public var storeID: UUID
    /// The newest change's. The copy holds every change up to it and none after it.
    public var revision: Int64
    public var byteCount: Int64
    /// Of the whole file, 32 bytes.
    public var sha256: [UInt8]

    public init(storeID: UUID, revision: Int64, byteCount: Int64, sha256: [UInt8]) {
        self.storeID = storeID
        self.revision = revision
        self.byteCount = byteCount
        self.sha256 = sha256
    }
}
