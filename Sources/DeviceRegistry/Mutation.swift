// What a caller may ask the writer to do, with its fields already checked, and what it gets back.

package import DeviceModel

/// One mutation of one project.
package enum Mutation: Sendable {
    case createDevice(DeviceCreation)
    case updateDevice(DeviceUpdate)
    case deleteDevice(DeviceDeletion)
    case checkIn(CheckIn)
    case updateAttributes(AttributesUpdate)
    case importDevices(DeviceImport)
    case createDevices(DeviceBatch<DeviceCreation>)
    case updateDevices(DeviceBatch<DeviceUpdate>)
    case deleteDevices(DeviceBatch<DeviceDeletion>)
    case purgeDevices(DevicePurge, PurgeStep)
    /// The project is the request's own.
    case createProject(name: String)
    /// An absent project is no error if that is allowed.
    case deleteProject(allowMissing: Bool)
    case createCohort(slug: String, name: String)
    case renameCohort(slug: String, name: String)
    /// An absent cohort is no error if that is allowed.
    case deleteCohort(slug: String, allowMissing: Bool)
}

extension Mutation {
    /// What is wrong with the items of a batch, as far as they tell it by themselves.
    package var itemViolations: [FieldViolation] {
        switch self {
        case .createDevices(let batch): batch.faults.violations
        case .updateDevices(let batch): batch.faults.violations
        case .deleteDevices(let batch): batch.faults.violations
        default: []
        }
    }
}

package struct DeviceCreation: Hashable, Sendable {
    package var serial: String
    package var ownerRef: String
    package var hardwareVersion: String
    /// The cohort's slug; nil means the default one.
    package var cohort: String?

    package init(serial: String, ownerRef: String, hardwareVersion: String, cohort: String? = nil) {
        self.serial = serial
        self.ownerRef = ownerRef
        self.hardwareVersion = hardwareVersion
        self.cohort = cohort
    }
}

extension FieldCheck {
    /// Every field of a device that is to be created.
    package mutating func creation(_ creation: DeviceCreation) {
        self.serial(creation.serial, field: "device.device_serial")
        self.ownerRef(creation.ownerRef, field: "device.owner_ref")
        self.hardwareVersion(creation.hardwareVersion, field: "device.hardware_version")
        if let cohort = creation.cohort {
            self.slug(cohort, field: "device.cohort.slug")
        }
    }
}

/// New values; nil leaves a field as it is.
package struct DeviceUpdate: Hashable, Sendable {
    package var serial: String
    package var ownerRef: String?
    package var hardwareVersion: String?
    /// The cohort's slug.
    package var cohort: String?
    /// Refused unless it is the device's own; nil asks for no check.
    package var etag: String?
    /// What to create where there is no such device; nil refuses that. Only there are its fields checked, by the writer,
    /// for what an update leaves as it is may hold anything.
    package var creation: DeviceCreation?

    package init(
        serial: String,
        ownerRef: String? = nil,
        hardwareVersion: String? = nil,
        cohort: String? = nil,
        etag: String? = nil,
        creation: DeviceCreation? = nil
    ) {
        self.serial = serial
        self.ownerRef = ownerRef
        self.hardwareVersion = hardwareVersion
        self.cohort = cohort
        self.etag = etag
        self.creation = creation
    }
}

package struct DeviceDeletion: Hashable, Sendable {
    package var serial: String
    package var etag: String?
    /// An absent device is then no error.
    package var allowMissing: Bool

    package init(serial: String, etag: String? = nil, allowMissing: Bool = false) {
        self.serial = serial
        self.etag = etag
        self.allowMissing = allowMissing
    }
}

package struct ReleaseName: Hashable, Sendable {
    package var version: String
    package var revision: String

    package init(version: String, revision: String) {
        self.version = version
        self.revision = revision
    }
}

extension ReleaseName {
    /// Texts are equal by their bytes.
    package static func == (left: Self, right: Self) -> Bool {
        left.version.hasSameBytes(as: right.version) && left.revision.hasSameBytes(as: right.revision)
    }

    package func hash(into hasher: inout Hasher) {
        self.version.hashBytes(into: &hasher)
        self.revision.hashBytes(into: &hasher)
    }
}

package struct CheckIn: Hashable, Sendable {
    package var serial: String
    /// Nil means when the writer takes it.
    package var time: Timestamp?
    /// Nil leaves the release as it is.
    package var release: ReleaseName?
    /// Used and required only where the check-in registers the device.
    package var hardwareVersion: String
    /// No key twice, whatever its case.
    package var attributes: [AttributeUpdate]
    package var createMissing: Bool

    package init(
        serial: String,
        time: Timestamp? = nil,
        release: ReleaseName? = nil,
        hardwareVersion: String = "",
        attributes: [AttributeUpdate] = [],
        createMissing: Bool = false
    ) {
        self.serial = serial
        self.time = time
        self.release = release
        self.hardwareVersion = hardwareVersion
        self.attributes = attributes
        self.createMissing = createMissing
    }
}

package struct AttributesUpdate: Hashable, Sendable {
    package enum Mode: Hashable, Sendable {
        /// Keys that are not named stay.
        case merge
        /// Keys that are not named are unset.
        case replace
    }

    package var serial: String
    /// No key twice, whatever its case.
    package var updates: [AttributeUpdate]
    package var mode: Mode
    package var etag: String?

    package init(serial: String, updates: [AttributeUpdate], mode: Mode = .merge, etag: String? = nil) {
        self.serial = serial
        self.updates = updates
        self.mode = mode
        self.etag = etag
    }
}

/// A mutation on its way to the writer.
package struct MutationRequest: Sendable {
    /// A request that a caller named, so that it can be repeated.
    package struct Identity: Hashable, Sendable {
        package var key: RememberedRequest.Key
        package var bodyDigest: UInt64

        package init(key: RememberedRequest.Key, bodyDigest: UInt64) {
            self.key = key
            self.bodyDigest = bodyDigest
        }
    }

    /// The project's slug, never empty.
    package var project: String
    package var mutation: Mutation
    /// Checks everything and changes nothing; what would be given (ids, etags) stays zero and empty.
    package var validateOnly: Bool
    package var identity: Identity?
    /// What it holds of the queue's bytes: the request's encoded size.
    package var byteCount: Int

    package init(
        project: String,
        mutation: Mutation,
        validateOnly: Bool = false,
        identity: Identity? = nil,
        byteCount: Int = 0
    ) {
        self.project = project
        self.mutation = mutation
        self.validateOnly = validateOnly
        self.identity = identity
        self.byteCount = byteCount
    }
}

/// What a mutation answers: the resource as it is once the mutation is durable.
package enum MutationOutcome: Hashable, Sendable {
    case device(Device)
    /// In the order of the batch.
    case devices([Device])
    case attributes([Attribute], etag: String)
    case project(Project)
    case cohort(Cohort)
    case imported(ImportOutcome)
    case deleted
    /// How many devices a purge has deleted so far; in all where it was carried out before.
    case purged(Int64, isRepeat: Bool)
}
