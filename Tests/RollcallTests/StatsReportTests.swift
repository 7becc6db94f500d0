import DeviceModel
import JSONText
import Testing

@testable import rollcall

/// `rollcall server stats` and its `--watch`, as far as they need no server.
@Suite struct StatsReportTests {
    private static let stats: ServerStats = {
        var stats = ServerStats()
        stats.uptime = .seconds(11_000)
        var calls = ServerStats.Calls(wire: "ttrpc", method: "rollcall.v1.Devices/GetDevice")
        calls.ended = [.init(code: 0, count: 200), .init(code: 5, count: 2)]
        calls.latency.buckets = [.init(upperBound: 2_048, count: 201), .init(upperBound: 4_096, count: 1)]
        calls.latency.sum = 300_000
        calls.latency.max = 4_000
        var idle = ServerStats.Calls(wire: "grpc", method: ServerStats.Calls.unknownMethod)
        idle.ended = [.init(code: 12, count: 1)]
        stats.calls = [calls, idle]
        stats.index.deviceCount = 7
        stats.index.projectCount = 2
        return stats
    }()

    /// Two seconds and a hundred calls later.
    private static let later: ServerStats = {
        var stats = Self.stats
        stats.uptime += .seconds(2)
        stats.calls[0].ended[0].count += 100
        stats.calls[0].latency.buckets[0].count += 100
        return stats
    }()

    @Test func aTableShowsCountsOrRates() async throws {
        let (once, _) = try await printed(.table) { try $0.statistics(StatsReport(Self.stats)) }
        #expect(once.hasPrefix("up           3 h 3 min\n"), "\(once)")
        #expect(once.contains("index        7 devices in 2 projects, 0 B\n"), "\(once)")
        let row = "Devices/GetDevice  ttrpc       202       2     0  2.05 µs  2.05 µs  2.05 µs  4.00 µs  4.00 µs\n"
        #expect(once.contains(row), "\(once)")
        #expect(once.contains("unknown            grpc"), "\(once)")
        let (sample, _) = try await printed(.table) { try $0.sample(StatsReport(Self.later, since: Self.stats)) }
        #expect(sample.contains("Devices/GetDevice  ttrpc     50.0/s     0/s     0  2.05 µs"), "\(sample)")
        // Nothing happened to it meanwhile.
        #expect(!sample.contains("unknown"), "\(sample)")
    }

    /// Also where it has been up for longer by now than it had been before.
    @Test func aServerThatWasStartedAnewHasCountedFromItsStart() async throws {
        var earlier = Self.stats
        earlier.process.processorTime = .seconds(10)
        #expect(Self.later.since(earlier) == Self.later && Self.later.interval(since: earlier) == Self.later.uptime)
    }

    @Test func samplesTakeEachOthersPlaceOnATerminal() async throws {
        let (data, _) = try await printed(.table, columnCount: 80, isTerminal: true) {
            try $0.sample(StatsReport(Self.later, since: Self.stats))
        }
        #expect(data.hasPrefix("\u{1B}[H\u{1B}[J"))
        #expect(data.split(separator: "\n").allSatisfy { $0.count <= 86 }, "\(data)")
        #expect(data.contains("Devices/GetDevice  ttrpc     50.0/s     0/s  2.05 µs  2.05 µs  2.05 µs\n"), "\(data)")
    }

    @Test func aLineForProgramsHasTheIntervalAndItsRates() async throws {
        let (data, _) = try await printed(.ndjson) { try $0.sample(StatsReport(Self.later, since: Self.stats)) }
        #expect(data.hasPrefix(#"{"uptime_seconds": 11002.0, "interval_seconds": 2.0, "connections": []"#), "\(data)")
        #expect(
            data.contains(
                #""method": "rollcall.v1.Devices/GetDevice", "count": 100, "calls_per_second": 50.0, "failed_count": 0, "#
            ), "\(data)")
        #expect(data.contains(#""codes": {"OK": 100}"#) && data.hasSuffix("}\n"), "\(data)")
        let (once, _) = try await printed(.json) { try $0.statistics(StatsReport(Self.stats)) }
        #expect(once.hasPrefix(#"{"data": {"uptime_seconds": 11000.0, "connections""#), "\(once)")
        #expect(once.contains(#""codes": {"OK": 200, "NOT_FOUND": 2}"#), "\(once)")
    }

    @Test(arguments: [
        (0, "0 ns"), (812, "812 ns"), (1_024, "1.02 µs"), (99_960, "100 µs"), (12_345_678, "12.3 ms"),
        (1_500_000_000, "1.50 s"), (123_456_000_000, "123 s"),
    ])
    func timesAreReadable(_ nanoseconds: Int64, _ text: String) {
        #expect(Quantity.time(nanoseconds) == text)
    }

    @Test(arguments: [
        (0, "0 B"), (1_023, "1023 B"), (1_024, "1.00 KiB"), (47_185_920, "45.0 MiB"), (.max, "8388608 TiB"),
    ])
    func sizesAreReadable(_ count: Int64, _ text: String) {
        #expect(Quantity.bytes(count) == text)
    }
}
