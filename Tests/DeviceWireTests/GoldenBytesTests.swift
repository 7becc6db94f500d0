// What is on the wire, byte by byte; the bytes are those of Google's own encoder for the same text.

import CRollcallProto
import DeviceModel
import DeviceWire
import ProtobufC
import RollcallTesting
import Testing

@Suite struct GoldenBytesTests {
    /// `Device.sample` without its attributes.
    private static let basic: [UInt8] = [
        0x08, 0x01,  // id: 1
        0x12, 0x09,  // created_date, 9 bytes
        0x08, 0x99, 0xDE, 0x8A, 0xE2, 0x05,  // seconds: 1547874073
        0x10, 0x88, 0x27,  // nanos: 5000
        0x1A, 0x11,  // updated_date, 17 bytes
        0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01,  // seconds: -1
        0x10, 0x98, 0x8C, 0xEB, 0xDC, 0x03,  // nanos: 999999000
        0x22, 0x08, 0x41, 0x42, 0x43, 0x44, 0x31, 0x32, 0x33, 0x34,  // device_serial: ABCD1234
        0x2A, 0x15,  // owner_ref, 21 bytes
        0x61, 0x77, 0x65, 0x73, 0x6F, 0x6D, 0x65, 0x5F, 0x65, 0x6D, 0x70,  // awesome_emp
        0x6C, 0x6F, 0x79, 0x65, 0x65, 0x5F, 0x31, 0x32, 0x33, 0x34,  // loyee_1234
        0x32, 0x06, 0x68, 0x77, 0x72, 0x65, 0x76, 0x31,  // hardware_version: hwrev1
        0x3A, 0x06,  // last_seen, 6 bytes
        0x08, 0x99, 0xDE, 0x8A, 0xE2, 0x05,  // seconds: 1547874073, no nanos
        0x42, 0x0F,  // last_seen_release, 15 bytes
        0x08, 0x02,  // id: 2
        0x12, 0x05, 0x31, 0x2E, 0x32, 0x2E, 0x33,  // version: 1.2.3
        0x1A, 0x04, 0x31, 0x31, 0x64, 0x39,  // revision: 11d9
        0x4A, 0x16,  // cohort, 22 bytes
        0x08, 0x03,  // id: 3
        0x12, 0x0C,  // name, 12 bytes
        0x42, 0x65, 0x74, 0x61, 0x20, 0x43, 0x68, 0x61, 0x6E, 0x6E, 0x65, 0x6C,  // Beta Channel
        0x1A, 0x04, 0x62, 0x65, 0x74, 0x61,  // slug: beta
        0x52, 0x0B,  // etag, 11 bytes
        0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x32, 0x61, 0x2D, 0x31, 0x66,  // 0000002a-1f
    ]

    /// The one attribute of `Device.sample`, as the element of the device's list that it is.
    private static let attributes: [UInt8] = [
        0x5A, 0x4C,  // attributes, 76 bytes
        0x0A, 0x31,  // custom_metric, 49 bytes
        0x0A, 0x24,  // id, 36 bytes
        0x30, 0x62, 0x34, 0x61, 0x39, 0x63, 0x31, 0x65, 0x2D,  // 0b4a9c1e-
        0x35, 0x64, 0x32, 0x66, 0x2D, 0x34, 0x63, 0x37, 0x62, 0x2D,  // 5d2f-4c7b-
        0x39, 0x61, 0x35, 0x38, 0x2D,  // 9a58-
        0x33, 0x65, 0x31, 0x66, 0x36, 0x64, 0x37, 0x63, 0x38, 0x62, 0x39, 0x30,  // 3e1f6d7c8b90
        0x12, 0x07, 0x62, 0x61, 0x74, 0x74, 0x65, 0x72, 0x79,  // string_key: battery
        0x18, 0x02,  // data_type: FLOAT
        0x12, 0x17,  // state, 23 bytes
        0x0A, 0x09,  // value, 9 bytes
        0x19, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x34, 0x40,  // float_value: 20.5
        0x12, 0x02, 0x08, 0x0A,  // time: 10 s
        0x1A, 0x02, 0x08, 0x0B,  // created_date: 11 s
        0x22, 0x02, 0x08, 0x0C,  // updated_date: 12 s
    ]

    @Test func aDeviceIsTheBytesThatGooglesEncoderWrites() {
        #expect(packed { $0.message(Device.sample) } == Self.basic + Self.attributes)
    }

    @Test func aBorrowedDeviceIsTheSameBytesByBothWays() {
        let device = Device.sample
        Arena().scope { arena in
            // Texts that live in the arena stand for those that live in an index.
            func text(_ string: String) -> UnsafeRawBufferPointer { arena.text(string).bytes }
            let source = DeviceSource(
                id: device.id,
                createdDate: device.createdDate,
                updatedDate: device.updatedDate,
                serial: text(device.deviceSerial),
                ownerRef: text(device.ownerRef),
                hardwareVersion: text(device.hardwareVersion),
                lastSeen: device.lastSeen,
                release: DeviceSource.Release(id: 2, version: text("1.2.3"), revision: text("11d9")),
                cohort: DeviceSource.Cohort(id: 3, name: text("Beta Channel"), slug: text("beta")),
                etag: Etag(storeTag: 0x2A, revision: Revision(rawValue: 0x1F))
            )
            #expect(packed { $0.message(source) } == Self.basic)
            #expect(packed(source) == Self.basic)
        }
    }

