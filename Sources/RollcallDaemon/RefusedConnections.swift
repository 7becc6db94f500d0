// Connections over a limit, which neither protocol can refuse before a call: kept for a moment, to be told why.

internal import DeviceModel
internal import Logging
internal import NIOCore
internal import RPC
internal import Synchronization

/// Lets a few connections that are over a limit make their first calls, and answers each with RESOURCE_EXHAUSTED.
///
/// The others, and those that call nothing for a moment, are closed. They hold a place of their own and no other.
final class RefusedConnections: Sendable {
    /// How many are told at a time.
    private static let countMax = 64
    private let tables: [ConnectionCensus.Refusal: MethodTable]
    /// How long one is kept.
    private let lingerTime: TimeAmount
    private let log: BoundedLog
    private let count = Atomic<Int>(0)

    /// - Parameter methods: what those answer that are not over a limit.
    init(methods: MethodTable, limits: Limits, logger: Logger) {
        let refusals: [ConnectionCensus.Refusal] = [
            .tooMany(countMax: limits.connectionCountMax), .tooManyOfUser(countMax: limits.connectionCountMaxPerUser),
        ]
        self.tables = Dictionary(
            uniqueKeysWithValues: refusals.map { ($0, methods.refusing(.limitExceeded($0.description))) })
        self.lingerTime = .nanoseconds(limits.refusedConnectionNanoseconds)
        self.log = BoundedLog(logger, .warning, "connection refused")
    }

    /// Takes a refused channel in until it closes, soon; answers with which methods to serve it, or nil where it is not
    /// worth a word. On the channel's event loop.
    func methods(for refusal: ConnectionCensus.Refusal, _ peer: Peer, _ channel: any Channel) -> MethodTable? {
        guard let table = self.tables[refusal] else {
            return nil
        }
        self.log.log(["peer.pid": "\(peer.processID)", "peer.uid": "\(peer.userID)", "reason": "\(refusal)"])
        guard self.count.wrappingAdd(1, ordering: .relaxed).newValue <= Self.countMax else {
            self.count.wrappingSubtract(1, ordering: .relaxed)
            return nil
        }
        let end = channel.eventLoop.scheduleTask(in: self.lingerTime) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in
            end.cancel()
            self.count.wrappingSubtract(1, ordering: .relaxed)
        }
        return table
    }
}

extension MethodTable {
    /// The same methods, each of which refuses every call and counts it where the others do.
    fileprivate func refusing(_ status: Status) -> MethodTable {
        MethodTable(self.methods.map { $0.guarded { _ throws(Status) in throw status } }, metrics: self.metrics)
    }
}
