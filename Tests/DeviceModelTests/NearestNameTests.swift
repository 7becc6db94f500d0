import DeviceModel
import Testing

@Suite struct NearestNameTests {
    @Test(arguments: [
        ("list", "list", 0), ("lsit", "list", 1), ("lst", "list", 1), ("lisst", "list", 1), ("lust", "list", 1),
        ("ca", "abc", 3), ("", "list", 4), ("list", "", 4), ("größe", "grösse", 2), ("ab", "ba", 1),
    ])
    func distanceCountsSlips(word: String, name: String, distance: Int) {
        #expect(word.nearest(of: [name])?.distance == distance)
    }

    @Test func theNearestIsTheFirstOfThoseAsNear() {
        #expect("get".nearest(of: ["list", "set", "bet"])?.name == "set")
        #expect("get".nearest(of: []) == nil)
    }

    @Test func whatWordsShareAtTheirEndsTakesNoSlips() {
        let names = (0..<200).map { "sensor.\($0).temperature" }
        #expect("sensor.150.temprature".nearest(of: names) ?? ("", -1) == ("sensor.150.temperature", 1))
        #expect("aab".nearest(of: ["aba"])?.distance == 1)
        #expect("abab".nearest(of: ["baba"])?.distance == 2)
    }

    @Test func noMoreEffortIsMadeThanAllowed() {
        let names = (0..<1_000).map { String(repeating: "x", count: 100) + String($0) } + ["list"]
        #expect("lsit".nearest(of: names)?.name == "list")
        #expect("lsit".nearest(of: names, effortMax: 2_000)?.name != "list")
        #expect("list".nearest(of: ["list"], effortMax: 1)?.distance == 0, "the first is always read")
    }
}
