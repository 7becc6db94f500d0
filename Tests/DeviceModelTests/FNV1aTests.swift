import DeviceModel
import Testing

@Suite struct FNV1aTests {
    // The vectors of the algorithm's own test suite (draft-eastlake-fnv, appendix C).
    @Test(arguments: [
        ("", 0xCBF2_9CE4_8422_2325 as UInt64), ("a", 0xAF63_DC4C_8601_EC8C), ("foobar", 0x8594_4171_F739_67E8),
    ])
    func publishedVectorsComeOut(text: String, value: UInt64) {
        var digest = FNV1a()
        digest.combine(text.utf8)
        #expect(digest.value == value)
    }

    @Test func whereATextEndsMakesADifference() {
        func digest(_ texts: [String]) -> UInt64 {
            var digest = FNV1a()
            texts.forEach { digest.combine($0) }
            return digest.value
        }
        #expect(digest(["ab", "c"]) != digest(["a", "bc"]))
        #expect(digest(["", "a"]) != digest(["a", ""]))
    }

    @Test func aNumberIsItsBytesFromTheLowest() {
        var number = FNV1a()
        number.combine(0x0807_0605_0403_0201 as UInt64)
        var bytes = FNV1a()
        bytes.combine(1...8 as ClosedRange<UInt8>)
        #expect(number == bytes)
    }
}
