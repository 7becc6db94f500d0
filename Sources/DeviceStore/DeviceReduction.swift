// What a stretch of the change log comes to: the last state of each device that it names.

internal import DeviceModel

/// The sum of a device's changes.
struct ReducedDevice {
    /// What is more than a check-in, kept aside: most entries are check-ins, and there are many of them.
    final class Edits {
        let project: ProjectID
        let serial: String
        let createdDate: Timestamp
        /// Nil where they did not change.
        var fields: DeviceFields?
        /// The last value of each attribute that changed; nil where it was unset.
        var attributes: [AttributeKeyID: AttributeState?] = [:]
        /// Created in this stretch, so that the row is written whole.
        var isNew = false
        var isDeleted = false

        init(_ change: DeviceChange) {
            self.project = change.project
            self.serial = change.serial
            self.createdDate = change.createdDate
        }
    }

    let id: DeviceID
    /// Nil where no check-in is part of it.
    var sighting: Sighting?
    var edits: Edits?

    /// Rows that it takes to write it.
    var rowCount: Int { 1 + (self.edits?.attributes.count ?? 0) }
}

/// Changes reduced to one entry a device, to be written in slices.
///
/// Each entry sets values and adds nothing up, so that writing a stretch again, or again in part, ends in the same
/// rows.
struct DeviceReduction {
    /// The last revision that is in it.
    private(set) var through: Int64
    /// What its records take up in the log, the rows' own parts included.
    private(set) var byteCount = 0
    private(set) var changeCount = 0
    private var entries: [ReducedDevice] = []
    /// By the bare number of the device, which hashes faster than its type.
    private var indices: [Int64: Int] = [:]

    init(after revision: Int64) {
        self.through = revision
    }

    /// Adds the next change of the log.
    ///
    /// - Throws: where the record is not one.
    mutating func add(
        record: UnsafeRawBufferPointer, revision: Int64, device: Int64
    ) throws(SQLiteFailure) {
        let change: DeviceChange
        do {
            change = try DeviceChange(
                record: record, revision: Revision(rawValue: revision), device: DeviceID(rawValue: device))
        } catch {
            throw .malformed("the change log's record \(revision) is malformed: \(error)")
        }
        try self.add(change)
        self.byteCount += record.count + Self.rowByteCount
    }

    /// About what a row of the log takes beside its record.
    private static let rowByteCount = 16

    private mutating func add(_ change: DeviceChange) throws(SQLiteFailure) {
        self.through = change.revision.rawValue
        self.changeCount += 1
        let index: Int
        if let known = self.indices[change.device.rawValue] {
            index = known
        } else {
            index = self.entries.count
            self.indices[change.device.rawValue] = index
            self.entries.append(ReducedDevice(id: change.device))
        }
        if let sighting = change.sighting?.after { self.entries[index].sighting = sighting }
        if change.kind == .changed, change.fields == nil, change.attributes.isEmpty { return }

        let edits = self.entries[index].edits ?? ReducedDevice.Edits(change)
        self.entries[index].edits = edits
        switch change.kind {
        case .deleted:
            edits.isDeleted = true
            edits.attributes = [:]
            return
        case .created:
            guard change.fields?.after != nil else {
                throw .malformed("the change log's record \(change.revision.rawValue) creates a device without fields")
            }
            edits.isNew = true
        case .changed:
            break
        }
        if let fields = change.fields?.after { edits.fields = fields }
        for attribute in change.attributes {
            edits.attributes.updateValue(attribute.state.after, forKey: attribute.key)
        }
    }

    /// No more changes come now.
    mutating func finish(through revision: Int64) {
        self.through = max(self.through, revision)
    }

    /// The entries by id, so that their rows are neighbours.
    consuming func sorted() -> [ReducedDevice] {
        self.entries.sort { $0.id < $1.id }
        return self.entries
    }
}
