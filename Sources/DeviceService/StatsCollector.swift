// What all parts of the server have counted, in one place.

internal import CRollcallShims
package import DeviceModel
package import DeviceRegistry
internal import Dispatch
package import NIOCore
package import RPC
internal import Synchronization

/// Asks every part of the server for its numbers.
///
/// ## Concurrency
/// Any thread. Those who ask while others wait are told the same.
package final class StatsCollector: Sendable {
    private let registry: Registry
    private let calls: CallMetrics
    private let startedAt: NIODeadline
    /// Counting the descriptors of ten thousand connections takes milliseconds, for which no event loop is to wait.
    private let queue = DispatchQueue(label: "rollcall.stats", qos: .utility)
    private let waiting = Mutex<[@Sendable (ServerStats) -> Void]>([])

    /// - Parameter calls: Where the server's connections count their calls.
    package init(registry: Registry, calls: CallMetrics, startedAt: NIODeadline = .now()) {
        self.registry = registry
        self.calls = calls
        self.startedAt = startedAt
    }

    /// Collects on a thread of its own, which `body` then runs on.
    package func collect(_ body: @escaping @Sendable (ServerStats) -> Void) {
        let isFirst = self.waiting.withLock { waiting in
            waiting.append(body)
            return waiting.count == 1
        }
        guard isFirst else { return }
        self.queue.async {
            let bodies = self.waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            let stats = self.collect()
            for body in bodies { body(stats) }
        }
    }

    private func collect() -> ServerStats {
        var stats = ServerStats()
        stats.uptime = .nanoseconds((NIODeadline.now() - self.startedAt).nanoseconds)
        self.calls.figures.report(to: &stats)
        self.registry.report(to: &stats)
        stats.process = .current
        return stats
    }
}

extension CallFigures {
    fileprivate func report(to stats: inout ServerStats) {
        stats.connections = self.connections.sorted { $0.key < $1.key }.map { wire, figures in
            var connections = ServerStats.Connections(wire: wire)
            connections.openCount = figures.openCount
            connections.totalCount = figures.totalCount
            connections.receivedByteCount = figures.receivedByteCount
            connections.sentByteCount = figures.sentByteCount
            return connections
        }
        stats.calls = self.calls.map { call, figures in
            let method = call.method?.description ?? ServerStats.Calls.unknownMethod
            var calls = ServerStats.Calls(wire: call.wire, method: method)
            calls.ended = figures.counts.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                .init(code: $0.key.rawValue, count: $0.value)
            }
            calls.openCount = figures.openCount
            calls.latency = figures.latency
            return calls
        }.sorted { ($0.method, $0.wire) < ($1.method, $1.wire) }
    }
}

extension ServerStats.Process {
    fileprivate static var current: Self {
        let figures = rollcall_process_figures_get()
        var process = Self()
        process.residentByteCount = Int64(clamping: figures.resident_bytes)
        process.descriptorCount = Int64(clamping: figures.descriptor_count)
        process.descriptorCountMax = Int64(clamping: figures.descriptor_count_max)
        process.processorTime = .nanoseconds(Int64(clamping: figures.processor_nanoseconds))
        return process
    }
}
