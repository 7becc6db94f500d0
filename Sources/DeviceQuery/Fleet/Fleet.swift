// One project: its devices, its catalog and the indexes over them.

internal import DeviceModel

/// The devices of one project with what they refer to.
///
/// Rows are numbered densely; a deleted device's row is given to the next new one. Each row is in `byID` and `byLastSeen`, its serial
/// is in `serialTable`, and it is in the row set of its owner, hardware version, cohort and, if it has one, release.
struct Fleet: ~Copyable {
    var record: ProjectRecord

    // MARK: Devices

    var rows: Column<DeviceRow>
    var firstFreeRow = DeviceRow.noRow
    var deviceCount = 0
    var serials: TextPool
    var serialTable: HashSlots
    var byID: RowOrder
    var byLastSeen: RowOrder
    let seed: UInt64

    // MARK: Values

    var owners: TextDictionary
    var hardware: TextDictionary
    /// Under the text of ``ReleaseText``; the tag is the length of the version.
    var releases: TextDictionary
    /// Under the slug.
    var cohorts: TextDictionary

    // MARK: Catalog

    var releaseIDs: Column<ReleaseID>
    var releaseCodes: [ReleaseID: UInt32] = [:]
    var versions: TextDictionary
    /// By the version's code, the codes of its releases.
    var releasesOfVersion: [[UInt32]] = []
    /// Releases that had no device at some time since they were last taken.
    var idleReleases: [ReleaseID] = []

    var cohortIDs: Column<CohortID>
    var cohortNames: Column<TextRef>
    var cohortNameTexts: TextPool
    var cohortCodes: [CohortID: UInt32] = [:]
    /// Ascending.
    var cohortIDsInOrder: [CohortID] = []

    var attributeKeys = AttributeKeyTable()

    // MARK: Attributes

    /// Each device's attributes in the order of keys.
    var attributeLists: [[AttributeSlot]] = []
    var freeAttributeLists: [UInt32] = []
    var attributeCount = 0

    init(_ record: ProjectRecord, seed: UInt64) {
        self.record = record
        self.seed = seed
        self.rows = Column()
        self.serials = TextPool()
        self.serialTable = HashSlots()
        self.byID = RowOrder()
        self.byLastSeen = RowOrder()
        self.owners = TextDictionary(seed: seed, dropsUnused: true)
        self.hardware = TextDictionary(seed: seed, dropsUnused: true)
        self.releases = TextDictionary(seed: seed, dropsUnused: false)
        self.cohorts = TextDictionary(seed: seed, dropsUnused: false)
        self.releaseIDs = Column()
        self.versions = TextDictionary(seed: seed, dropsUnused: false)
        self.cohortIDs = Column()
        self.cohortNames = Column()
        self.cohortNameTexts = TextPool()
    }

    // MARK: Looking up

    /// - Complexity: O(length of the serial); three cache misses in a large fleet, the last two at once.
    @inline(__always)
    func row(serial: UnsafeRawBufferPointer) -> UInt32? {
        self.serialTable.find(HashSlots.tag(StableHash.hash(serial, seed: self.seed))) { candidate in
            self.serials.text(candidate).holdsSameBytes(as: serial)
        }
    }

    /// - Complexity: O(log n).
    @inline(__always)
    func row(id: DeviceID) -> UInt32? {
        self.byID.row(OrderKey(value: id.rawValue, id: id.rawValue), self.rows.base)
    }

    @inline(__always)
    func code(_ text: UnsafeRawBufferPointer, in field: DictionaryField) -> UInt32? {
        switch field {
        case .owner: self.owners.code(of: text)
        case .hardware: self.hardware.code(of: text)
        case .release: self.releases.code(of: text)
        case .cohort: self.cohorts.code(of: text)
        }
    }

    @inline(__always)
    func rowSet(_ code: UInt32, in field: DictionaryField) -> RowSet {
        switch field {
        case .owner: self.owners.rows(code)
        case .hardware: self.hardware.rows(code)
        case .release: self.releases.rows(code)
        case .cohort: self.cohorts.rows(code)
        }
    }

    /// How many chunks of 65,536 rows there are.
    var chunkCount: Int {
        (self.rows.count + (1 << RowChunk.rowBits) - 1) >> RowChunk.rowBits
    }
}

/// One attribute of a device, its key as a place in the project's ``AttributeKeyTable``.
struct AttributeSlot {
    var key: Int
    var state: AttributeState
}
