import DeviceModel
import RollcallTesting
import Testing

@testable import DeviceStore

@Suite struct ChangeRecordTests {
    private func changes(seed: UInt64, count: Int) throws -> [DeviceChange] {
        var history = try MemoryStore().history(seed: seed)
        var changes: [DeviceChange] = []
        while changes.count < count {
            for case .device(let change) in history.batch().changes { changes.append(change) }
        }
        return changes
    }

    private func encode(_ change: DeviceChange) -> [UInt8] {
        var writer = RecordWriter()
        writer.change(change)
        return writer.bytes
    }

    private func decode(_ bytes: [UInt8]) -> Result<DeviceChange, MalformedRecord> {
        bytes.withUnsafeBytes { bytes in
            Result { () throws(MalformedRecord) in
                try DeviceChange(record: bytes, revision: Revision(rawValue: 1), device: DeviceID(rawValue: 2))
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func everyChangeReadsBackAsWritten(seed: UInt64) throws {
        for var change in try self.changes(seed: seed, count: 2_000) {
            let bytes = self.encode(change)
            change.revision = Revision(rawValue: 1)
            change.device = DeviceID(rawValue: 2)
            #expect(try self.decode(bytes).get() == change, "seed \(seed)")
        }
    }

    @Test func aCheckInIsAsTheFormatHasIt() throws {
        let change = DeviceChange(
            revision: Revision(rawValue: 9), kind: .changed, project: ProjectID(rawValue: 1),
            device: DeviceID(rawValue: 7), serial: "AB", createdDate: .epoch,
            sighting: Transition(
                before: Sighting(), after: Sighting(lastSeen: .epoch, release: ReleaseID(rawValue: 100))))
        let golden: [UInt8] = [
            1,  // format
            2,  // changed
            0b011_1000,  // sighting, with before and after
            2,  // project 1, zigzag
            2, 0x41, 0x42,  // serial
            0,  // created_date
            0,  // before: neither last_seen nor release
            3, 0, 0xC8, 0x01,  // after: both; 0; 100 as zigzag 200 in two bytes
        ]
        #expect(self.encode(change) == golden)
    }

    @Test func everyCutIsMalformed() throws {
        for change in try self.changes(seed: 4, count: 50) {
            let bytes = self.encode(change)
            for count in 0..<bytes.count {
                #expect(throws: MalformedRecord.self) { try self.decode(Array(bytes[..<count])).get() }
            }
            #expect(throws: MalformedRecord.self) { try self.decode(bytes + [0]).get() }
        }
    }

    @Test(arguments: [5, 6] as [UInt64]) func hostileBytesNeverCrash(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let records = try self.changes(seed: seed, count: 200).map(self.encode)
        for _ in 0..<50_000 {
            var bytes = records.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = bytes.indices.randomElement(using: &random) ?? 0
                bytes[index] = UInt8.random(in: 0...255, using: &random)
            }
            // Whatever still reads must be writable again: what was decoded is a value like any other.
            if case .success(let change) = self.decode(bytes) {
                #expect(!self.encode(change).isEmpty)
            }
        }
    }

    @Test func aHugeCountOfAttributesTakesNoMemory() {
        // Format, changed, attributes only, project, empty serial, created_date, then 2^63 attributes and nothing.
        let bytes: [UInt8] = [1, 2, 0b100_0000, 2, 0, 0] + Array(repeating: 0xFF, count: 8) + [0x7F]
        #expect(throws: MalformedRecord.self) { try self.decode(bytes).get() }
    }
}
