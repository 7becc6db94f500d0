import Foundation
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

    @Test func headStandsBeforeAnErrorThatComesAlone() {
        let status = Status(.notFound, "Gone.", reason: "DEVICE_NOT_FOUND")
        let alone = HPACKHeaders(failure: status, isAlone: true)
        #expect(alone.first(name: ":status") == "200" && alone.first(name: "content-type") == "application/grpc")
        let after = HPACKHeaders(failure: status, isAlone: false)
        #expect(!after.contains(name: ":status") && after.first(name: "grpc-status") == "5")
        #expect(after.first(name: "grpc-message") == "Gone.")
    }

    @Test func trailersStayWithinWhatClientsTake() {
        let details = (0..<100).map { _ in
            Status.Detail(typeURL: "type.googleapis.com/test.Detail", value: Array(repeating: 7, count: 1_000))
        }
        let status = Status(
            .invalidArgument, String(repeating: "é", count: 10_000), reason: "FIELD_INVALID", details: details)
        let headers = HPACKHeaders(failure: status, isAlone: true)
        let byteCount = headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 }
        #expect(byteCount <= 8 << 10)
        #expect(headers.first(name: "grpc-status-details-bin") != nil)
    }
}
