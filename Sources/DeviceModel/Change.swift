// What a transaction changes: the records that the store keeps and that the index applies.

package import FoundationEssentials

/// A value before and after a change; nil where there is none.
package struct Transition<Value: Hashable & Sendable>: Hashable, Sendable {
    package var before: Value?
    package var after: Value?

    package init(before: Value?, after: Value?) {
        self.before = before
        self.after = after
    }
}

/// What a caller may change of a device, with what moves along.
package struct DeviceFields: Hashable, Sendable {
    package var ownerRef: String
    package var hardwareVersion: String
    package var cohort: CohortID
    package var updatedDate: Timestamp
    /// The revision that last moved the etag.
    package var etagRevision: Revision

    package init(
        ownerRef: String,
        hardwareVersion: String,
        cohort: CohortID,
        updatedDate: Timestamp,
        etagRevision: Revision
    ) {
        self.ownerRef = ownerRef
        self.hardwareVersion = hardwareVersion
        self.cohort = cohort
        self.updatedDate = updatedDate
        self.etagRevision = etagRevision
    }
}

extension DeviceFields {
    /// Texts are equal by their bytes.
    package static func == (left: Self, right: Self) -> Bool {
        left.cohort == right.cohort && left.updatedDate == right.updatedDate
            && left.etagRevision == right.etagRevision && left.ownerRef.hasSameBytes(as: right.ownerRef)
            && left.hardwareVersion.hasSameBytes(as: right.hardwareVersion)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.etagRevision)
        self.ownerRef.hashBytes(into: &hasher)
    }
}

/// What the last check-in said; both nil before the first.
package struct Sighting: Hashable, Sendable {
    package var lastSeen: Timestamp?
    package var release: ReleaseID?

    package init(lastSeen: Timestamp? = nil, release: ReleaseID? = nil) {
        self.lastSeen = lastSeen
        self.release = release
    }
}

/// One attribute of a device, set (`after`), replaced or unset (`before`).
package struct AttributeChange: Hashable, Sendable {
    package var key: AttributeKeyID
    package var state: Transition<AttributeState>

    package init(key: AttributeKeyID, state: Transition<AttributeState>) {
        self.key = key
        self.state = state
    }
}

/// One step of the revision counter: everything that one mutation changed of one device.
package struct DeviceChange: Hashable, Sendable {
    package enum Kind: UInt8, Hashable, Sendable {
        case created = 1
        case changed = 2
        case deleted = 3
    }

    package var revision: Revision
    package var kind: Kind
    package var project: ProjectID
    package var device: DeviceID
    package var serial: String
    package var createdDate: Timestamp
    /// Nil if a check-in alone made the change. Set where only attributes were updated, for the etag moves with them.
    package var fields: Transition<DeviceFields>?
    /// Nil if no check-in is part of it.
    package var sighting: Transition<Sighting>?
    /// In the order of keys. A deletion lists every attribute with what it was.
    package var attributes: [AttributeChange]

    package init(
        revision: Revision,
        kind: Kind,
        project: ProjectID,
        device: DeviceID,
        serial: String,
        createdDate: Timestamp,
        fields: Transition<DeviceFields>? = nil,
        sighting: Transition<Sighting>? = nil,
        attributes: [AttributeChange] = []
    ) {
        self.revision = revision
        self.kind = kind
        self.project = project
        self.device = device
        self.serial = serial
        self.createdDate = createdDate
        self.fields = fields
        self.sighting = sighting
        self.attributes = attributes
    }
}

package struct ProjectRecord: Hashable, Sendable {
    package var id: ProjectID
    package var slug: String
    package var name: String
    package var createdDate: Timestamp

    package init(id: ProjectID, slug: String, name: String, createdDate: Timestamp) {
        self.id = id
        self.slug = slug
        self.name = name
        self.createdDate = createdDate
    }
}

package struct CohortRecord: Hashable, Sendable {
    package var id: CohortID
    package var project: ProjectID
    package var slug: String
    package var name: String

    package init(id: CohortID, project: ProjectID, slug: String, name: String) {
        self.id = id
        self.project = project
        self.slug = slug
        self.name = name
    }
}

extension Project {
    /// A project as callers see it.
    package init(_ record: ProjectRecord) {
        self.init(id: record.id.rawValue, slug: record.slug, name: record.name, createdDate: record.createdDate)
    }
}

