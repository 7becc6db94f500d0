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
}
