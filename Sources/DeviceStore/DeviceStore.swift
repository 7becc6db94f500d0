// What the registry asks of durable state, and nothing more.

package import DeviceModel
package import FoundationEssentials

/// Durable state: everything is read once at start, then only batches are written.
///
/// ## Concurrency
/// One thread at a time calls these; each blocks until it is done. What reads the feed may be called at the same time by
/// another thread, as long as the store is not closed.
package protocol DeviceStore: Sendable {
    /// Where the history stands: known once the store is open, moved by each commit.
    func head() throws(StoreError) -> StoreHead

    /// Streams everything that is stored: projects, cohorts, releases, attribute keys, devices by id, attributes, requests by age.
    ///
    /// The loader sees a state in which every reference leads to something that it was given before.
    /// - Throws: what the loader throws, and `corrupt` or `failed` where the store cannot be read.
    func load(into loader: inout some StoreLoader) throws(StoreError)

    /// Whether what is stored was left behind by a stop that was not clean, so that ``verify(while:)`` has to come
    /// before the first ``commit(_:)``.
    var needsVerification: Bool { get }

    /// Looks through everything that is stored, for as long as `isWanted` says so, after it was loaded.
    ///
    /// - Throws: `corrupt` where it is damaged, after which every commit is refused in the same words and nothing that is
    ///   stored is touched; `failed` where it cannot be looked through to the end.
    func verify(while isWanted: @escaping @Sendable () -> Bool) throws(StoreError)

    /// Makes `batch` durable, all or nothing, before it returns.
    ///
    /// - Throws: `conflict` where the last batch is not the one before this; `unavailable` where nothing was written and a later
    ///   batch may succeed; `corrupt` where nothing was written and nothing will be; `outcomeUnknown` where the batch may or may not be durable, after which only `reopen` and `close` are of use.
    func commit(_ batch: MutationBatch) throws(StoreError)

    /// Opens the store anew after an unknown outcome and tells which batch it ends with.
    func reopen() throws(StoreError) -> StoreHead

    /// Reads a stretch of the feed: every change after one revision through another, in order, or those of some devices.
    ///
    /// Revisions have no gaps; one that is missing was forgotten, for the feed is bounded by age and size.
    /// - Throws: `failed` or `corrupt` where it cannot be read.
    func changes(
        after first: Revision, through last: Revision, of devices: Set<DeviceID>?
    ) throws(StoreError) -> [DeviceChange]

    /// The revision after which the feed holds every change.
    func feedStart() throws(StoreError) -> Revision

    /// What is deleted by now, though changes in the feed may refer to it. Ids that nothing is known of are left out.
    func retiredNames(releases: Set<ReleaseID>, cohorts: Set<CohortID>) throws(StoreError) -> RetiredNames

    /// The last revision that the newest deleted project of this slug may have; nil where the feed reaches back to none.
    func retirement(ofProject slug: String) throws(StoreError) -> Revision?

    /// The store's files and how long they take, as of now; zeros for what a store does not have. Called from any thread, and
    /// after ``close()`` too.
    var stats: ServerStats.Store { get }

    /// Copies everything as it is after the last batch, without holding up a commit. Any thread may call it, at any time.
    ///
    /// - Parameter isWanted: asked again and again while the copy is made; false gives it up.
    /// - Returns: nil where the copy was given up.
    /// - Throws: `unavailable` where it may succeed later (no space, a disk too slow), `corrupt` where the store cannot be read,
    ///   `outcomeUnknown` and `failed` where it is to be opened anew or closed, also meanwhile.
    func snapshot(while isWanted: () -> Bool) throws(StoreError) -> StoreSnapshot?

    /// Finishes what runs in the background and lets go of the store. Nothing but `snapshot` and `stats` is called afterwards.
    func close()
}

/// Releases and cohorts that are deleted.
package struct RetiredNames: Hashable, Sendable {
    package var releases: [ReleaseID: ReleaseRecord] = [:]
    package var cohorts: [CohortID: CohortRecord] = [:]

    package init() {}
}

/// Where a store's history stands.
package struct StoreHead: Hashable, Sendable {
    /// Names the history that revisions and tokens belong to.
    package var storeID: UUID
    /// The last batch's; 0 before the first.
    package var sequence: Int64
    /// The last batch's, by the clock that ages are told by; of a new store, when it was made.
    package var time: Timestamp
    package var highWaterMarks: HighWaterMarks

    package init(storeID: UUID, sequence: Int64, time: Timestamp, highWaterMarks: HighWaterMarks) {
        self.storeID = storeID
        self.sequence = sequence
        self.time = time
        self.highWaterMarks = highWaterMarks
    }
}

/// Receives what is stored, in the order that ``DeviceStore/load(into:)`` promises.
package protocol StoreLoader {
    mutating func project(_ record: ProjectRecord) throws(StoreError)
    mutating func cohort(_ record: CohortRecord) throws(StoreError)
    mutating func release(_ record: ReleaseRecord) throws(StoreError)
    mutating func attributeKey(_ record: AttributeKeyRecord) throws(StoreError)
    mutating func device(_ device: StoredDevice) throws(StoreError)
    mutating func attribute(
        _ key: AttributeKeyID, of device: DeviceID, in project: ProjectID, state: AttributeState
    ) throws(StoreError)
    mutating func request(_ request: RememberedRequest) throws(StoreError)
}

/// A device as it lies in the store. Its texts are UTF-8 and borrowed: they are valid during the loader's call only.
package struct StoredDevice {
    package var id: DeviceID
    package var project: ProjectID
    package var createdDate: Timestamp
    package var updatedDate: Timestamp
    package var etagRevision: Revision
    package var cohort: CohortID
    package var sighting: Sighting
    package var serial: UnsafeRawBufferPointer
    package var ownerRef: UnsafeRawBufferPointer
    package var hardwareVersion: UnsafeRawBufferPointer

    package init(
        id: DeviceID,
        project: ProjectID,
        createdDate: Timestamp,
        updatedDate: Timestamp,
        etagRevision: Revision,
        cohort: CohortID,
        sighting: Sighting,
        serial: UnsafeRawBufferPointer,
        ownerRef: UnsafeRawBufferPointer,
        hardwareVersion: UnsafeRawBufferPointer
    ) {
        self.id = id
        self.project = project
        self.createdDate = createdDate
        self.updatedDate = updatedDate
        self.etagRevision = etagRevision
        self.cohort = cohort
        self.sighting = sighting
        self.serial = serial
        self.ownerRef = ownerRef
        self.hardwareVersion = hardwareVersion
    }
}

/// Why a store cannot do what it was asked.
package struct StoreError: Error, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// Nothing was written; a later batch may succeed (a full disk, a busy file).
        case unavailable
        /// The batch may or may not be durable.
        case outcomeUnknown
        /// Another writer was first.
        case conflict
        /// What is stored contradicts itself or cannot be read as a store.
        case corrupt
        /// Another process has it open.
        case locked
        /// A newer version of the program wrote it.
        case newerVersion
        /// It cannot be opened or read.
        case failed
    }

    package var code: Code
    /// A sentence that names the file and says what to do.
    package var message: String
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String {
        guard let cause = self.cause else { return self.message }
        return "\(self.message) (\(cause))"
    }
}
