// Keeps those who connect from taking the event loops from those who are connected.

internal import NIOCore

/// How many connections are accepted, as one moment: until when they have been paid for.
struct AcceptPace {
    private let interval: TimeAmount
    private let burst: TimeAmount
    private var paidUntil: NIODeadline = .uptimeNanoseconds(0)

    /// - Parameters:
    ///   - countPerSecond: connections a second, where they keep coming.
    ///   - burstCount: connections that may come at once after a pause.
    init(countPerSecond: Int, burstCount: Int) {
        self.interval = .nanoseconds(1_000_000_000 / Int64(max(1, countPerSecond)))
        self.burst = self.interval * burstCount
    }

    /// Counts one more connection.
    mutating func accepted(at now: NIODeadline) {
        self.paidUntil = max(self.paidUntil, now - self.burst) + self.interval
    }

    /// How long not to accept; nil where there is no need to wait.
    func pause(at now: NIODeadline) -> TimeAmount? {
        self.paidUntil > now ? self.paidUntil - now : nil
    }
}

/// Leaves connections to wait in the kernel while more come than a pace allows.
///
/// Taking a connection in and closing it again costs what a dozen calls do.
final class AcceptPacer: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias OutboundIn = any Channel

    /// How many are accepted between two looks at what else the event loops have to do.
    static let countAtOnce: UInt = 4

    private var pace: AcceptPace
    private var isPausing = false

    init(_ pace: AcceptPace) {
        self.pace = pace
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.pace.accepted(at: context.eventLoop.now)
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        guard !self.isPausing else {
            return
        }
        guard let pause = self.pace.pause(at: context.eventLoop.now) else {
            return context.read()
        }
        self.isPausing = true
        context.eventLoop.assumeIsolated().scheduleTask(in: pause) {
            self.isPausing = false
            context.read()
        }
    }
}
