// The text of an etag.

import DeviceModel
import Testing

@Suite struct EtagTests {
    @Test(
        arguments: [
            (0, 0, "00000000-0"), (0x2A, 0x1F, "0000002a-1f"), (0x0123_4567, 0x9, "01234567-9"),
            (0x89AB_CDEF, 0x1234_5678, "89abcdef-12345678"), (.max, 0x1_0000_0000, "ffffffff-100000000"),
            (1, .max, "00000001-7fffffffffffffff"), (1, -1, "00000001-ffffffffffffffff"),
        ] as [(UInt32, Int64, String)])
    func textIsTheStoresTagAndTheRevisionInHexadecimalDigits(storeTag: UInt32, revision: Int64, text: String) {
        #expect(Etag(storeTag: storeTag, revision: Revision(rawValue: revision)).description == text)
    }

    @Test func everyTextReadsBack() {
        var number: UInt64 = 21
        for place in 0..<4_000 {
            number = number &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let storeTag = UInt32(truncatingIfNeeded: number >> 16)
            let revision = Revision(rawValue: Int64(number >> UInt64(1 + place % 63)))
            let text = Etag(storeTag: storeTag, revision: revision).description
            let (first, second) = (String(storeTag, radix: 16), String(revision.rawValue, radix: 16))
            #expect(text == String(repeating: "0", count: 8 - first.count) + first + "-" + second)
            #expect(Etag.revision(of: text, storeTag: storeTag) == revision)
            #expect(Etag.revision(of: text, storeTag: storeTag ^ 1) == nil)
        }
    }
}
