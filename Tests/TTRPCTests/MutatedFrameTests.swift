// Any bytes at all: an answer or a closed connection, never a crash.

import Logging
import NIOCore
import NIOEmbedded
import RPC
import RollcallTesting
import Testing

@testable import TTRPC

@Suite struct MutatedFrameTests {
    private static let frames: [RawFrame] = [
        .request(1, "Echo", "hi"), .request(3, "Fail"), .request(5, "Hold", timeoutNanoseconds: 1_000),
        .request(7, "Bidi", flags: RawFrame.remoteOpen), .data(7, "message"), .halfClose(7),
        .request(9, "Server", "x", metadata: [("key", "value")]), .data(5, "stray"),
    ]

    private static func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = (0..<4).flatMap { _ in Self.frames.randomElement(using: &generator).map(\.bytes) ?? [] }
        for _ in 0..<Int.random(in: 0...4, using: &generator) {
            let index = Int.random(in: bytes.indices, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2 where bytes.count > 1: bytes.remove(at: index)
            default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
            }
        }
        return bytes
    }

    private static func connect() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        _ = try ServerConnection.ttrpc(
            channel, methods: EchoService.methods(), peer: TestConnection.peer, limits: TestConnection.limits,
            logger: Logger(label: "test")
        )
        try channel.connect(to: try SocketAddress(unixDomainSocketPath: "/test")).wait()
        return channel
    }

    @Test func mutatedFramesAreAnsweredOrEndTheConnection() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<2_000 {
            let channel = try Self.connect()
            let bytes = Self.mutated(&generator)
            let cut = Int.random(in: 0...bytes.count, using: &generator)
            try channel.writeInbound(ByteBuffer(bytes: bytes[..<cut]))
            try channel.writeInbound(ByteBuffer(bytes: bytes[cut...]))
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            var output = ByteBuffer()
            while var written = try channel.readOutbound(as: ByteBuffer.self) {
                output.writeBuffer(&written)
            }
            while RawFrame.read(from: &output) != nil {}
            #expect(output.readableBytes == 0, "Half a frame was written; seed \(seed), round \(round).")
            _ = try? channel.finish(acceptAlreadyClosed: true)
        }
    }
}
