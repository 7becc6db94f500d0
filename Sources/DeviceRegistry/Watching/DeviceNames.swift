// What devices refer to by number, for devices that need not be in the index any more.

internal import DeviceModel
internal import DeviceQuery
internal import DeviceStore

/// Releases, cohorts and attribute keys of one project, as many as some changes need.
struct DeviceNames {
    private let storeTag: UInt32
    private var releases: [ReleaseID: ReleaseRecord] = [:]
    private var cohorts: [CohortID: CohortRecord] = [:]
    private var keys: [AttributeKeyID: AttributeKeyRecord] = [:]
    private(set) var missingReleases: Set<ReleaseID> = []
    private(set) var missingCohorts: Set<CohortID> = []

    /// How many are looked up under one hold of the index.
    private static let lookupCountMax = 512

    /// Looks up what the devices of `changes` refer to; what is deleted by now is missing.
    init(_ changes: some Sequence<WatchedChange>, in project: ProjectID, _ registry: Registry) {
        self.storeTag = registry.storeTag
        var keys: Set<AttributeKeyID> = []
        for change in changes {
            for state in [change.before, change.after] {
                guard let state else { continue }
                if let release = state.device.sighting.release { self.missingReleases.insert(release) }
                self.missingCohorts.insert(state.device.fields.cohort)
                keys.formUnion(state.attributes.keys)
            }
        }
        Self.lookUp(self.missingReleases, registry) { id, index in
            self.releases[id] = index.release(id: id, in: project)
        }
        Self.lookUp(self.missingCohorts, registry) { id, index in
            self.cohorts[id] = index.cohort(id: id, in: project)
        }
        Self.lookUp(keys, registry) { id, index in self.keys[id] = index.attributeKey(id: id, in: project) }
        self.missingReleases.subtract(self.releases.keys)
        self.missingCohorts.subtract(self.cohorts.keys)
    }

    private static func lookUp<ID>(
        _ ids: Set<ID>, _ registry: Registry, _ body: (ID, borrowing RegistryIndex) -> Void
    ) {
        var rest = Array(ids)[...]
        while !rest.isEmpty {
            let some = rest.prefix(Self.lookupCountMax)
            rest = rest.dropFirst(some.count)
            registry.read { index in
                for id in some { body(id, index) }
            }
        }
    }

    /// Whether something that is referred to is deleted by now.
    var isMissingSome: Bool {
        !self.missingReleases.isEmpty || !self.missingCohorts.isEmpty
    }

    mutating func add(_ retired: RetiredNames) {
        self.releases.merge(retired.releases) { $1 }
        self.cohorts.merge(retired.cohorts) { $1 }
    }

    /// The device as callers see it; nil where nothing is known any more of what it refers to.
    func device(_ state: WatchedDevice) -> Device? {
        let device = state.device
        guard let cohort = self.cohorts[device.fields.cohort] else { return nil }
        let release = device.sighting.release.flatMap { self.releases[$0] }
        guard release != nil || device.sighting.release == nil else { return nil }
        var shown = Device(device, cohort: cohort, release: release, storeTag: self.storeTag)
        shown.attributes = self.attributes(state.attributes)
        return shown
    }

    /// In the order of their keys, as everywhere.
    private func attributes(_ states: AttributeStates) -> [Attribute] {
        guard !states.isEmpty else { return [] }
        let attributes = states.compactMap { id, state in
            self.keys[id].map {
                (CustomMetric.folded($0.metric.stringKey), Attribute(customMetric: $0.metric, state: state))
            }
        }
        return attributes.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }.map(\.1)
    }
}
