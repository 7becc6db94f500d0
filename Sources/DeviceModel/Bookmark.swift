// A place in a store's history.

public import FoundationEssentials

/// A revision with the history that it belongs to: from here a watch goes on without loss or repeat.
public struct Bookmark: Hashable, Sendable {
    /// Names the history; a restored store begins another one.
    public var storeID: UUID
    /// One step of it for each changed device.
    public var revision: Int64

    public init(storeID: UUID, revision: Int64) {
        self.storeID = storeID
        self.revision = revision
    }
}
