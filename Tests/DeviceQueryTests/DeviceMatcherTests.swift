// A filter asked of one device at a time says what a list says.

import DeviceModel
import DeviceQuery
import RollcallTesting
import Testing

@Suite struct DeviceMatcherTests {
    @Test(arguments: 0..<20 as Range<UInt64>)
    func aMatcherSaysOfEachDeviceWhatTheOracleSays(seed: UInt64) throws {
        let fixture = IndexFixture(seed: 6_300 + seed, deviceCount: [3, 40, 120][Int(seed % 3)])
        fixture.mutate(100)
        var matchCount = 0
        for step in 0..<100 {
            let sample = fixture.generator.filter()
            var filter = sample.filter
            filter.activity = nil
            filter.activityWindowMicroseconds = nil
            guard !(sample.tree?.asksCohortNames ?? false) else { continue }
            let matcher = try DeviceMatcher(filter, in: FleetGenerator.project, of: fixture.index)
            let oracle = fixture.generator.oracle
            let expected = Set(
                oracle.matches(filter, tree: sample.tree, now: fixture.generator.now).map(\.id.rawValue))
            let found = Set(oracle.entries.map { oracle.device($0) }.filter(matcher.matches).map(\.id))
            matchCount += found.count
            #expect(found == expected, "seed \(seed), step \(step), \(filter)")
        }
        #expect(matchCount > 0)
    }

    @Test func whatChangesWithoutADeviceIsRefused() throws {
        let fixture = IndexFixture(seed: 6_400, deviceCount: 3)
        var filter = DeviceFilter()
        filter.activity = .active
        filter.expression = "cohort = beta OR NOT cohort.name = \"The beta\""
        let violations = DeviceMatcher.violations(of: filter, in: FleetGenerator.project, of: fixture.index)
        #expect(violations.map(\.field) == ["activity", "filter"])
        #expect(violations.allSatisfy { $0.description.contains("cannot be watched") })
        filter = DeviceFilter()
        filter.expression = "attributes.nothing = 1"
        #expect(
            DeviceMatcher.violations(of: filter, in: FleetGenerator.project, of: fixture.index).map(\.field)
                == ["filter"])
    }
}

extension NaiveOracle {
    /// A device as callers see it, attributes and all.
    fileprivate func device(_ entry: Entry) -> Device {
        let cohort = self.cohorts[entry.fields.cohort]
        let release = entry.sighting.release.flatMap { self.releases[$0] }
        let etag = Etag(storeTag: Etag.storeTag(of: self.storeID), revision: entry.fields.etagRevision)
        return Device(
            id: entry.id.rawValue, createdDate: entry.createdDate, updatedDate: entry.fields.updatedDate,
            deviceSerial: entry.serial, ownerRef: entry.fields.ownerRef,
            hardwareVersion: entry.fields.hardwareVersion, lastSeen: entry.sighting.lastSeen,
            lastSeenRelease: release.map { Release(id: $0.id.rawValue, version: $0.version, revision: $0.revision) },
            cohort: Cohort(
                id: entry.fields.cohort.rawValue, name: cohort?.name ?? "", slug: cohort?.slug ?? ""),
            etag: etag.description,
            attributes: entry.attributes.compactMap { id, state in
                self.attributeKeys.values.first { $0.id == id }.map { Attribute(customMetric: $0.metric, state: state) }
            })
    }
}
