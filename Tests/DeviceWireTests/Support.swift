// Values on their way to bytes and back.

import CRollcallProto
import DeviceModel
import DeviceWire
import FoundationEssentials
import ProtobufC

/// The bytes of the message that `build` makes.
func packed<Message>(_ build: (Arena) throws -> UnsafeMutablePointer<Message>) rethrows -> [UInt8] {
    try Arena().scope { arena in
        let message = UnsafePointer(try build(arena))
        let byteCount = Encoding.packedByteCount(of: message)
        return [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            count = Encoding.pack(message, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}

/// What `body` makes of the message that `bytes` are.
func decoded<Message, R>(
    _ type: MessageType<Message>, _ bytes: [UInt8], _ body: (UnsafePointer<Message>) throws -> R
) throws -> R {
    try bytes.withUnsafeBytes { bytes in
        try Arena().decode(type, from: bytes) { try body(UnsafePointer($0)) }
    }
}

/// A time of whole seconds and microseconds since 1970.
func time(_ seconds: Int64, microseconds: Int64 = 0) -> Timestamp {
    (Timestamp(seconds: seconds, nanoseconds: 0) ?? .epoch).advanced(byMicroseconds: microseconds)
}

extension UUID {
    static let sample = UUID(
        uuid: (
            0x0B, 0x4A, 0x9C, 0x1E, 0x5D, 0x2F, 0x4C, 0x7B, 0x9A, 0x58, 0x3E, 0x1F, 0x6D, 0x7C, 0x8B, 0x90
        ))
}

extension QueryExplanation {
    static var sample: QueryExplanation {
        QueryExplanation(
            plan: .scan,
            steps: ["a", "b"],
            estimatedCandidateCount: 300,
            estimatedMatchCount: 1,
            candidateCount: 300,
            matchCount: 2,
            estimatedNanoseconds: 850,
            elapsedNanoseconds: 1_000_000_001,
            sliceCount: 3
        )
    }
}

extension DeviceCount {
    /// A count by two keys with every field set.
    static var sample: DeviceCount {
        DeviceCount(
            count: 300,
            groups: [
                DeviceGroup(values: [.text("beta"), .int(-1)], count: 200),
                DeviceGroup(values: [.activity(.pending), .none], count: 99),
            ],
            otherCount: 1,
            explanation: .sample
        )
    }
}

extension Device {
    /// A device with every field set.
    static var sample: Device {
        Device(
            id: 1,
            createdDate: time(1_547_874_073, microseconds: 5),
            updatedDate: time(0, microseconds: -1),
            deviceSerial: "ABCD1234",
            ownerRef: "awesome_employee_1234",
            hardwareVersion: "hwrev1",
            lastSeen: time(1_547_874_073),
            lastSeenRelease: Release(id: 2, version: "1.2.3", revision: "11d9"),
            cohort: Cohort(id: 3, name: "Beta Channel", slug: "beta"),
            etag: "0000002a-1f",
            attributes: [
                Attribute(
                    customMetric: CustomMetric(id: .sample, stringKey: "battery", dataType: .float),
                    state: AttributeState(
                        value: .float(20.5), time: time(10), createdDate: time(11), updatedDate: time(12))
                )
            ]
        )
    }
}
