import NIOCore
import Testing

@testable import GRPCTransport

@Suite struct MessageFramingTests {
    private static func framed(_ texts: [String]) -> ByteBuffer {
        var bytes = ByteBuffer()
        for text in texts {
            MessagePrefix.append(to: &bytes) { $0.writeString(text) }
        }
        return bytes
    }

    private static let texts = ["", "a", String(repeating: "b", count: 300), "", "c"]

    @Test(arguments: [1, 2, 3, 5, 7, 64, 1_000])
    func messagesComeOutWholeHoweverTheyComeIn(pieceByteCount: Int) throws {
        var bytes = Self.framed(Self.texts)
        var deframer = MessageDeframer(messageByteCountMax: 1_000)
        var messages: [String] = []
        while let piece = bytes.readSlice(length: min(pieceByteCount, bytes.readableBytes)), piece.readableBytes > 0 {
            deframer.append(piece)
            while let message = try deframer.next() {
                messages.append(String(buffer: message))
            }
        }
        #expect(messages == Self.texts)
        #expect(deframer.byteCount == 0)
    }

    @Test func nothingOfWhatWasTakenIsKept() throws {
        // Messages whose end and the next one's first byte come together, as many as would show.
        let message = Self.framed([String(repeating: "m", count: 1_000)])
        var deframer = MessageDeframer(messageByteCountMax: 1_000)
        deframer.append(ByteBuffer(repeating: 0, count: 1))
        var piece = ByteBuffer()
        piece.writeBytes(message.readableBytesView.dropFirst())
        piece.writeInteger(0 as UInt8)
        for _ in 0..<2_000 {
            deframer.append(piece)
            let taken = try deframer.next()
            #expect(taken?.readableBytes == 1_000 && deframer.byteCount == 1)
        }
        #expect(deframer.capacity < 64 << 10)
        deframer.append(ByteBuffer(bytes: message.readableBytesView.dropFirst()))
        #expect(try deframer.next() != nil)
        #expect(deframer.capacity == 0)
    }

    @Test func prefixIsAFlagAndALength() {
        #expect(Array(Self.framed(["ab"]).readableBytesView) == [0, 0, 0, 0, 2, 97, 98])
    }

    @Test func nothingStaysOfAMessageThatFails() {
        struct Failure: Error {}
        var bytes = ByteBuffer(string: "before")
        #expect(throws: Failure.self) {
            try MessagePrefix.append(to: &bytes) { (output: inout ByteBuffer) throws(Failure) in
                output.writeString("partly")
                throw Failure()
            }
        }
        #expect(bytes == ByteBuffer(string: "before"))
    }

    @Test func refusalComesWithThePrefix() throws {
        let cases: [([UInt8], MessageDeframer.Failure)] = [
            ([1], .compressed), ([2], .badPrefix), ([0xff], .badPrefix), ([0, 0, 0, 0x03, 0xe9], .tooLong),
            ([0, 0xff, 0xff, 0xff, 0xff], .tooLong),
        ]
        for (bytes, failure) in cases {
            var deframer = MessageDeframer(messageByteCountMax: 1_000)
            deframer.append(ByteBuffer(bytes: bytes))
            #expect(throws: failure) { try deframer.next() }
        }
        var deframer = MessageDeframer(messageByteCountMax: 1_000)
        deframer.append(ByteBuffer(bytes: [0, 0, 0, 0x03, 0xe8]))
        #expect(try deframer.next() == nil)
    }
}
