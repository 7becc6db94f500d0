// Filters from seeds: written and read back, garbled, and their patterns matched.

import DeviceModel
import DeviceQuery
import RollcallTesting
import Testing

@Suite struct FilterRandomTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func whatIsWrittenIsReadBackAsTheSame(seed: UInt64) throws {
        var generator = FilterGenerator(seed: seed)
        for count in 0..<2_000 {
            let tree = generator.tree()
            for text in [tree.description, generator.text(tree)] {
                guard try FilterFixture.parse(text) != tree else { continue }
                Issue.record("seed \(seed), tree \(count): \(tree) is not what this reads as: \(text)")
            }
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func garbledFiltersAreReadOrRefused(seed: UInt64) throws {
        var generator = FilterGenerator(seed: seed)
        var acceptedCount = 0
        for count in 0..<10_000 {
            let tree = generator.tree(depth: 2)
            let text = generator.garbled(generator.random.oneIn(2) ? tree.description : generator.text(tree))
            do throws(InvalidFields) {
                guard let tree = try FilterFixture.parse(text) else { continue }
                acceptedCount += 1
                guard try FilterFixture.parse(tree.description) != tree else { continue }
                Issue.record("seed \(seed), text \(count): \(text) reads as \(tree), which reads as something else")
            } catch {
                guard
                    error.violations.count != 1 || error.violations[0].field != "filter"
                        || !(1..<1_000).contains(error.violations[0].description.utf8.count)
                else { continue }
                Issue.record("seed \(seed), text \(count): \(text) is refused with \(error.violations)")
            }
        }
        #expect(acceptedCount > 500, "garbling leaves some of them right")
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func patternsMatchWhatANaiveMatcherSays(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var matchCount = 0
        for count in 0..<10_000 {
            let letters = random.pick(["a", "ab", "abé"]).utf8.map { $0 }
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in random.pick(letters) }
            let pieces = (0..<Int.random(in: 2...5, using: &random)).map { _ in
                (0..<Int.random(in: 0...3, using: &random)).map { _ in random.pick(letters) }
            }
            let pattern = TextPattern(pieces: pieces)
            let expected = Self.matches(text[...], Array(pieces.joined(separator: [UInt8(ascii: "*")]))[...])
            matchCount += expected ? 1 : 0
            guard
                text.withUnsafeBytes({ pattern.matches($0) }) != expected || pattern.prefix != pieces[0]
                    || pattern.isPrefix != pieces.dropFirst().joined().isEmpty
            else { continue }
            Issue.record("seed \(seed), pattern \(count): \(pieces) on \(text)")
        }
        #expect((1_000..<9_000).contains(matchCount))
    }

    private static func matches(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == UInt8(ascii: "*") {
            return Self.matches(text, pattern.dropFirst())
                || (!text.isEmpty && Self.matches(text.dropFirst(), pattern))
        }
        return text.first == first && Self.matches(text.dropFirst(), pattern.dropFirst())
    }
}
