// How long, deep and wide a filter may be.

import DeviceModel
import DeviceQuery
import Testing

@Suite struct FilterLimitTests {
    private func refusal(_ text: String) -> String? { FilterFixture.refusal(text)?.description }

    @Test func aTextMayHave8192Bytes() throws {
        let text = "owner_ref = \"" + String(repeating: "é", count: 4_089) + "\""
        #expect(text.utf8.count == 8_192)
        #expect(try FilterFixture.parse(text) != nil)
        #expect(self.refusal(text + " ") == "is 8193 bytes long; filter_bytes allows at most 8192")
        #expect(self.refusal(String(repeating: " ", count: 8_193)) != nil, "also where there is nothing in it")
    }

    @Test(arguments: ["(", "NOT ", "-", "-(", "NOT(", "( "])
    func parenthesesAndNegationsNest32Deep(opening: String) throws {
        let levels = opening.utf8.count { $0 == 0x28 || $0 == 0x2D || $0 == 0x4F }
        func text(_ count: Int) -> String {
            let openings = String(repeating: opening, count: count)
            return "id = 1 " + openings + "id = 2" + String(repeating: ")", count: openings.count { $0 == "(" })
        }
        #expect(try FilterFixture.parse(text(32 / levels)) != nil)
        let sentence = self.refusal(text(32 / levels + 1)) ?? ""
        #expect(sentence.hasPrefix("nests parentheses and negations more than 32 deep at "))
        #expect(sentence.hasSuffix("; filter_depth allows 32"))
    }

    @Test func theDepthIsThatOfTheDeepestPlace() throws {
        let deep = String(repeating: "(", count: 32) + "id = 1" + String(repeating: ")", count: 32)
        #expect(try FilterFixture.parse("\(deep) OR \(deep) AND \(deep)") == .all([.any([.id(1), .id(1)]), .id(1)]))
        #expect(
            self.refusal(String(repeating: "(", count: 8_192))
                == "nests parentheses and negations more than 32 deep at 33; filter_depth allows 32")
    }

    @Test(arguments: [" AND ", " OR ", " "])
    func aTextMayHave256Comparisons(separator: String) throws {
        let terms = Array(repeating: "id = 1", count: 256).joined(separator: separator)
        #expect(try FilterFixture.parse(terms) != nil)
        let more = terms + separator + "last_seen:*"
        #expect(
            self.refusal(more)
                == "has more than 256 comparisons, the next one at \(more.utf8.count - 10); filter_terms allows 256")
    }

    @Test func limitsAreThoseGiven() throws {
        var limits = Limits()
        limits.filterByteCountMax = 30
        limits.filterDepthMax = 1
        limits.filterTermCountMax = 2
        #expect(try FilterFixture.parse("(id = 1) AND NOT id = 2", limits: limits) != nil)
        #expect(FilterFixture.refusal("((id = 1))", limits: limits) != nil)
        #expect(FilterFixture.refusal("id=1 id=2 id=3", limits: limits) != nil)
        #expect(FilterFixture.refusal("owner_ref = 'abcdefghijklmnopq'", limits: limits) != nil)
    }
}
