import CRollcallProto
import DeviceModel
import DeviceWire
import ProtobufC
import Testing

@Suite struct ServerStatsTests {
    private static func distribution(_ counts: (bound: Int64, count: Int64)..., sum: Int64, max: Int64) -> Distribution
    {
        var distribution = Distribution()
        distribution.buckets = counts.map { .init(upperBound: $0.bound, count: $0.count) }
        distribution.sum = sum
        distribution.max = max
        return distribution
    }

    /// With a number of its own in every field.
    static let sample: ServerStats = {
        var stats = ServerStats()
        stats.uptime = .microseconds(1_500_001)
        var connections = ServerStats.Connections(wire: "grpc")
        (connections.openCount, connections.totalCount) = (1, 2)
        (connections.receivedByteCount, connections.sentByteCount) = (3, 4)
        stats.connections = [connections]
        var calls = ServerStats.Calls(wire: "ttrpc", method: "rollcall.v1.Devices/GetDevice")
        calls.ended = [.init(code: 0, count: 5), .init(code: 5, count: 6)]
        calls.openCount = 7
        calls.latency = Self.distribution((1_024, 10), (2_048, 1), sum: 12_000, max: 2_000)
        stats.calls = [calls]
        stats.writer.queuedCallCount = 8
        stats.writer.queuedCallCountMax = 9
        stats.writer.queuedByteCount = 10
        stats.writer.refusedCallCount = 11
        stats.writer.groupCallCounts = Self.distribution((1, 2), sum: 2, max: 1)
        stats.writer.commitTimes = Self.distribution((3, 4), sum: 12, max: 3)
        stats.writer.failedCommitCount = 12
        stats.store.databaseByteCount = 13
        stats.store.walByteCount = 14
        stats.store.unfoldedChangeCount = 15
        stats.store.syncTimes = Self.distribution((16, 17), sum: 18, max: 16)
        stats.index.projectCount = 19
        stats.index.deviceCount = 20
        stats.index.memory = [.init(name: "rows", byteCount: 21)]
        stats.watchers.count = 22
        stats.watchers.catchingUpCount = 23
        stats.watchers.lagRevisionCount = 24
        stats.watchers.backlogChangeCount = 25
        stats.watchers.backlogByteCount = 26
        stats.watchers.tooSlowCount = 27
        stats.process.residentByteCount = 28
        stats.process.descriptorCount = 29
        stats.process.descriptorCountMax = 30
        stats.process.processorTime = .microseconds(31)
        return stats
    }()

    @Test func everyNumberComesBack() throws {
        for stats in [Self.sample, ServerStats()] {
            let bytes = packed { $0.message(stats) }
            #expect(try decoded(Messages.getStatsResponse, bytes) { try ServerStats(from: $0) } == stats)
        }
    }

    @Test func quantilesAreToldWithTheBuckets() throws {
        let bytes = packed { $0.message(Self.sample) }
        try decoded(Messages.getStatsResponse, bytes) { message in
            let latency = try #require(message.pointee.calls[0]?.pointee.latency_nanoseconds?.pointee)
            #expect(latency.count == 11 && latency.sum == 12_000 && latency.max == 2_000)
            #expect([latency.p50, latency.p90, latency.p99, latency.p999] == [1_024, 1_024, 2_000, 2_000])
            #expect(latency.n_buckets == 2)
        }
    }

    @Test func aDifferenceIsOfTheTimeBetweenTwoAnswers() {
        var later = Self.sample
        later.uptime += .seconds(2)
        later.connections[0].sentByteCount += 100
        later.connections.append(ServerStats.Connections(wire: "ttrpc"))
        later.calls[0].ended[0].count += 3
        later.calls[0].latency = Self.distribution((1_024, 10), (2_048, 3), (4_096, 1), sum: 20_000, max: 4_000)
        later.writer.queuedCallCount = 1
        let difference = later.since(Self.sample)
        #expect(later.interval(since: Self.sample) == .seconds(2))
        #expect(difference.connections[0].sentByteCount == 100 && difference.connections[0].totalCount == 0)
        #expect(difference.calls[0].ended == [.init(code: 0, count: 3)])
        #expect(difference.calls[0].latency.buckets.map(\.count) == [2, 1] && difference.calls[0].latency.sum == 8_000)
        #expect(difference.writer.queuedCallCount == 1 && difference.writer.commitTimes.buckets.isEmpty)
        // Another process has counted from its start.
        var restarted = Self.sample
        restarted.uptime = .seconds(1)
        #expect(restarted.since(later) == restarted)
        #expect(restarted.interval(since: later) == .seconds(1))
    }
}
