// Changes, one by one, with every index checked after each.

import DeviceModel
import DeviceQuery
import FoundationEssentials
import RollcallTesting
import Testing

@Suite struct IndexChangeTests {
    @Test(arguments: 0..<6 as Range<UInt64>)
    func everyIndexAgreesAfterEveryChange(seed: UInt64) throws {
        var limits = Limits()
        // Memory for few of the orders that are built on demand, so that they come and go.
        if seed % 2 == 0 { limits.lazyIndexByteCountMax = 8 << 10 }
        let fixture = IndexFixture(seed: 4_000 + seed, deviceCount: 10, limits: limits)
        for step in 0..<250 {
            fixture.buildSomeOrder()
            let changes = fixture.generator.mutation()
            fixture.apply(changes)
            #expect(throws: Never.self, "seed \(seed), step \(step), \(changes)") {
                try fixture.index.checkInvariants()
            }
            for entry in fixture.generator.oracle.entries {
                let device = fixture.index.device(entry.serial)
                #expect(device?.entry == entry, "seed \(seed), step \(step)")
                #expect(fixture.index.device(id: entry.id, in: FleetGenerator.project)?.id == entry.id)
            }
            if step % 50 == 49 {
                for (release, project) in fixture.index.takeUnusedReleases() {
                    #expect(fixture.index.deviceCount(withRelease: release, in: project) == 0)
                    fixture.apply(fixture.generator.forget(release))
                }
            }
        }
        #expect(fixture.index.deviceCount(in: FleetGenerator.project) == fixture.generator.oracle.entries.count)
    }

    /// Large sets of rows are kept in another way than small ones, and become small again.
    @Test func everyIndexAgreesWhileAFleetGrowsAndShrinks() throws {
        let fixture = IndexFixture(seed: 4_100)
        for step in 0..<2_600 {
            let isGrowing = step < 1_500
            let count = fixture.generator.oracle.entries.count
            let device = count > 0 ? fixture.generator.random.pick(fixture.generator.oracle.entries) : nil
            if let device, !isGrowing, step % 4 != 0 {
                fixture.apply(fixture.generator.deletion(device))
            } else if isGrowing, step % 10 != 0 {
                fixture.apply(fixture.generator.creation())
            } else {
                fixture.mutate(1)
            }
            guard step % 100 == 99 else { continue }
            fixture.buildSomeOrder()
            #expect(throws: Never.self, "step \(step)") { try fixture.index.checkInvariants() }
        }
        for entry in fixture.generator.oracle.entries {
            #expect(fixture.index.device(entry.serial)?.entry == entry)
        }
    }

    @Test func aFleetThatComesAndGoesTakesNoMoreMemory() throws {
        let fixture = IndexFixture(seed: 12)
        func cycle(_ fixture: IndexFixture) {
            for _ in 0..<300 { fixture.apply(fixture.generator.creation()) }
            for entry in fixture.generator.oracle.entries { fixture.apply(fixture.generator.deletion(entry)) }
        }
        for _ in 0..<5 { cycle(fixture) }
        let before = fixture.index.memoryFigures
        for _ in 0..<10 { cycle(fixture) }
        let after = fixture.index.memoryFigures
        #expect(after.rowByteCount == before.rowByteCount && after.rowSetByteCount == 0)
        // Texts and attributes differ in length and number from cycle to cycle.
        #expect(Double(after.totalByteCount) < Double(before.totalByteCount) * 1.25)
        #expect(Double(after.attributeByteCount) < Double(before.attributeByteCount) * 1.25)
        try fixture.index.checkInvariants()
    }

    @Test func aReleaseIsReportedUnusedOnceItsLastDeviceLeftIt() throws {
        let fixture = IndexFixture(seed: 13)
        while fixture.generator.oracle.releases.count < 3 { fixture.apply(fixture.generator.creation()) }
        _ = fixture.index.takeUnusedReleases()
        #expect(fixture.index.takeUnusedReleases().isEmpty)
        for entry in fixture.generator.oracle.entries { fixture.apply(fixture.generator.deletion(entry)) }
        let unused = fixture.index.takeUnusedReleases().map(\.release)
        #expect(Set(unused) == Set(fixture.generator.oracle.releases.keys))
        let record = try #require(fixture.generator.oracle.releases[unused[0]])
        for release in unused { fixture.apply(fixture.generator.forget(release)) }
        #expect(fixture.index.releaseCount(in: FleetGenerator.project) == 0)
        #expect(
            fixture.index.release(version: record.version, revision: record.revision, in: FleetGenerator.project) == nil
        )
        try fixture.index.checkInvariants()
    }

    @Test func textsThatLookAlikeAreTwoValues() throws {
        // The same letter, composed and decomposed: Swift takes the strings for equal, the registry compares bytes.
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        let fixture = IndexFixture(seed: 14)
        for (id, version) in [(1, composed), (2, decomposed)] as [(Int64, String)] {
            fixture.apply([
                .releaseCreated(
                    ReleaseRecord(
                        id: ReleaseID(rawValue: id), project: FleetGenerator.project, version: version, revision: "")
                )
            ])
        }
        #expect(fixture.index.release(version: decomposed, revision: "", in: FleetGenerator.project)?.id.rawValue == 2)
        #expect(fixture.index.release(version: composed, revision: "", in: FleetGenerator.project)?.id.rawValue == 1)
    }

    @Test func attributeKeysAreFoundWithoutRegardToCase() throws {
        let fixture = IndexFixture(seed: 15)
        let known = fixture.index.attributeKey("BATTERY LEVEL", in: FleetGenerator.project)
        let key = try #require(known)
        #expect(key.metric.stringKey == "Battery level")
        #expect(fixture.index.attributeKey(id: key.id, in: FleetGenerator.project) == key)
        #expect(fixture.index.attributeKey("battery", in: FleetGenerator.project) == nil)
        #expect(fixture.index.attributeKeyCount(in: FleetGenerator.project) == FleetGenerator.attributes.count)
    }

    @Test func attributesComeInTheOrderOfTheirKeys() throws {
        let fixture = IndexFixture(seed: 16, deviceCount: 3)
        fixture.mutate(200)
        for entry in fixture.generator.oracle.entries {
            var keys: [String] = []
            fixture.index.device(entry.serial)?.forEachAttribute { key, _ in
                keys.append(key.metric.stringKey.lowercased())
            }
            #expect(keys == keys.sorted())
            #expect(fixture.index.device(entry.serial)?.attributeCount == entry.attributes.count)
        }
    }
}
