// A backup instead of a start.

internal import DeviceModel
internal import DeviceStore
internal import FoundationEssentials

extension Daemon {
    /// Puts the backup in `file` into the data folder, for the next daemon to serve.
    ///
    /// - Parameter replacing: whether a store that is there is moved aside, where it is refused otherwise.
    /// - Returns: lines that say where that store is, and last what was restored.
    /// - Throws: ``DaemonError`` with `start` and a sentence that names the file.
    package static func restore(
        _ file: String, to folder: String, replacing: Bool
    ) throws(DaemonError) -> String {
        let restored: SQLiteStore.Restored
        do {
            restored = try SQLiteStore.restore(file, to: folder, replacing: replacing)
        } catch {
            throw DaemonError(.start, "\(error)")
        }
        let former = restored.replacedPath.map { "moved aside: \($0)\n" } ?? ""
        let ids = [restored.storeID, restored.formerStoreID].map { $0.uuidString.lowercased() }
        return former
            + "restored: devices=\(restored.deviceCount) revision=\(restored.revision.rawValue) "
            + "store_id=\(ids[0]) former_store_id=\(ids[1])\n"
    }
}
