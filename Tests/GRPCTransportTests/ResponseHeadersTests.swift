import Foundation
import NIOCore
import NIOHPACK
import RPC
import Testing

@testable import GRPCTransport

@Suite struct ResponseHeadersTests {
    @Test(arguments: [
        ("", ""), ("plain ~!", "plain ~!"), ("100%", "100%25"), ("é\n\u{7f}", "%C3%A9%0A%7F"), ("日", "%E6%97%A5"),
    ])
    func messageIsPercentEncoded(text: String, encoded: String) {
        #expect(text.percentEncoded(byteCountMax: 100) == encoded)
        #expect(encoded.removingPercentEncoding == text)
    }

    @Test func longMessageEndsAfterAWholeCharacter() {
        #expect("aéé".percentEncoded(byteCountMax: 12) == "a%C3%A9")
        #expect("aéé".percentEncoded(byteCountMax: 13) == "a%C3%A9%C3%A9")
    }

    /// What a client's decoder makes of a block that `write` wrote.
    private static func decoded(_ write: (inout ByteBuffer) -> Void) throws -> HPACKHeaders {
        var bytes = ByteBuffer()
        write(&bytes)
        var decoder = HPACKDecoder(
            allocator: ByteBufferAllocator(), maxDynamicTableSize: 4_096, maxHeaderListSize: 1 << 20)
        return try decoder.decodeHeaders(from: &bytes)
    }

    @Test func fieldsAreReadByTheLibrarysDecoder() throws {
        #expect(
            try Self.decoded { ResponseHeaders.appendHead(to: &$0) }
                == [":status": "200", "content-type": "application/grpc"])
        #expect(try Self.decoded { ResponseHeaders.appendOK(Metadata(), to: &$0) } == ["grpc-status": "0"])
        let refused = try Self.decoded { ResponseHeaders.append(httpStatus: "415", "No.", to: &$0) }
        #expect(refused == [":status": "415", "grpc-status": "2", "grpc-message": "No."])
    }

    @Test func metadataIsSentUnderNamesOfItsOwn() throws {
        var metadata = Metadata()
        metadata.append(key: "Revision", value: "7")
        metadata.append(key: "digest-bin", bytes: [0, 255])
        for (key, value) in [
            ("", "no name"), (":status", "500"), ("grpc-status", "0"), ("content-type", "text"), ("te", "no"),
            ("a b", "space"), ("text", "two\nlines"), ("word", "é"),
        ] {
            metadata.append(key: key, value: value)
        }
        let headers = try Self.decoded { ResponseHeaders.appendOK(metadata, to: &$0) }
        #expect(headers == ["grpc-status": "0", "revision": "7", "digest-bin": "AP8="])
    }

    @Test func metadataStaysWithinWhatClientsTake() throws {
        var metadata = Metadata()
        for index in 0..<100 {
            metadata.append(key: "key-\(index)", value: "value")
        }
        let headers = try Self.decoded { ResponseHeaders.appendHead(metadata, to: &$0) }
        #expect(headers.count > 20 && headers.count < 30, "The first ones fit, the rest is left out.")
        #expect(headers.first(name: "key-0") == "value")
    }

    @Test func lengthsOfAnySizeAreReadBack() throws {
        for count in [0, 1, 126, 127, 128, 254, 255, 256, 16_000, 20_000] {
            let value = String(repeating: "v", count: count)
            let headers = try Self.decoded {
                $0.writeInteger(HPACKLiteral.tableSizeZero)
                HPACKLiteral.append("name", value, to: &$0)
            }
            #expect(headers.first(name: "name")?.utf8.count == count)
        }
    }

    @Test func badFieldsAreListedAsFarAsThereIsRoom() throws {
        // google.rpc.BadRequest with a thousand violations, each of a field `abcdefgh`.
        let violation: [UInt8] = [0x0A, 10, 0x0A, 8] + Array("abcdefgh".utf8)
        let badRequest = Status.Detail(
            typeURL: "type.googleapis.com/google.rpc.BadRequest",
            value: Array(repeatElement(violation, count: 1_000).joined()))
        let status = Status(.invalidArgument, "Bad.", reason: "FIELD_INVALID", details: [badRequest])
        let headers = try Self.decoded { ResponseHeaders.append(status, to: &$0) }
        let details = try #require(headers.first(name: "grpc-status-details-bin"))
        let bytes = try #require(Data(base64Encoded: details))
        #expect(bytes.count <= 4_096 && bytes.count > 4_096 - 2 * violation.count)
        #expect(bytes.range(of: Data("FIELD_INVALID".utf8)) != nil)
        #expect(bytes.suffix(3 * violation.count) == Data(repeatElement(violation, count: 3).joined()))
    }

    @Test func trailersStayWithinWhatClientsTake() throws {
        let details = (0..<100).map { _ in
            Status.Detail(typeURL: "type.googleapis.com/test.Detail", value: Array(repeating: 7, count: 1_000))
        }
        let status = Status(
            .invalidArgument, String(repeating: "é", count: 10_000), reason: "FIELD_INVALID", details: details)
        let headers = try Self.decoded {
            ResponseHeaders.appendHead(to: &$0)
            ResponseHeaders.append(status, to: &$0)
        }
        let byteCount = headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 }
        #expect(byteCount <= 8 << 10)
        #expect(headers.first(name: "grpc-status-details-bin") != nil)
    }
}
