// One device as the index keeps it.

internal import DeviceModel

/// Everything of fixed size about a device, in one cache line: a look-up by serial costs one miss for all of it, and so does an update.
///
/// Texts are numbers of a pool or of a dictionary. A free row has id 0 and keeps the next free row in `owner`.
struct DeviceRow: BitwiseCopyable {
    var deviceID: DeviceID
    var createdDate: Timestamp
    var updatedDate: Timestamp
    var etagRevision: Int64
    /// Microseconds since 1970, or `neverSeen`.
    var lastSeen: Int64
    var owner: UInt32
    var hardware: UInt32
    /// `noRelease` where there is none.
    var release: UInt32
    var cohort: UInt32
    var serial: TextRef
    /// The device's list in ``Fleet/attributeLists``, or ``AttributeLists/none``.
    var attributes: UInt32

    /// Below every time, so that never seen counts as smallest.
    static var neverSeen: Int64 { .min }
    static var noRelease: UInt32 { .max }
    static var noRow: UInt32 { .max }

    static func free(next: UInt32) -> DeviceRow {
        DeviceRow(
            deviceID: DeviceID(rawValue: 0), createdDate: .epoch, updatedDate: .epoch, etagRevision: 0,
            lastSeen: Self.neverSeen,
            owner: next, hardware: 0, release: Self.noRelease, cohort: 0, serial: .none, attributes: AttributeLists.none
        )
    }

    @inline(__always)
    var id: Int64 { self.deviceID.rawValue }

    @inline(__always)
    var isFree: Bool { self.id == 0 }
}

/// A field whose values lie in a dictionary, with the devices of each value.
enum DictionaryField: Int, CaseIterable {
    case owner
    case hardware
    case release
    case cohort
}

extension DeviceRow {
    @inline(__always)
    func code(_ field: DictionaryField) -> UInt32 {
        switch field {
        case .owner: self.owner
        case .hardware: self.hardware
        case .release: self.release
        case .cohort: self.cohort
        }
    }
}
