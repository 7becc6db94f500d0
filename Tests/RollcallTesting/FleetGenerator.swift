// Fleets and queries from a seed: the same seed gives the same ones everywhere.

package import DeviceModel
package import FoundationEssentials

/// Makes the changes of one project that a writer might commit, from few values, so that ties and shared values abound.
package struct FleetGenerator: Sendable {
    package var random: SeededGenerator
    /// The state after every change made so far.
    package private(set) var oracle: NaiveOracle
    /// A clock that now and then steps back.
    package private(set) var now = FleetGenerator.start
    var marks = HighWaterMarks()
    /// Whether most owners and releases are those of one device, rather than shared by many.
    let isDiverse: Bool
    /// In the order of their ids.
    package private(set) var attributeKeys: [AttributeKeyRecord] = []

    package static let project = ProjectID(rawValue: 1)
    /// The history that the fleets' etags name.
    package static let storeID = UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16))
    /// 2019-01-19T05:01:13Z.
    package static let start = Timestamp.epoch.advanced(byMicroseconds: 1_547_874_073_000_000)
    static let second: Int64 = 1_000_000

    package static let owners = [
        "awesome_employee_1234", "awesome_employee_1235", "awesome_employee", "a", "", "Ångström",
        "A\u{30A}ngstro\u{308}m", "depot 7",
    ]
    package static let hardwareVersions = ["hwrev1", "hwrev10", "hwrev2", "HWREV1", "rev+b:2"]
    package static let versions = ["1.2", "1.2.3", "1.2.4", "1.2.30", "10.0.0-release-candidate", "\u{E9}", "e\u{301}"]
    package static let revisions = ["", "11d95ef20f7a048ce1da1a6891dd3e2f92c89d85", "11d95ef2", "b"]
    package static let cohortSlugs = ["default", "beta", "beta-2", "Alpha", "canary"]

    package init(seed: UInt64, isDiverse: Bool = false) {
        self.isDiverse = isDiverse
        self.random = SeededGenerator(seed: seed)
        self.oracle = NaiveOracle(project: Self.project, storeID: Self.storeID)
    }

    /// The project, its cohorts and its attribute keys.
    package mutating func catalog() -> [Change] {
        var changes: [Change] = [
            .projectCreated(ProjectRecord(id: Self.project, slug: "default", name: "Default", createdDate: self.now))
        ]
        for slug in Self.cohortSlugs {
            self.marks.cohort = CohortID(rawValue: self.marks.cohort.rawValue + 1)
            changes.append(
                .cohortCreated(
                    CohortRecord(id: self.marks.cohort, project: Self.project, slug: slug, name: "The " + slug))
            )
        }
        for attribute in Self.attributes {
            changes.append(self.attributeKeyCreation(attribute.key, attribute.type))
        }
        return self.commit(changes)
    }

    /// One mutation of a random kind: mostly check-ins, with creations, updates, deletions and attributes among them.
    package mutating func mutation() -> [Change] {
        self.tick()
        guard !self.oracle.entries.isEmpty else { return self.creation() }
        switch Int.random(in: 0..<40, using: &self.random) {
        case 0..<8: return self.creation()
        case 8..<14: return self.deletion(self.random.pick(self.oracle.entries))
        case 14..<20: return self.update(self.random.pick(self.oracle.entries))
        case 20..<25: return self.attributes(self.random.pick(self.oracle.entries))
        case 25: return self.renaming()
        default: return self.checkIn(self.random.pick(self.oracle.entries))
        }
    }

    /// Moves the clock by up to an hour, now and then back.
    mutating func tick() {
        let hour = 3_600 * Self.second
        self.now = self.now.advanced(
            byMicroseconds: self.random.oneIn(10) ? -hour : Int64.random(in: 0...hour, using: &self.random))
    }

    mutating func commit(_ changes: [Change]) -> [Change] {
        for change in changes { self.oracle.apply(change) }
        return changes
    }

    mutating func step() -> Revision {
        self.marks.revision = self.marks.revision.next
        return self.marks.revision
    }

    /// A key that the project does not have yet.
    private mutating func attributeKeyCreation(_ text: String, _ type: DataType) -> Change {
        self.marks.attributeKey = AttributeKeyID(rawValue: self.marks.attributeKey.rawValue + 1)
        let (high, low) = (self.random.next().bigEndian, self.random.next().bigEndian)
        let id = withUnsafeBytes(of: (high, low)) { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
        let metric = CustomMetric(id: id, stringKey: text, dataType: type)
        let key = AttributeKeyRecord(id: self.marks.attributeKey, project: Self.project, metric: metric)
        self.attributeKeys.append(key)
        return .attributeKeyCreated(key)
    }

    /// A cohort's new name, or the first sight of one more attribute key.
    private mutating func renaming() -> [Change] {
        if self.random.oneIn(3) {
            let text = "Extra key \(self.attributeKeys.count)"
            return self.commit([self.attributeKeyCreation(text, self.random.pick(DataType.allCases))])
        }
        let cohort = CohortID(rawValue: Int64.random(in: 1...self.marks.cohort.rawValue, using: &self.random))
        let name = self.random.pick(["The beta", "Another name, at some length", "Böta"])
        return self.commit([.cohortRenamed(cohort, project: Self.project, name: name)])
    }
}
