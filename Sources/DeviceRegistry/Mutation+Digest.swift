// What tells a repeat of a named request from another request under the same id.

internal import DeviceModel

extension Mutation {
    /// A digest of what is asked for, the same however the request was encoded.
    ///
    /// It is stored beside the request's id, and compared after an update of the program too. So a number below never
    /// comes to mean something else, and what is left out adds nothing: a request without a newer field keeps its digest.
    /// Project and method are not part of it, for an id belongs to both.
    package var digest: UInt64 {
        var digest = FieldDigest()
        switch self {
        case .createDevice(let creation):
            digest.begin(1)
            digest.add(creation)
        case .updateDevice(let update):
            digest.begin(2)
            digest.add(update)
        case .deleteDevice(let deletion):
            digest.begin(3)
            digest.add(deletion)
        case .checkIn(let checkIn):
            digest.begin(4)
            digest.add(1, checkIn.serial)
            digest.add(2, checkIn.time)
            digest.add(3, checkIn.release?.version)
            digest.add(4, checkIn.release?.revision)
            digest.add(5, checkIn.hardwareVersion)
            digest.add(6, checkIn.attributes)
            digest.add(7, checkIn.createMissing)
        case .updateAttributes(let update):
            digest.begin(5)
            digest.add(1, update.serial)
            digest.add(2, update.updates)
            digest.add(3, update.mode == .replace)
            digest.add(4, update.etag)
        case .importDevices:
            preconditionFailure("An import has no request id: it is repeated item by item.")
        case .createProject(let name):
            digest.begin(6)
            digest.add(1, name)
        case .deleteProject(let allowMissing):
            digest.begin(7)
            digest.add(1, allowMissing)
        case .createCohort(let slug, let name):
            digest.begin(8)
            digest.add(1, slug)
            digest.add(2, name)
        case .renameCohort(let slug, let name):
            digest.begin(9)
            digest.add(1, slug)
            digest.add(2, name)
        case .deleteCohort(let slug, let allowMissing):
            digest.begin(10)
            digest.add(1, slug)
            digest.add(2, allowMissing)
        case .createDevices(let batch):
            digest.begin(11)
            digest.begin(UInt64(batch.count))
            for entry in batch.entries {
                digest.begin(1)
                digest.add(entry.item)
            }
        case .updateDevices(let batch):
            digest.begin(12)
            digest.begin(UInt64(batch.count))
            for entry in batch.entries {
                digest.begin(2)
                digest.add(entry.item)
            }
        case .deleteDevices(let batch):
            digest.begin(13)
            digest.begin(UInt64(batch.count))
            for entry in batch.entries {
                digest.begin(3)
                digest.add(entry.item)
            }
        case .purgeDevices(let purge, _):
            digest.begin(14)
            // Not the count that is expected: once some are deleted, whoever repeats the purge expects another.
            digest.add(purge.filter)
        }
        return digest.value
    }
}

/// Numbered fields in a row, each of which can be told from what follows it.
private struct FieldDigest {
    private var digest = FNV1a()

    var value: UInt64 { self.digest.value }

    /// Begins a mutation of kind `number`, or a part of one.
    mutating func begin(_ number: UInt64) {
        self.digest.combine(number)
    }

    mutating func add(_ number: UInt64, _ text: String?) {
        guard let text else { return }
        self.digest.combine(number)
        self.digest.combine(text)
    }

    mutating func add(_ number: UInt64, _ time: Timestamp?) {
        guard let time else { return }
        self.digest.combine(number)
        self.digest.combine(UInt64(bitPattern: time.microseconds))
    }

    mutating func add(_ number: UInt64, _ isTrue: Bool) {
        if isTrue {
            self.digest.combine(number)
        }
    }

    mutating func add(_ creation: DeviceCreation) {
        self.add(1, creation.serial)
        self.add(2, creation.ownerRef)
        self.add(3, creation.hardwareVersion)
        self.add(4, creation.cohort)
    }

    mutating func add(_ update: DeviceUpdate) {
        self.add(1, update.serial)
        self.add(2, update.ownerRef)
        self.add(3, update.hardwareVersion)
        self.add(4, update.cohort)
        self.add(5, update.etag)
        if let creation = update.creation {
            self.begin(6)
            self.add(creation)
        }
    }

    mutating func add(_ deletion: DeviceDeletion) {
        self.add(1, deletion.serial)
        self.add(2, deletion.etag)
        self.add(3, deletion.allowMissing)
    }

    mutating func add(_ filter: DeviceFilter) {
        self.add(1, filter.releases)
        self.add(2, filter.ownerRefs)
        self.add(3, filter.hardwareVersions)
        self.add(4, filter.cohorts)
        self.add(5, filter.deviceSerials)
        self.add(6, filter.lastSeenSince)
        self.add(7, filter.lastSeenUntil)
        if let activity = filter.activity {
            self.begin(8)
            self.begin(UInt64(activity.rawValue))
        }
        if let window = filter.activityWindowMicroseconds {
            self.begin(9)
            self.begin(UInt64(bitPattern: window))
        }
        self.add(10, filter.expression)
    }

    mutating func add(_ number: UInt64, _ texts: [String]) {
        guard !texts.isEmpty else { return }
        self.begin(number)
        self.begin(UInt64(texts.count))
        for text in texts { self.digest.combine(text) }
    }

    mutating func add(_ number: UInt64, _ updates: [AttributeUpdate]) {
        self.digest.combine(number)
        self.digest.combine(UInt64(updates.count))
        for update in updates {
            self.add(1, update.key)
            self.add(2, update.time)
            // The type's number stands before the value; an entry without one unsets.
            self.digest.combine(UInt64(update.value?.dataType.rawValue ?? 0))
            switch update.value {
            case .int(let number): self.digest.combine(UInt64(bitPattern: number))
            case .float(let number): self.digest.combine(number.bitPattern)
            case .bool(let isTrue): self.digest.combine(isTrue ? 1 : 0 as UInt64)
            case .string(let text): self.digest.combine(text)
            case nil: break
            }
        }
    }
}
