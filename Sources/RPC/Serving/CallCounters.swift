// What is counted of calls while they are served, cheaply enough to be counted always.

package import DeviceModel
internal import Metering
package import NIOCore
internal import Synchronization

/// What the connections of one protocol on one event loop have to do.
///
/// ## Concurrency
/// The event loop counts, any thread reads.
package final class CallCounters: Sendable {
    /// Counters before those of the methods.
    fileprivate enum Connections {
        static let opened = 0, closed = 1, received = 2, sent = 3
        static let count = 4
    }

    /// Where a method's counters are: calls by code, calls that are open, and the histogram of how long they took.
    fileprivate enum Calls {
        /// The codes of google.rpc.Code; one that is none of them counts as UNKNOWN.
        static let codeCount = 17
        static let open = Self.codeCount
        static let latency = Self.open + 1
        static let count = Self.latency + Histogram.counterCount
    }

    fileprivate let wire: String
    /// The table's, by index.
    fileprivate let names: [MethodName]
    fileprivate let counters: Counters

    fileprivate init(_ wire: String, _ names: [MethodName]) {
        self.wire = wire
        self.names = names
        // One more than there are methods: the first is for calls of none of them.
        self.counters = Counters(count: Connections.count + (names.count + 1) * Calls.count)
    }

    fileprivate func offset(of method: MethodIndex) -> Int {
        Connections.count + method.rawValue * Calls.count
    }

    package func connectionOpened() {
        self.counters.add(1, at: Connections.opened)
    }

    package func connectionClosed() {
        self.counters.add(1, at: Connections.closed)
    }

    package func received(byteCount: Int) {
        self.counters.add(Int64(byteCount), at: Connections.received)
    }

    package func sent(byteCount: Int) {
        self.counters.add(Int64(byteCount), at: Connections.sent)
    }

    /// A call has begun that will not end within the pass that brought it.
    fileprivate func opened(_ method: MethodIndex) {
        self.counters.add(1, at: self.offset(of: method) + Calls.open)
    }

    fileprivate func closed(_ method: MethodIndex) {
        self.counters.add(-1, at: self.offset(of: method) + Calls.open)
    }

    fileprivate func ended(_ method: MethodIndex, _ code: Status.Code, count: Int64) {
        let known = 0..<Int32(Calls.codeCount) ~= code.rawValue ? code : .unknown
        self.counters.add(count, at: self.offset(of: method) + Int(known.rawValue))
    }

    fileprivate func took(_ nanoseconds: Int64, _ method: MethodIndex, count: Int64) {
        Histogram(in: self.counters, at: self.offset(of: method) + Calls.latency).record(nanoseconds, count: count)
    }
}

/// A call that is answered in a later pass than the one that brought it, as it is measured.
package struct MeasuredCall: Sendable {
    fileprivate let method: MethodIndex
    fileprivate let startedAt: Int64
}

/// Measures the calls of one connection: from the start of the pass that brought a call to the end of that in which it was
/// answered.
///
/// A pass answers many calls with one write, before which none of them has left. So it reads the clock twice, however many
/// calls it answers, and each of them took as long as it did: that is what their callers have waited for. Calls that follow
/// on one another and are alike, as most do, are counted together.
package struct CallMeter: Sendable {
    /// Calls in a row that this pass has ended, alike in all but their replies.
    private struct Ended {
        var method = MethodIndex.unknown
        var code = Status.Code.ok
        var startedAt: Int64 = 0
        var count: Int64 = 0
    }

    private let counters: CallCounters
    /// Nanoseconds of the system's uptime; nil between passes.
    private var passStartedAt: Int64?
    /// The latest, which are not counted yet.
    private var last = Ended()
    /// Those before, which are.
    private var ended: [Ended] = []
    private var isClosed = false

    package init(_ counters: CallCounters) {
        self.counters = counters
        counters.connectionOpened()
    }

    private static var now: Int64 {
        Int64(NIODeadline.now().uptimeNanoseconds)
    }

    /// A pass begins, unless it has begun.
    package mutating func passStarted() {
        if self.passStartedAt == nil { self.passStartedAt = Self.now }
    }

    /// Counts what the pass has ended so far; before it is written, so that whoever has an answer finds it counted.
    package mutating func countEnded() {
        guard self.last.count > 0 else { return }
        self.counters.ended(self.last.method, self.last.code, count: self.last.count)
        self.ended.append(self.last)
        self.last.count = 0
    }

    /// Everything that the pass answered is on its way.
    package mutating func passEnded() {
        defer { self.passStartedAt = nil }
        self.countEnded()
        guard !self.ended.isEmpty else { return }
        let now = Self.now
        for call in self.ended {
            self.counters.took(now - call.startedAt, call.method, count: call.count)
        }
        self.ended.removeAll(keepingCapacity: true)
    }

    /// A call has begun that is answered later; it must end.
    package mutating func callStarted(_ method: MethodIndex) -> MeasuredCall {
        self.passStarted()
        self.counters.opened(method)
        return MeasuredCall(method: method, startedAt: self.passStartedAt ?? 0)
    }

    /// A call that was started has its outcome.
    package mutating func callEnded(_ call: MeasuredCall, _ code: Status.Code) {
        self.counters.closed(call.method)
        self.ended(call.method, code, startedAt: call.startedAt)
    }

    /// A call has its outcome within the pass that brought it.
    package mutating func callAnswered(_ method: MethodIndex, _ code: Status.Code) {
        self.passStarted()
        self.ended(method, code, startedAt: self.passStartedAt ?? 0)
    }

    private mutating func ended(_ method: MethodIndex, _ code: Status.Code, startedAt: Int64) {
        if self.last.method != method || self.last.code != code || self.last.startedAt != startedAt {
            self.countEnded()
            self.last = Ended(method: method, code: code, startedAt: startedAt)
        }
        self.last.count += 1
    }

    package func received(byteCount: Int) {
        self.counters.received(byteCount: byteCount)
    }

    package func sent(byteCount: Int) {
        self.counters.sent(byteCount: byteCount)
    }

    /// The connection is gone, and with it all of its calls have ended. May be said twice.
    package mutating func connectionClosed() {
        self.passEnded()
        guard !self.isClosed else { return }
        self.isClosed = true
        self.counters.connectionClosed()
    }
}

