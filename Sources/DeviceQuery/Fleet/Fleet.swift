// One project: its devices, its catalog and the indexes over them.

internal import CRollcallShims
internal import DeviceModel

/// The devices of one project with what they refer to.
///
/// Rows are numbered densely; a deleted device's row is given to the next new one. Each row is in `byID` and `byLastSeen`, in every
/// lazy order of all devices and in the partial orders of its values as far as they have got. Its serial is in `serialTable`, and it
/// is in the row set of its owner, hardware version, cohort and release, or of those without a release.
struct Fleet: ~Copyable {
    var record: ProjectRecord

    // MARK: Devices

    var rows: Column<DeviceRow>
    /// Each row's `last_seen` once more, side by side: most lists and counts ask for nothing else of most rows.
    var seen: Column<Int64>
    /// Each row's codes once more, for the same reason.
    var codes: CodeColumns
    /// What tells rows by their ids.
    var idOrder = IDOrder()
    var firstFreeRow = DeviceRow.noRow
    var deviceCount = 0
    var serials: TextPool
    var serialTable: HashSlots
    var byID: RankedTree
    /// Never seen first.
    var byLastSeen: RankedTree
    var byCreatedDate = LazyOrder()
    var byUpdatedDate = LazyOrder()
    var bySerial = LazyOrder()
    let seed: UInt64

    // MARK: Values

    var owners: TextDictionary
    var hardware: TextDictionary
    /// Under the text of ``ReleaseText``; the tag is the length of the version.
    var releases: TextDictionary
    /// Under the slug.
    var cohorts: TextDictionary
    /// Rows without a release.
    var unreleased = RowSet()
    var unreleasedByteCount = 0

    /// Moves with every change after which a ``Condition`` made before may judge a row wrongly: of the texts that devices have, of
    /// which row has which serial, and of the catalog.
    var wordVersion: UInt64 = 0

    // MARK: Catalog

    var releaseIDs: Column<ReleaseID>
    var releaseCodes: [ReleaseID: UInt32] = [:]
    /// Ascending.
    var releaseIDsInOrder: [ReleaseID] = []
    var versions: TextDictionary
    /// By the version's code, the codes of its releases.
    var releasesOfVersion: [[UInt32]] = []
    /// By the release's code, the code of its version.
    var versionOfRelease: Column<UInt32>
    /// Releases that had no device at some time since they were last taken.
    var idleReleases: [ReleaseID] = []

    var cohortIDs: Column<CohortID>
    var cohortNames: Column<TextRef>
    var cohortNameTexts: TextPool
    var cohortCodes: [CohortID: UInt32] = [:]
    /// Ascending.
    var cohortIDsInOrder: [CohortID] = []

    // MARK: Attributes

    var attributeKeys = AttributeKeyTable()
    /// By the key's place in the table. A column lies at an address of its own, so that it can be pointed to.
    private(set) var columns: Column<UnsafeMutablePointer<AttributeColumn>>
    /// Each device's, under ``DeviceRow/attributes``.
    var attributeLists: AttributeLists

    // MARK: Partial indexes

    var hardwareOrders = PartialOrders()
    var releaseOrders = PartialOrders()
    var cohortOrders = PartialOrders()
    /// Where there are none, queries need not look for one.
    var completePartialOrderCount = 0
    /// What readers would have use for.
    let wish = OrderWish()

    init(_ record: ProjectRecord, seed: UInt64) {
        self.record = record
        self.seed = seed
        self.rows = Column()
        self.seen = Column()
        self.codes = CodeColumns()
        self.serials = TextPool()
        self.serialTable = HashSlots()
        self.byID = RankedTree()
        self.byLastSeen = RankedTree()
        self.owners = TextDictionary(seed: seed, dropsUnused: true)
        self.hardware = TextDictionary(seed: seed, dropsUnused: true)
        self.releases = TextDictionary(seed: seed, dropsUnused: false)
        self.cohorts = TextDictionary(seed: seed, dropsUnused: false)
        self.releaseIDs = Column()
        self.versions = TextDictionary(seed: seed, dropsUnused: false)
        self.versionOfRelease = Column()
        self.cohortIDs = Column()
        self.cohortNames = Column()
        self.cohortNameTexts = TextPool()
        self.columns = Column()
        self.attributeLists = AttributeLists()
    }

    deinit {
        var byteCount = 0
        var unreleased = self.unreleased
        unreleased.destroy(byteCount: &byteCount)
        for key in 0..<self.columns.count {
            self.columns.base[key].deinitialize(count: 1)
            self.columns.base[key].deallocate()
        }
    }

    /// Adds an attribute key with an empty column.
    mutating func insert(_ key: AttributeKeyRecord) throws(IndexError) {
        try self.attributeKeys.append(key)
        self.wordVersion += 1
        let column = UnsafeMutablePointer<AttributeColumn>.allocate(capacity: 1)
        column.initialize(to: AttributeColumn(dataType: key.metric.dataType))
        self.columns.append(column)
    }

    // MARK: Looking up

    /// Begins to fetch a device that will be read soon.
    @inline(__always)
    func prefetch(_ row: UInt32) {
        rollcall_prefetch(self.rows.base + Int(row))
    }

    /// Begins to fetch the serial of a device that is there by now, and where its owner lies.
    @inline(__always)
    func prefetchSerial(_ row: UInt32) {
        let row = self.rows.base + Int(row)
        self.serials.prefetch(row.pointee.serial)
        self.owners.prefetchPlace(row.pointee.owner)
    }

    /// Begins to fetch the owner of a device, whose place is there by now. Dictionaries with few texts are read all the time.
    @inline(__always)
    func prefetchOwner(_ row: UInt32) {
        self.owners.prefetchText(self.rows.base[Int(row)].owner)
    }

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
        self.byID.number(id.rawValue) { _ in false }
    }

    /// How many chunks of 65,536 rows there are.
    var chunkCount: Int {
        (self.rows.count + (1 << RowChunk.rowBits) - 1) >> RowChunk.rowBits
    }
}
