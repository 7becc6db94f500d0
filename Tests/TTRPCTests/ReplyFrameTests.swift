import CRollcallProto
import NIOCore
import ProtobufC
import RPC
import RollcallTesting
import Testing

@testable import TTRPC

@Suite struct ReplyFrameTests {
    /// Zeros but for the first and the last byte, which show whether it was moved as it should be.
    private static func payload(_ byteCount: Int) -> [UInt8] {
        var payload = [UInt8](repeating: 0, count: byteCount)
        if byteCount > 1 {
            payload[0] = 1
            payload[byteCount - 1] = 2
        }
        return payload
    }

    private static func frame(payloadByteCount: Int, after prefix: [UInt8] = []) throws -> [UInt8] {
        var output = ByteBuffer(bytes: prefix)
        try ReplyFrame.append(to: &output, streamID: StreamID(7), byteCountMax: 4 << 20) { output throws(Status) in
            output.writeBytes(Self.payload(payloadByteCount))
        }
        return Array(output.readableBytesView)
    }

    @Test func emptyReplyCarriesAnEmptyStatus() throws {
        // length 2, stream 7, Response, no flags, status = {}
        #expect(try Self.frame(payloadByteCount: 0) == [0, 0, 0, 2, 0, 0, 0, 7, 2, 0, 0x0a, 0x00])
    }

    @Test func shortReplyIsCanonical() throws {
        // status = {}, payload (field 2, length-delimited) of one byte
        #expect(try Self.frame(payloadByteCount: 1) == [0, 0, 0, 5, 0, 0, 0, 7, 2, 0, 0x0a, 0x00, 0x12, 0x01, 0x00])
    }

    @Test(arguments: [0, 1, 127, 128, 129, 16_383, 16_384, 16_385, 2_097_151, 2_097_152, 4_000_000])
    func bytesAreThoseOfProtobufC(payloadByteCount: Int) throws {
        let expected = Self.payload(payloadByteCount).withUnsafeBytes { payload in
            Arena.current.scope { arena in
                let response = arena.make(Messages.ttrpcResponse)
                response.pointee.status = arena.make(Messages.googleRpcStatus)
                response.pointee.payload = arena.text(payload)
                let byteCount = Encoding.packedByteCount(of: UnsafePointer(response))
                return [UInt8](unsafeUninitializedCapacity: byteCount) { bytes, count in
                    count = Encoding.pack(UnsafePointer(response), into: UnsafeMutableRawBufferPointer(bytes))
                }
            }
        }
        let prefix: [UInt8] = [1, 2, 3]
        let bytes = try Self.frame(payloadByteCount: payloadByteCount, after: prefix)
        #expect(Array(bytes.prefix(3)) == prefix)
        #expect(Array(bytes.dropFirst(13)) == expected)
    }

    @Test func failedReplyLeavesNothing() {
        var output = ByteBuffer(bytes: [1, 2, 3])
        #expect(throws: Status.draining) {
            try ReplyFrame.append(to: &output, streamID: StreamID(7), byteCountMax: 100) { output throws(Status) in
                output.writeString("half a reply")
                throw .draining
            }
        }
        #expect(throws: Status.messageTooLong(byteCountMax: 10)) {
            try ReplyFrame.append(to: &output, streamID: StreamID(7), byteCountMax: 10) { output throws(Status) in
                output.writeRepeatingByte(0, count: 8)
            }
        }
        #expect(output == ByteBuffer(bytes: [1, 2, 3]))
    }

    @Test func errorBytesAreGolden() {
        var output = ByteBuffer()
        output.writeErrorFrame(
            Status(.notFound, "No.", reason: "R"), streamID: StreamID(3), byteCountMax: 1_000, arena: Arena.current
        )
        let errorInfo: [UInt8] = [0x0a, 1] + Array("R".utf8) + [0x12, 8] + Array("rollcall".utf8)
        let any =
            RawFrame.field(1, Array("type.googleapis.com/google.rpc.ErrorInfo".utf8)) + RawFrame.field(2, errorInfo)
        // code = 5, message = "No.", details = [ErrorInfo {reason, domain}]
        let status: [UInt8] = [0x08, 5] + RawFrame.field(2, Array("No.".utf8)) + RawFrame.field(3, any)
        #expect(
            Array(output.readableBytesView)
                == RawFrame(id: 3, type: 2, flags: 0, data: RawFrame.field(1, status)).bytes
        )
    }

    @Test func statusComesBackAsItWas() throws {
        var output = ByteBuffer()
        output.writeErrorFrame(
            EchoService.notFound, streamID: StreamID(3), byteCountMax: 1_000, arena: Arena.current
        )
        #expect(try RawFrame.read(from: &output)?.status == EchoService.notFound)
    }

    @Test func statusThatIsTooLongLosesDetailsFirstThenItsTail() throws {
        var status = Status(.invalidArgument, String(repeating: "x", count: 300), reason: "FIELD_INVALID")
        status.details = [Status.Detail(typeURL: "t", value: Array(repeating: 0, count: 1_000))]
        var output = ByteBuffer()
        output.writeErrorFrame(status, streamID: StreamID(1), byteCountMax: 600, arena: Arena.current)
        output.writeErrorFrame(status, streamID: StreamID(1), byteCountMax: 250, arena: Arena.current)
        let first = try #require(try RawFrame.read(from: &output)?.status)
        #expect(first.details.isEmpty && first.message.count == 300 && first.reason == "FIELD_INVALID")
        let second = try #require(try RawFrame.read(from: &output)?.status)
        #expect(second.message.count == 150 && second.code == .invalidArgument)
    }
}
