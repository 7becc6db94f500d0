import RPC
import Testing

@Suite struct StatusTests {
    @Test func codesHaveTheNamesAndNumbersOfGoogleRPC() {
        #expect(Status.Code.ok.description == "OK")
        #expect(Status.Code.notFound.rawValue == 5 && Status.Code.notFound.description == "NOT_FOUND")
        #expect(Status.Code.unauthenticated.rawValue == 16)
        #expect(Status.Code(rawValue: 99).description == "CODE_99")
        #expect(Status.Code(rawValue: -1).description == "CODE_-1")
    }

    @Test func everyStatusOfATransportHasASentenceAndAReason() {
        let statuses: [Status] = [
            .unknownMethod(service: "a", method: "b"), .malformed("Bad."), .messageTooLong(byteCountMax: 1),
            .tooManyCalls(countMax: 1), .outputFull(byteCountMax: 1), .draining, .deadlineExceeded, .cancelled("Gone."),
            .defect("Ours."),
        ]
        for status in statuses {
            #expect(status.message.hasSuffix(".") && status.reason != nil && status.code != .ok, "\(status)")
        }
    }

    @Test func namesOfACallerAreRepeatedOnlyInPart() {
        let long = String(repeating: "x", count: 100_000)
        #expect(Status.unknownMethod(service: long, method: long).message.count < 400)
    }

    @Test func claimGoesToExactlyOneOfTwo() {
        let taken = CallClaim()
        #expect(taken.take() && !taken.abandon() && !taken.take())
        let abandoned = CallClaim()
        #expect(abandoned.abandon() && !abandoned.take() && !abandoned.abandon())
    }

    @Test func metadataKeysAreLowerCasedAndKeepTheirOrder() {
        var metadata = Metadata()
        metadata.append(key: "B", value: "1")
        metadata.append(key: "a", value: "2")
        metadata.append(key: "b", value: "3")
        #expect(metadata["b"] == ["1", "3"] && metadata["B"].isEmpty && metadata["c"].isEmpty)
        #expect(metadata.pairs.map(\.key) == ["b", "a", "b"])
    }
}