    /// Room is made for the longest device that there can be, before it is written.
    @Test func theLongestDeviceHasRoom() {
        Arena().scope { arena in
            let text = arena.text(String(repeating: "x", count: 65_535)).bytes
            let source = DeviceSource(
                id: .min, createdDate: .min, updatedDate: .min, serial: text, ownerRef: text, hardwareVersion: text,
                lastSeen: .min, release: DeviceSource.Release(id: .min, version: text, revision: text),
                cohort: DeviceSource.Cohort(id: .min, name: text, slug: text),
                etag: Etag(storeTag: .max, revision: Revision(rawValue: .max)))
            let byteCount = Encoding.packedByteCount(of: UnsafePointer(arena.message(source)))
            #expect(byteCount <= source.packedByteCountMax && byteCount > 7 * 65_535 + 130)
            #expect(packed(source) == packed { $0.message(source) })
        }
    }

    /// The writer of devices against protobuf-c, over every length at which a varint grows and every field that may be absent.
    @Test(arguments: [11, 12, 13] as [UInt64])
    func packingADeviceGivesTheBytesThatProtobufCGives(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let numbers: [Int64] = [0, 1, 127, 128, 16_383, 16_384, .max, -1, .min]
        let lengths = [0, 1, 126, 127, 128, 129, 1_024]
        let times: [Timestamp] = [.min, .max, .epoch, time(1), time(-1, microseconds: 1), time(1_700_000_000)]
        for _ in 0..<2_000 {
            Arena().scope { arena in
                func text() -> UnsafeRawBufferPointer {
                    arena.text(String(repeating: "x", count: random.pick(lengths))).bytes
                }
                let source = DeviceSource(
                    id: random.pick(numbers),
                    createdDate: random.pick(times),
                    updatedDate: random.pick(times),
                    serial: text(), ownerRef: text(), hardwareVersion: text(),
                    lastSeen: random.oneIn(3) ? nil : random.pick(times),
                    release: random.oneIn(3)
                        ? nil : DeviceSource.Release(id: random.pick(numbers), version: text(), revision: text()),
                    cohort: DeviceSource.Cohort(id: random.pick(numbers), name: text(), slug: text()),
                    etag: Etag(
                        storeTag: UInt32.random(in: 0...UInt32.max, using: &random),
                        revision: Revision(rawValue: random.pick([0, 1, 15, 16, 255, 256, .max])))
                )
                #expect(packed(source) == packed { $0.message(source) }, "seed \(seed)")
            }
        }
    }

    /// `DeviceCount.sample`.
    private static let count: [UInt8] = [
        0x08, 0xAC, 0x02,  // count: 300
        0x12, 0x18,  // groups, 24 bytes
        0x0A, 0x06,  // values, 6 bytes
        0x0A, 0x04, 0x62, 0x65, 0x74, 0x61,  // string_value: beta
        0x0A, 0x0B,  // values, 11 bytes
        0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01,  // int_value: -1
        0x10, 0xC8, 0x01,  // count: 200
        0x12, 0x08,  // groups, 8 bytes
        0x0A, 0x02, 0x28, 0x01,  // values, 2 bytes: activity_value: ACTIVITY_PENDING
        0x0A, 0x00,  // values, empty: no value
        0x10, 0x63,  // count: 99
        0x18, 0x01,  // other_count: 1
        0x22, 0x23,  // explanation, 35 bytes
        0x0A, 0x04, 0x73, 0x63, 0x61, 0x6E,  // plan: scan
        0x12, 0x01, 0x61, 0x12, 0x01, 0x62,  // steps: a, b
        0x18, 0xAC, 0x02,  // estimated_candidate_count: 300
        0x20, 0x01,  // estimated_match_count: 1
        0x28, 0xAC, 0x02,  // candidate_count: 300
        0x30, 0x02,  // match_count: 2
        0x3A, 0x03, 0x10, 0xD2, 0x06,  // estimated_duration, 3 bytes: nanos: 850
        0x42, 0x04, 0x08, 0x01, 0x10, 0x01,  // duration, 4 bytes: seconds: 1, nanos: 1
        0x48, 0x03,  // slice_count: 3
    ]

    @Test func aCountIsTheBytesThatGooglesEncoderWrites() throws {
        let count = DeviceCount.sample
        #expect(packed { $0.reply(count) } == Self.count)
        let read = try decoded(Messages.countDevicesResponse, Self.count) { try DeviceCount(from: $0, keyCount: 2) }
        #expect(read == count)
    }

    @Test(
        arguments: [
            (AttributeValue.string("hi"), [0x0A, 0x02, 0x68, 0x69]),
            (.int(-1), [0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
            (.float(-2), [0x19, 0, 0, 0, 0, 0, 0, 0, 0xC0]),
            (.bool(true), [0x20, 0x01]),
            // A member of a oneof is written although it is its type's default: that is what says which member it is.
            (.string(""), [0x0A, 0x00]),
            (.int(0), [0x10, 0x00]),
            (.float(0), [0x19, 0, 0, 0, 0, 0, 0, 0, 0]),
            (.bool(false), [0x20, 0x00]),
        ] as [(AttributeValue, [UInt8])])
    func aValueIsItsMemberOfTheOneof(_ value: AttributeValue, _ bytes: [UInt8]) {
        #expect(packed { $0.message(value) } == bytes)
    }
}