extension Cohort {
    /// A cohort as callers of the cohort operations see it.
    package init(_ record: CohortRecord, deviceCount: Int) {
        self.init(id: record.id.rawValue, name: record.name, slug: record.slug, deviceCount: Int64(deviceCount))
    }
}

package struct ReleaseRecord: Hashable, Sendable {
    package var id: ReleaseID
    package var project: ProjectID
    package var version: String
    package var revision: String

    package init(id: ReleaseID, project: ProjectID, version: String, revision: String) {
        self.id = id
        self.project = project
        self.version = version
        self.revision = revision
    }
}

extension Release {
    /// A release as callers of the list of releases see it.
    package init(_ record: ReleaseRecord, deviceCount: Int) {
        self.init(
            id: record.id.rawValue,
            version: record.version,
            revision: record.revision,
            deviceCount: Int64(deviceCount)
        )
    }
}

package struct AttributeKeyRecord: Hashable, Sendable {
    package var id: AttributeKeyID
    package var project: ProjectID
    package var metric: CustomMetric

    package init(id: AttributeKeyID, project: ProjectID, metric: CustomMetric) {
        self.id = id
        self.project = project
        self.metric = metric
    }
}

/// One change of a transaction. Their order is the order in which they are to be applied.
package enum Change: Hashable, Sendable {
    case device(DeviceChange)
    case projectCreated(ProjectRecord)
    /// Its cohorts, releases and attribute keys go with it; it has no devices.
    case projectDeleted(ProjectID)
    case cohortCreated(CohortRecord)
    case cohortRenamed(CohortID, project: ProjectID, name: String)
    case cohortDeleted(CohortID, project: ProjectID)
    case releaseCreated(ReleaseRecord)
    /// No device has it any more.
    case releaseDeleted(ReleaseID, project: ProjectID)
    case attributeKeyCreated(AttributeKeyRecord)
}

/// A mutation that a caller named, remembered so that a repeat gets the first outcome.
package struct RememberedRequest: Hashable, Sendable {
    /// What makes two requests the same one.
    package struct Key: Hashable, Sendable {
        package var userID: UInt32
        /// The project's slug as the request named it; `default` where it was empty.
        package var project: String
        /// The method's full name.
        package var method: String
        package var requestID: UUID

        package init(userID: UInt32, project: String, method: String, requestID: UUID) {
            self.userID = userID
            self.project = project
            self.method = method
            self.requestID = requestID
        }
    }

    package var key: Key
    /// A digest of what was asked for: the same id for something else is a caller's mistake.
    package var bodyDigest: UInt64
    /// Its batch's, by which its age is told.
    package var time: Timestamp
    /// What the mutation acted on, so that a repeat can answer with its present state.
    package var subject: Int64

    package init(key: Key, bodyDigest: UInt64, time: Timestamp, subject: Int64) {
        self.key = key
        self.bodyDigest = bodyDigest
        self.time = time
        self.subject = subject
    }
}

/// The highest numbers given so far; what comes next is one more. Never falls, so that no id comes twice.
package struct HighWaterMarks: Hashable, Sendable {
    package var revision = Revision.zero
    package var device = DeviceID(rawValue: 0)
    package var project = ProjectID(rawValue: 0)
    package var cohort = CohortID(rawValue: 0)
    package var release = ReleaseID(rawValue: 0)
    package var attributeKey = AttributeKeyID(rawValue: 0)

    package init() {}
}

/// Everything that one transaction makes durable, all or nothing.
package struct MutationBatch: Hashable, Sendable {
    /// One more than the batch before it: a store whose last batch is another one has had another writer.
    package var sequence: Int64
    /// By the clock that ages are told by, which never moves back; the dates of what changed are the host's clock's.
    package var time: Timestamp
    package var changes: [Change]
    package var requests: [RememberedRequest]
    /// As they are after the batch.
    package var highWaterMarks: HighWaterMarks

    package init(
        sequence: Int64,
        time: Timestamp,
        changes: [Change],
        requests: [RememberedRequest],
        highWaterMarks: HighWaterMarks
    ) {
        self.sequence = sequence
        self.time = time
        self.changes = changes
        self.requests = requests
        self.highWaterMarks = highWaterMarks
    }
}
