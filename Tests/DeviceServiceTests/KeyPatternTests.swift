// The wildcard of key_pattern, against a matcher too simple to be wrong.

import Testing

@testable import DeviceService

@Suite struct KeyPatternTests {
    private static func matchesNaively(_ pattern: Substring, _ key: Substring) -> Bool {
        guard let first = pattern.first else { return key.isEmpty }
        if first == "*" {
            return key.indices.contains { Self.matchesNaively(pattern.dropFirst(), key[$0...]) }
                || Self.matchesNaively(pattern.dropFirst(), "")
        }
        return first == key.first && Self.matchesNaively(pattern.dropFirst(), key.dropFirst())
    }

    @Test func everyShortPatternAgreesWithTheNaiveMatcher() {
        func words(_ alphabet: [Character], upTo length: Int) -> [String] {
            var all = [""]
            var last = [""]
            for _ in 0..<length {
                last = last.flatMap { word in alphabet.map { word + String($0) } }
                all += last
            }
            return all
        }
        let keys = words(["a", "b"], upTo: 5)
        for pattern in words(["a", "b", "*"], upTo: 5) where !pattern.isEmpty {
            let matcher = KeyPattern(pattern)
            for key in keys where matcher.matches(key) != Self.matchesNaively(pattern[...], key[...]) {
                Issue.record("Pattern \(pattern) and key \(key) do not agree with the naive matcher.")
            }
        }
    }

    @Test func caseDoesNotMatterAndAnEmptyPatternIsEveryKey() {
        #expect(KeyPattern("BAT*").matches("battery"))
        #expect(KeyPattern("bat*").matches("BATTERY"))
        #expect(!KeyPattern("[").matches("{"))
        #expect(KeyPattern("").matches("anything"))
    }

    @Test func aPatternOfStarsOnlyCostsWhatItShould() {
        let pattern = KeyPattern(String(repeating: "*a", count: 128) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 128)))
    }
}
