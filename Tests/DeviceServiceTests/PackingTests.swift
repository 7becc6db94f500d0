// What is written without a message, held to the bytes that protobuf-c writes of one.

import CRollcallProto
import DeviceModel
@testable import DeviceQuery
@testable import DeviceService
import DeviceWire
import ProtobufC
import RollcallTesting
import Testing

@Suite struct PackingTests {
    private static let numbers: [Int64] = [0, 1, 127, 128, 16_383, 16_384, .max, -1, .min]
    private static let lengths = [0, 1, 126, 127, 128, 129, 1_024]

    /// Room is made for the longest device that there can be, before it is written.
    @Test func theLongestDeviceHasRoom() {
        Arena().scope { arena in
            let text = arena.text(String(repeating: "x", count: 65_535)).bytes
            let record = BorrowedRecord(
                id: DeviceID(rawValue: .min), createdDate: .min, updatedDate: .min, serial: text, ownerRef: text,
                hardwareVersion: text, lastSeen: .min,
                release: BorrowedRecord.Release(id: ReleaseID(rawValue: .min), version: text, revision: text),
                cohort: BorrowedRecord.Cohort(id: CohortID(rawValue: .min), name: text, slug: text),
                etagRevision: Revision(rawValue: .max))
            let expected = arena.bytes(of: arena.message(Device(record, storeTag: .max)))
            #expect(expected.count <= record.packedByteCountMax && expected.count > 7 * 65_535 + 130)
            #expect(packed(record, storeTag: .max) == expected)
        }
    }

    /// Every length at which a varint grows, and every field that may be absent.
    @Test(arguments: [11, 12, 13] as [UInt64])
    func aDeviceIsTheBytesOfItsMessage(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let times =
            [.min, .max, .epoch]
            + [1_000_000, -999_999, 1_700_000_000_000_000].map(Timestamp.epoch.advanced(byMicroseconds:))
        for _ in 0..<2_000 {
            Arena().scope { arena in
                func text() -> UnsafeRawBufferPointer {
                    arena.text(String(repeating: "x", count: random.pick(Self.lengths))).bytes
                }
                func number() -> Int64 { random.pick(Self.numbers) }
                let record = BorrowedRecord(
                    id: DeviceID(rawValue: number()),
                    createdDate: random.pick(times),
                    updatedDate: random.pick(times),
                    serial: text(), ownerRef: text(), hardwareVersion: text(),
                    lastSeen: random.oneIn(3) ? nil : random.pick(times),
                    release: random.oneIn(3)
                        ? nil
                        : BorrowedRecord.Release(id: ReleaseID(rawValue: number()), version: text(), revision: text()),
                    cohort: BorrowedRecord.Cohort(id: CohortID(rawValue: number()), name: text(), slug: text()),
                    etagRevision: Revision(rawValue: random.pick([0, 1, 15, 16, 255, 256, 1 << 32 - 1, 1 << 32, .max]))
                )
                let storeTag = UInt32.random(in: 0...UInt32.max, using: &random)
                let message = arena.message(Device(record, storeTag: storeTag))
                #expect(packed(record, storeTag: storeTag) == arena.bytes(of: message), "seed \(seed)")
            }
        }
    }

    /// Every kind of value, zero among them: one that is set is written all the same.
    @Test func aGroupIsTheBytesOfItsMessage() {
        var values: [GroupValue] = [.none, .bool(false), .bool(true), .float(0), .float(-1.5), .float(.infinity)]
        values += Activity.allCases.map(GroupValue.activity)
        values += Self.numbers.map(GroupValue.int)
        values += Self.lengths.map { .text(String(repeating: "x", count: $0)) }
        for first in values {
            for second in values.map(Optional.some) + [nil] {
                Arena().scope { arena in
                    for count in [1, 127, 128, .max] as [Int64] {
                        let group = BorrowedGroup(
                            first: arena.borrowed(first), second: second.map { arena.borrowed($0) }, count: count,
                            totalCount: .max)
                        let values = GroupValues(first, second)
                        let message = arena.message(DeviceGroup(values: values, count: count))
                        #expect(packed(group) == arena.bytes(of: message), "\(values) \(count)")
                    }
                }
            }
        }
    }
}

/// The bytes of a device that is written without a message.
private func packed(_ device: BorrowedRecord, storeTag: UInt32) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: device.packedByteCountMax) { buffer, count in
        count = device.pack(into: UnsafeMutableRawBufferPointer(buffer), storeTag: storeTag)
    }
}

/// The bytes of a group that is written without a message: as many as it says.
func packed(_ group: BorrowedGroup) -> [UInt8] {
    let byteCount = group.packedByteCount
    return [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
        count = group.pack(into: UnsafeMutableRawBufferPointer(buffer))
        #expect(count == byteCount)
    }
}

extension Arena {
    /// The value with its text in the arena, as it lies in an index otherwise.
    fileprivate func borrowed(_ value: GroupValue) -> BorrowedGroupValue {
        switch value {
        case .none: .none
        case .text(let text): .text(self.text(text).bytes)
        case .int(let number): .int(number)
        case .float(let number): .float(number)
        case .bool(let isTrue): .bool(isTrue)
        case .activity(let activity): .activity(activity)
        }
    }
}
