import NIOCore
import RPC
import RollcallTesting
import Testing

@testable import GRPCTransport

@Suite struct HTTP2FrameTests {
    private static let frames: [(HTTP2FrameHeader.Kind, UInt8, UInt32, Int)] = [
        (.settings, 0, 0, 0), (.headers, 4, 1, 40), (.data, 1, 1, 5), (.ping, 0, 0, 8), (.data, 0, 3, 16_384),
    ]

    private static let bytes =
        HTTP2Connection.preface
        + Self.frames.flatMap {
            HTTP2Connection.frame($0.0.rawValue, flags: $0.1, stream: $0.2, Array(repeating: 7, count: $0.3))
        }

    @Test(arguments: [1, 2, 3, 8, 9, 10, 24, 25, 1_000, 100_000])
    func framesComeOutWholeHoweverTheyComeIn(pieceByteCount: Int) throws {
        var decoder = HTTP2FrameDecoder()
        var seen: [(HTTP2FrameHeader, Int)] = []
        for start in stride(from: 0, to: Self.bytes.count, by: pieceByteCount) {
            let piece = ByteBuffer(bytes: Self.bytes[start..<min(start + pieceByteCount, Self.bytes.count)])
            try decoder.decode(piece) { header, payload throws(HTTP2ConnectionError) in
                seen.append((header, payload.count))
            }
        }
        #expect(seen.map(\.0.kind) == Self.frames.map(\.0))
        #expect(seen.map(\.0.flags.rawValue) == Self.frames.map(\.1))
        #expect(seen.map(\.0.streamID.rawValue) == Self.frames.map(\.2))
        #expect(seen.map(\.1) == Self.frames.map(\.3) && seen.map(\.0.payloadByteCount) == Self.frames.map(\.3))
    }

    @Test func otherBeginningIsRefusedAtItsFirstWrongByte() {
        var decoder = HTTP2FrameDecoder()
        #expect(throws: HTTP2ConnectionError.self) {
            try decoder.decode(ByteBuffer(string: "PRI * HTTP/1")) { _, _ throws(HTTP2ConnectionError) in }
        }
    }

    @Test func longFrameIsRefusedByItsHeader() {
        var decoder = HTTP2FrameDecoder()
        let bytes = HTTP2Connection.preface + [0, 0x40, 1, 0, 0, 0, 0, 0, 1]
        let error = #expect(throws: HTTP2ConnectionError.self) {
            try decoder.decode(ByteBuffer(bytes: bytes)) { _, _ throws(HTTP2ConnectionError) in }
        }
        #expect(error?.code == .frameSizeError)
    }

    @Test func writtenHeadersAreReadBack() {
        var bytes = ByteBuffer()
        let header = HTTP2FrameHeader(
            payloadByteCount: 0x01_02_03, kind: .data, flags: [.endStream, .padded], streamID: StreamID(0x7fff_ffff))
        bytes.writeFrameHeader(header)
        #expect(bytes.withUnsafeReadableBytes { HTTP2FrameHeader($0) } == header)
        bytes.setPayloadByteCount(0x0a_0b_0c, ofFrameAt: 0)
        #expect(bytes.withUnsafeReadableBytes { HTTP2FrameHeader($0) }.payloadByteCount == 0x0a_0b_0c)
    }

    @Test func paddingIsTakenOff() throws {
        func unpadded(_ bytes: [UInt8]) throws -> [UInt8] {
            try bytes.withUnsafeBytes { Array(try $0.withoutPadding(.padded)) }
        }
        #expect(try unpadded([2, 7, 8, 0, 0]) == [7, 8])
        #expect(try unpadded([0]) == [])
        #expect(try unpadded([3, 0, 0, 0]) == [])
        for bytes in [[], [1], [4, 0, 0, 0]] as [[UInt8]] {
            #expect(throws: HTTP2ConnectionError.self) { try unpadded(bytes) }
        }
    }

    @Test func headerBlockIsGatheredAndBounded() throws {
        let payload: [UInt8] = [1, 0, 0, 0, 0, 9, 1, 2, 3, 0]
        let header = HTTP2FrameHeader(
            payloadByteCount: payload.count, kind: .headers, flags: [.padded, .priority, .endStream],
            streamID: StreamID(1))
        var block = try payload.withUnsafeBytes { try HTTP2HeaderBlock(header, $0) }
        try [4, 5].withUnsafeBytes { try block.append(UnsafeRawBufferPointer(rebasing: $0.prefix(1))) }
        #expect(block.endsStream && Array(block.bytes.readableBytesView) == [1, 2, 3, 4])
        let fragment = [UInt8](repeating: 0, count: HTTP2HeaderBlock.byteCountMax)
        #expect(throws: HTTP2ConnectionError.self) { try fragment.withUnsafeBytes { try block.append($0) } }
        #expect(throws: HTTP2ConnectionError.self) { try [].withUnsafeBytes { try block.append($0) } }
    }
}

@Suite struct FlowWindowTests {
    @Test func windowIsTakenAndWidenedWithinItsBounds() {
        var window = FlowWindow(byteCount: 10)
        let steps = [
            window.take(byteCount: 4), window.take(byteCount: 7), window.add(byteCount: -10),
            window.take(byteCount: 1), window.add(byteCount: Int(Int32.max) + 4), window.add(byteCount: 1),
        ]
        #expect(steps == [true, false, true, false, true, false])
        #expect(window.byteCount == Int(Int32.max))
    }

    @Test func receivedBytesAreGivenBackByHalves() {
        var window = ReceiveWindow(byteCount: 100)
        let half = [window.receive(byteCount: 49), window.release() == nil]
        let whole = [window.receive(byteCount: 51), window.receive(byteCount: 1)]
        #expect(half == [true, true] && whole == [true, false])
        var other = ReceiveWindow(byteCount: 100)
        let opened = (other.receive(byteCount: 60), other.release(), other.receive(byteCount: 100))
        #expect(opened == (true, 60, true))
    }

    @Test func framesMayComeFastButNotInAFlood() {
        var rate = FrameRate()
        var now: UInt64 = 1_000_000_000
        // The first window began with the clock itself.
        let first = (0..<3 * FrameRate.countMax).prefix { _ in rate.mayTake { now } }.count
        #expect(first == 2 * FrameRate.countMax + 1)
        let flooded = rate.mayTake { now }
        now += FrameRate.windowNanoseconds
        let later = rate.mayTake { now }
        #expect(!flooded && later)
    }
}