/// What all connections of a server have to do, protocol by protocol.
///
/// ## Concurrency
/// Any thread. Each event loop has counters of its own, so that none waits for another one's; they stay when connections go.
package final class CallMetrics: Sendable {
    private struct Key: Hashable {
        let wire: String
        let eventLoop: ObjectIdentifier
    }

    private let counters = Mutex<[Key: CallCounters]>([:])

    package init() {}

    /// Those of a protocol on an event loop, for the methods of one table.
    package func counters(_ wire: String, on eventLoop: any EventLoop, names: [MethodName]) -> CallCounters {
        self.counters.withLock { counters in
            let key = Key(wire: wire, eventLoop: ObjectIdentifier(eventLoop))
            if let known = counters[key] { return known }
            let new = CallCounters(wire, names)
            counters[key] = new
            return new
        }
    }

    /// What has been counted since the server began to serve.
    package var figures: CallFigures {
        let counters = self.counters.withLock { Array($0.values) }
        var figures = CallFigures()
        for counters in counters {
            figures.add(counters)
        }
        return figures
    }
}

/// What a server has counted of its calls.
package struct CallFigures: Sendable {
    package struct Connections: Sendable {
        package var openCount: Int64 = 0
        /// Since the start.
        package var totalCount: Int64 = 0
        package var receivedByteCount: Int64 = 0
        package var sentByteCount: Int64 = 0
    }

    package struct Call: Hashable, Sendable {
        /// `ttrpc` or `grpc`.
        package let wire: String
        /// Nil for calls that came to no method: of a name that none has, or in an envelope that could not be read.
        package let method: MethodName?

        package init(wire: String, method: MethodName?) {
            self.wire = wire
            self.method = method
        }
    }

    package struct Calls: Sendable {
        /// Those that have ended, by how.
        package var counts: [Status.Code: Int64] = [:]
        /// Those that were begun and have not ended.
        package var openCount: Int64 = 0
        /// Nanoseconds.
        package var latency = Distribution()
    }

    /// By protocol.
    package var connections: [String: Connections] = [:]
    /// Only what was ever called.
    package var calls: [Call: Calls] = [:]

    fileprivate mutating func add(_ source: CallCounters) {
        typealias Places = CallCounters.Connections
        let counters = source.counters
        // In this order: one that closes meanwhile counts as open, and none as fewer than none.
        let closedCount = counters.value(at: Places.closed)
        self.connections[source.wire, default: Connections()].openCount +=
            counters.value(at: Places.opened) - closedCount
        self.connections[source.wire, default: Connections()].totalCount += counters.value(at: Places.opened)
        self.connections[source.wire, default: Connections()].receivedByteCount += counters.value(at: Places.received)
        self.connections[source.wire, default: Connections()].sentByteCount += counters.value(at: Places.sent)
        for index in -1..<source.names.count {
            let name = index < 0 ? nil : source.names[index]
            let offset = source.offset(of: MethodIndex(index))
            var calls = Calls()
            for code in 0..<CallCounters.Calls.codeCount {
                let count = counters.value(at: offset + code)
                if count > 0 { calls.counts[Status.Code(rawValue: Int32(code))] = count }
            }
            calls.openCount = counters.value(at: offset + CallCounters.Calls.open)
            guard !calls.counts.isEmpty || calls.openCount > 0 else { continue }
            calls.latency = Histogram(in: counters, at: offset + CallCounters.Calls.latency).distribution
            let call = Call(wire: source.wire, method: name)
            self.calls[call, default: Calls()].merge(calls)
        }
    }
}

extension CallFigures.Calls {
    fileprivate mutating func merge(_ other: Self) {
        self.counts.merge(other.counts, uniquingKeysWith: +)
        self.openCount += other.openCount
        self.latency.merge(other.latency)
    }
}
