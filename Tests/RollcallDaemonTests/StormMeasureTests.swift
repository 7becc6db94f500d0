import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
@testable import RollcallDaemon
import Synchronization
import Testing

/// What keeps a storm of connections from the rest: how fast they are accepted, and how often it is said that they are not.
@Suite struct StormMeasureTests {
    @Test func aPaceAllowsABurstAndThenItsRate() {
        var pace = AcceptPace(countPerSecond: 1_000, burstCount: 3)
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        for _ in 0..<3 {
            #expect(pace.pause(at: now) == nil)
            pace.accepted(at: now)
        }
        pace.accepted(at: now)
        #expect(pace.pause(at: now) == .milliseconds(1))
        now = now + .milliseconds(1)
        #expect(pace.pause(at: now) == nil)
        pace.accepted(at: now)
        #expect(pace.pause(at: now) == .milliseconds(1))
        // A pause earns no more than the burst.
        now = now + .seconds(60)
        for _ in 0..<3 { pace.accepted(at: now) }
        #expect(pace.pause(at: now) == nil)
        pace.accepted(at: now)
        #expect(pace.pause(at: now) == .milliseconds(1))
    }

    @Test func readsBeyondThePaceWaitAndHappenOnce() throws {
        let channel = EmbeddedChannel()
        let reads = ReadCount()
        try channel.pipeline.syncOperations.addHandlers([
            reads, AcceptPacer(AcceptPace(countPerSecond: 1_000, burstCount: 1)),
        ])
        func accept() throws { channel.pipeline.fireChannelRead(EmbeddedChannel() as any Channel) }
        channel.pipeline.read()
        #expect(reads.count == 1)
        try accept()
        try accept()
        channel.pipeline.read()
        channel.pipeline.read()
        #expect(reads.count == 1)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(2))
        #expect(reads.count == 2)
        channel.pipeline.read()
        #expect(reads.count == 3)
    }

    @Test func whatHappensOftenIsSaidOnceASecondWithHowOftenItWas() {
        let lines = Lines()
        let log = BoundedLog(Logger(label: "test") { _ in lines }, .warning, "refused")
        let start = ContinuousClock.now
        for milliseconds in [0, 1, 999, 1_000, 2_500] {
            log.log(["at": "\(milliseconds)"], now: start + .milliseconds(milliseconds))
        }
        #expect(lines.said == ["refused at=0", "refused at=1000 unsaid=2", "refused at=2500"])
    }
}

private final class ReadCount: ChannelOutboundHandler {
    typealias OutboundIn = any Channel
    private(set) var count = 0

    func read(context: ChannelHandlerContext) {
        self.count += 1
    }
}

private final class Lines: LogHandler, Sendable {
    private let lines = Mutex<[String]>([])
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .info }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    var said: [String] {
        self.lines.withLock { $0 }
    }

    func log(event: LogEvent) {
        let words = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        self.lines.withLock { $0.append((["\(event.message)"] + words).joined(separator: " ")) }
    }
}
