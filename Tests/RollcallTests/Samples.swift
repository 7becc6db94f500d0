// Things to print, and a place to print them to.

import DeviceModel
import FoundationEssentials
import Synchronization

@testable import rollcall

/// Collects what is written.
final class Recorder: Sendable {
    private let contents = Mutex("")

    var text: String { self.contents.withLock { $0 } }

    func output(columnCount: Int? = nil, isTerminal: Bool = false) -> Output {
        Output(columnCount: columnCount, isTerminal: isTerminal) { text throws(OutputError) in
            self.contents.withLock { $0 += text }
        }
    }
}

/// What `body` prints in a format.
func printed(
    _ format: OutputFormat, columnCount: Int? = nil, isTerminal: Bool = false, _ body: (Printer) async throws -> Void
) async rethrows -> (data: String, words: String) {
    let (data, words) = (Recorder(), Recorder())
    let output = data.output(columnCount: columnCount, isTerminal: isTerminal)
    try await body(Printer(format: format, data: output, words: words.output()))
    return (data.text, words.text)
}

enum Samples {
    /// 2019-01-19T05:01:13Z.
    static let time = Timestamp(microseconds: 1_547_874_073_000_000) ?? .epoch

    static let device = Device(
        id: 1,
        createdDate: Self.time,
        updatedDate: Self.time,
        deviceSerial: "ABCD1234",
        ownerRef: "awesome_employee_1234",
        hardwareVersion: "hwrev1",
        lastSeen: Self.time,
        lastSeenRelease: Release(id: 2, version: "1.2.3", revision: "11d95ef20f7a048ce1da1a6891dd3e2f92c89d85"),
        cohort: Cohort(id: 1, name: "Beta Channel", slug: "beta"),
        etag: "3f2a9c10-1"
    )

    static let unseenDevice = Device(
        id: 2,
        createdDate: Self.time,
        updatedDate: Self.time.advanced(byMicroseconds: 1_234_567),
        deviceSerial: "00:1A:2B",
        ownerRef: "",
        hardwareVersion: "rev,2",
        lastSeen: nil,
        lastSeenRelease: nil,
        cohort: Cohort(id: 3, name: "Default", slug: "default"),
        etag: "3f2a9c10-2",
        attributes: [Self.battery, Self.note]
    )

    static let explanation = QueryExplanation(
        plan: .orderedWalk,
        steps: ["walk last_seen from its newest end", "ask each about cohort"],
        estimatedCandidateCount: 134,
        estimatedMatchCount: 100,
        candidateCount: 120,
        matchCount: 101,
        estimatedNanoseconds: 850,
        elapsedNanoseconds: 12_345,
        sliceCount: 1
    )

    static let count = DeviceCount(
        count: 20,
        groups: [
            DeviceGroup(values: [.text("1.2.3"), .activity(.active)], count: 12),
            DeviceGroup(values: [.none, .activity(.pending)], count: 7),
        ],
        otherCount: 1
    )

    static let battery = Attribute(
        customMetric: CustomMetric(
            id: UUID(uuidString: "8A3B6C1E-0000-4000-8000-000000000001") ?? UUID(),
            stringKey: "battery",
            dataType: .float
        ),
        state: AttributeState(value: .float(0.1), time: Self.time, createdDate: Self.time, updatedDate: Self.time)
    )

    static let note = Attribute(
        customMetric: CustomMetric(
            id: UUID(uuidString: "8A3B6C1E-0000-4000-8000-000000000002") ?? UUID(),
            stringKey: "note",
            dataType: .string
        ),
        state: AttributeState(
            value: .string("say \"hi\"\n\u{1B}[31m"), time: Self.time, createdDate: Self.time, updatedDate: Self.time
        )
    )
}
