import DeviceModel
import DeviceQuery
import DeviceRegistry
import RollcallTesting
import Testing

/// What a run believes of one device, kept as plainly as can be.
private struct Belief: Equatable {
    var ownerRef: String
    var hardwareVersion: String
    var cohort: String
    var lastSeen: Timestamp?
    var release: String?
    var attributes: [String: AttributeValue] = [:]
}

@Suite struct RandomRunTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func randomMutationsLeaveWhatAPlainModelSays(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        var fixture = try RegistryFixture()
        for cohort in ["c0", "c1"] {
            try await fixture.perform(.createCohort(slug: cohort, name: cohort))
        }
        var beliefs: [String: Belief] = [:]
        for step in 0..<600 {
            fixture.clock.step(microseconds: Int64.random(in: -2...5, using: &random))
            let serial = "D\(Int.random(in: 0..<12, using: &random))"
            try await self.step(serial, fixture, &beliefs, &random)
            if step % 200 == 199 {
                fixture = try fixture.restarted()
            }
            if step % 20 == 0 {
                self.compare(fixture, beliefs, "seed \(seed), step \(step)")
            }
        }
        self.compare(fixture, beliefs, "seed \(seed), end")
        try fixture.registry.read { try $0.checkInvariants() }
    }

    private func step(
        _ serial: String, _ fixture: RegistryFixture, _ beliefs: inout [String: Belief],
        _ random: inout SeededGenerator
    ) async throws {
        let owner = "owner\(Int.random(in: 0..<4, using: &random))"
        let hardware = "hw\(Int.random(in: 0..<3, using: &random))"
        let cohort = "c\(Int.random(in: 0..<2, using: &random))"
        switch Int.random(in: 0..<12, using: &random) {
        case 10, 11:
            try await self.batch(fixture, &beliefs, &random)
        case 0, 1:
            let creation = DeviceCreation(serial: serial, ownerRef: owner, hardwareVersion: hardware, cohort: cohort)
            if try await self.succeeds(.createDevice(creation), fixture, where: beliefs[serial] == nil) {
                beliefs[serial] = Belief(ownerRef: owner, hardwareVersion: hardware, cohort: cohort)
            }
        case 2, 3:
            let update = DeviceUpdate(serial: serial, ownerRef: owner, cohort: cohort)
            if try await self.succeeds(.updateDevice(update), fixture, where: beliefs[serial] != nil) {
                beliefs[serial]?.ownerRef = owner
                beliefs[serial]?.cohort = cohort
            }
        case 4:
            let deletion = DeviceDeletion(serial: serial)
            if try await self.succeeds(.deleteDevice(deletion), fixture, where: beliefs[serial] != nil) {
                beliefs[serial] = nil
            }
        case 5:
            let key = "k\(Int.random(in: 0..<3, using: &random))"
            let value: AttributeValue? =
                Bool.random(using: &random) ? .int(Int64.random(in: 0..<5, using: &random)) : nil
            let update = AttributesUpdate(serial: serial, updates: [AttributeUpdate(key: key, value: value)])
            if try await self.succeeds(.updateAttributes(update), fixture, where: beliefs[serial] != nil) {
                beliefs[serial]?.attributes[key] = value
            }
        default:
            let time = fixture.clock.now.advanced(byMicroseconds: Int64.random(in: -20...0, using: &random))
            let version = "r\(Int.random(in: 0..<3, using: &random))"
            let checkIn = CheckIn(serial: serial, time: time, release: ReleaseName(version: version, revision: ""))
            let isLatest = beliefs[serial]?.lastSeen.map { time >= $0 } ?? true
            if try await self.succeeds(.checkIn(checkIn), fixture, where: beliefs[serial] != nil), isLatest {
                beliefs[serial]?.lastSeen = time
                beliefs[serial]?.release = version
            }
        }
    }

    /// Creates, updates or deletes some devices at once, of which one may be there that should not be, or the reverse.
    private func batch(
        _ fixture: RegistryFixture, _ beliefs: inout [String: Belief], _ random: inout SeededGenerator
    ) async throws {
        let isCreation = Bool.random(using: &random)
        let serials = (0..<12).map { "D\($0)" }.shuffled(using: &random)
        let fitting = serials.filter { (beliefs[$0] == nil) == isCreation }
        var chosen = Array(fitting.prefix(Int.random(in: 0...4, using: &random)))
        if random.oneIn(3) || chosen.isEmpty { chosen.append(serials.first { !chosen.contains($0) } ?? "D0") }
        chosen.shuffle(using: &random)
        let isInOrder = chosen.allSatisfy { fitting.contains($0) }
        let owner = "owner\(Int.random(in: 0..<4, using: &random))"
        if isCreation {
            let items = chosen.map { DeviceCreation(serial: $0, ownerRef: owner, hardwareVersion: "hw0", cohort: "c0") }
            if try await self.succeeds(.createDevices(batchOf(items)), fixture, where: isInOrder) {
                for serial in chosen {
                    beliefs[serial] = Belief(ownerRef: owner, hardwareVersion: "hw0", cohort: "c0")
                }
            }
        } else if Bool.random(using: &random) {
            let items = chosen.map { DeviceUpdate(serial: $0, ownerRef: owner, cohort: "c1") }
            if try await self.succeeds(.updateDevices(batchOf(items)), fixture, where: isInOrder) {
                for serial in chosen {
                    beliefs[serial]?.ownerRef = owner
                    beliefs[serial]?.cohort = "c1"
                }
            }
        } else {
            let items = chosen.map { DeviceDeletion(serial: $0) }
            if try await self.succeeds(.deleteDevices(batchOf(items)), fixture, where: isInOrder) {
                for serial in chosen { beliefs[serial] = nil }
            }
        }
    }

    private func succeeds(
        _ mutation: Mutation, _ fixture: RegistryFixture, where expected: Bool
    ) async throws -> Bool {
        do throws(RegistryError) {
            try await fixture.perform(mutation)
            #expect(expected, "\(mutation) was carried out")
            return true
        } catch {
            #expect(!expected, "\(mutation) was refused: \(error.message)")
            return false
        }
    }

    private func compare(_ fixture: RegistryFixture, _ beliefs: [String: Belief], _ place: String) {
        for serial in (0..<12).map({ "D\($0)" }) {
            let seen = fixture.visible(serial).map {
                Belief(
                    ownerRef: $0.ownerRef, hardwareVersion: $0.hardwareVersion, cohort: $0.cohort,
                    lastSeen: $0.lastSeen, release: $0.release, attributes: $0.attributes)
            }
            #expect(seen == beliefs[serial], "\(serial) at \(place)")
        }
    }
}
